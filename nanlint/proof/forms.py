"""The forms that `--fix` gives a fixture, kept beside it as `bad_NAME.fixed.py` and `bad_NAME.indexed.py`."""

from __future__ import annotations

from pathlib import Path

from nanlint.config import Config
from nanlint.engine import fix
from nanlint.source import read

STYLES = {"fixed": "double-where", "indexed": "indexed"}
"""The name of each form, with the fix style that makes it."""


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
        data = fix(source, Config(fix_style=STYLES[form])).source.to_bytes()
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


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
