"""The forms that `--fix` gives a fixture, kept beside it as `bad_NAME.fixed.py` and `bad_NAME.indexed.py`."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

from nanlint.config import LEAST_INTRUSIVE, OFF_BY_DEFAULT, Config
from nanlint.engine import fix
from nanlint.finding import Confidence
from nanlint.source import parse, read

STYLES = {"fixed": LEAST_INTRUSIVE, "indexed": "indexed"}
"""The name of each form, with the fix style that makes it."""


def settings(path: Path) -> Config:
    """What a fixture, or a form of it, is checked with.

    The default, with the code of its folder selected if it is off, and what it announces in constants of its own:
    DTYPE, the dtype of its tensors, UNSAFE_FIXES, that its form on disk is what unsafe fixes make of it, and
    CONFIDENCE, the lowest that is shown.
    """
    code = path.parent.name.upper()
    announced = _constants(path) if code.startswith("NAN") else {}
    return Config(
        extend_select=(code,) if code in OFF_BY_DEFAULT else (),
        dtype=str(announced.get("DTYPE", "float32")),
        unsafe_fixes=bool(announced.get("UNSAFE_FIXES", False)),
        confidence=Confidence(announced.get("CONFIDENCE", Confidence.MEDIUM)),
    )


def form_paths(path: Path) -> dict[str, Path]:
    """Where each form of a fixture is kept, by its name; none of them need exist."""
    return {form: path.with_suffix(f".{form}{path.suffix}") for form in STYLES}


def is_form(path: Path) -> bool:
    """Whether this is the path of a form, not of a fixture."""
    return Path(path.stem).suffix.removeprefix(".") in STYLES


def made_today(path: Path) -> dict[Path, bytes]:
    """What `--fix` makes of a fixture in each style, by where that is kept.

    A style that changes nothing, or gives what an earlier one gives, makes no form.
    """
    source = read(str(path))
    made: dict[Path, bytes] = {}
    for form, kept in form_paths(path).items():
        data = fix(source, replace(settings(path), fix_style=STYLES[form])).source.to_bytes()
        if data not in (source.to_bytes(), *made.values()):
            made[kept] = data
    return made


def stale(path: Path) -> dict[Path, bytes | None]:
    """The forms that differ from what `--fix` makes today; None for one that it does not make."""
    made = made_today(path)
    return {kept: made.get(kept) for kept in form_paths(path).values() if _bytes(kept) != made.get(kept)}


def bring_up_to_date(path: Path) -> list[str]:
    """Write and remove forms until the fixture has no stale one; says what was done."""
    done = []
    for kept, data in stale(path).items():
        if data is None:
            kept.unlink()
        else:
            kept.write_bytes(data)
        done.append(f"{'removed' if data is None else 'wrote'} {kept}")
    return done


def _constants(path: Path) -> dict[str, object]:
    """The names at the top of a file that a literal is assigned to."""
    return {
        node.targets[0].id: node.value.value
        for node in parse(read(str(path)).text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
