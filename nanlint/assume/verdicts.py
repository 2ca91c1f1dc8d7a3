"""What is to be said of assumptions: that they are wrong (NAN902), or of no use (NAN903)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from nanlint.assume import Reading
from nanlint.assume.stated import Refuted, Stated
from nanlint.finding import Confidence, Finding, Span
from nanlint.source import Source

WRONG, UNUSED = "NAN902", "NAN903"


def wrong(reading: Reading, refuted: Iterable[Refuted], source: Source) -> Iterator[Finding]:
    """NAN902 for the comments that cannot be read, and for what the code contradicts, with the reason."""
    for comment in reading.unreadable:
        span = Span(comment.position, comment.end)
        yield _finding(WRONG, source.path, span, f"this comment is not understood: {comment.reason}")
    for one in refuted:
        told = f"`{one.stated.condition.text}` is assumed, but {one.reason}"
        if one.stated.span is not None:
            yield _finding(WRONG, source.path, one.stated.span, told)
        elif isinstance(one.node, (ast.expr, ast.stmt)):
            yield _finding(WRONG, source.path, source.span(one.node), f"{told} (tool.nanlint.assume)")


def unused(
    reading: Reading,
    refuted: Iterable[Refuted],
    findings: Iterable[Finding],
    without: Callable[[int], Iterable[Finding]],
    path: str,
) -> Iterator[Finding]:
    """NAN903 for each comment's condition without which the findings are the same; wrong ones are told already.

    `without` gives the findings where the condition of that number is left out.
    """
    known, told = set(map(_key, findings)), {one.stated.key for one in refuted}
    for index, stated in enumerate(reading.stated):
        if stated.key not in told and set(map(_key, without(index))) == known:
            assert stated.span is not None
            missing = _missing(stated, reading.tree)
            reason = f"there is no `{missing}` here" if missing else "nothing changes without it"
            text = f"`{stated.condition.text}` is assumed for nothing: {reason}"
            yield _finding(UNUSED, path, stated.span, text)


def _finding(code: str, path: str, span: Span, message: str) -> Finding:
    return Finding(code, path, span, message, Confidence.HIGH)


def _key(finding: Finding) -> tuple[object, ...]:
    """All of a finding that a reader or `--fix` can tell apart."""
    return finding.code, finding.span, finding.message, finding.confidence, finding.fix


def _missing(stated: Stated, tree: ast.Module) -> str:
    """A name of the condition that occurs nowhere in the function around the comment; "" if there is none."""
    scope = _scope(stated.line, tree)
    own = set(ast.walk(stated.condition.test))
    known = {name for node in ast.walk(scope) if node not in own for name in _names(node)}
    names = (node.id for node in ast.walk(stated.condition.test) if isinstance(node, ast.Name))
    return next((name for name in names if name.removesuffix("()").split(".")[-1] not in known), "")


def _names(node: ast.AST) -> Iterator[str]:
    for word in ("id", "arg", "attr", "name"):
        name = getattr(node, word, None)
        if isinstance(name, str):
            yield name


def _scope(line: int, tree: ast.Module) -> ast.AST:
    """The outermost function around a line, or the whole file."""
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return next((node for node in functions if node.lineno <= line <= (node.end_lineno or 0)), tree)
