"""`nanlint` and `python -m nanlint`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nanlint import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["--version"]:
        # editors and hooks ask for it at every start; the rest of the command line takes five times as long
        print(f"nanlint {__version__}")
        return 0
    try:
        from nanlint import cli

        return cli.main(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
