"""Which files a run checks: the files that are named, and the Python files and notebooks of named folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanlint.config import Config, patterns, relative

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SUFFIXES = (".py", ".ipynb")
USUAL_EXCLUSIONS = frozenset(
    {
        *(".bzr", ".git", ".hg", ".jj", ".svn", "CVS"),
        *(".direnv", ".pyenv", ".venv", "node_modules", "site-packages", "venv"),
        *(".eggs", "__pypackages__", "_build", "buck-out", "build", "dist"),
        *(".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".pytype", ".ruff_cache", "__pycache__"),
        *(".idea", ".nox", ".tox", ".vscode"),
    }
)
"""Names of folders that hold nothing to check, at any depth below a named folder."""


@dataclass(frozen=True)
class _Ignores:
    """The patterns of one .gitignore, which are relative to its folder."""

    folder: str
    spec: GitIgnoreSpec

    def verdict(self, path: str) -> bool | None:
        """Whether `path` is ignored; None if no pattern speaks of it. Folders end with a `/`."""
        return self.spec.check_file(_seen_from(path, self.folder)).include


_Layers = tuple[_Ignores, ...]


def discover(paths: Sequence[str], config: Config) -> list[str]:
    """The files to check, in the order of `paths`, those of a folder sorted; every file once.

    Files are taken as they are named. Folders are walked without the usual exclusions, `config.exclude` and
    what .gitignore files leave out, those above the folder in its repository included; links to folders are
    not followed. A folder that cannot be listed is returned itself, for the reader to say why.
    """
    named = ([path] if not os.path.isdir(path) else sorted(_walk(path, config)) for path in paths)
    seen: dict[str, str] = {}
    for files in named:
        for file in files:
            seen.setdefault(os.path.realpath(file), file)
    return [file.replace(os.sep, "/") for file in seen.values()]


def _walk(top: str, config: Config) -> Iterator[str]:
    """The files below a folder that are not left out, in no particular order."""
    closed: list[str] = []
    exclude = _exclude(top, config)
    layers = {top: _layers_above(top)}
    for folder, names, files in os.walk(top, onerror=lambda error: closed.append(error.filename)):
        here = layers.pop(folder) + _read_ignores(folder)
        names[:] = [
            name
            for name in names
            if name not in USUAL_EXCLUSIONS and not _left_out(f"{os.path.join(folder, name)}/", here, exclude)
        ]
        layers.update((os.path.join(folder, name), here) for name in names)
        candidates = (os.path.join(folder, file) for file in files if file.endswith(SUFFIXES))
        yield from (_shown(file, top) for file in candidates if _is_wanted(file, here, exclude))
    yield from closed


def _is_wanted(file: str, layers: _Layers, exclude: _Ignores | None) -> bool:
    """Whether a file is not left out and is no broken link, pipe or device, which a read could hang on."""
    return not _left_out(file, layers, exclude) and os.path.isfile(file)


def _left_out(path: str, layers: _Layers, exclude: _Ignores | None) -> bool:
    """Whether `path` is excluded, or ignored by the deepest .gitignore that speaks of it."""
    if exclude is not None and exclude.verdict(path):
        return True
    verdicts = (layer.verdict(path) for layer in reversed(layers))
    return next((verdict for verdict in verdicts if verdict is not None), False)


def _exclude(top: str, config: Config) -> _Ignores | None:
    """`config.exclude` for a walk of `top`; None without patterns, or if they hit `top`, which was named.

    The patterns are relative to the project; in a folder outside of it, to that folder.
    """
    if not config.exclude:
        return None
    inside = not relative(top, config.root).startswith("..")
    exclude = _Ignores(config.root if inside else top, patterns(config.exclude))
    return None if exclude.verdict(f"{top}/") else exclude


def _layers_above(top: str) -> _Layers:
    """The .gitignore files above `top` in its repository; none if they ignore `top`, which was named."""
    layers = tuple(layer for folder in _parents_in_repository(top) for layer in _read_ignores(folder))
    return () if _left_out(f"{os.path.abspath(top)}/", layers, None) else layers


def _parents_in_repository(top: str) -> list[str]:
    """The folders above `top` up to the one that holds its `.git`, topmost first; none without one."""
    folders: list[str] = []
    folder = os.path.abspath(top)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return []
        folders.append(parent)
        folder = parent
    return folders[::-1]


def _read_ignores(folder: str) -> _Layers:
    """The patterns of a folder's own .gitignore; lines that cannot be read mean nothing, as in git."""
    try:
        with open(os.path.join(folder, ".gitignore"), encoding="utf-8-sig", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return ()
    try:
        return (_Ignores(folder, patterns(tuple(lines))),)
    except ValueError:
        return (_Ignores(folder, patterns(tuple(_readable(lines)))),)


def _readable(lines: Iterable[str]) -> Iterator[str]:
    """The lines that are patterns."""
    for line in lines:
        try:
            patterns((line,))
        except ValueError:
            continue
        yield line


def _shown(file: str, top: str) -> str:
    """A file's path as the user would name it: without the `./` of a walk of the current folder."""
    return os.path.normpath(file) if os.path.normpath(top) == os.curdir else file


def _seen_from(path: str, folder: str) -> str:
    """`relative`, which would drop the `/` that marks a folder."""
    return relative(path, folder) + ("/" if path.endswith("/") else "")
