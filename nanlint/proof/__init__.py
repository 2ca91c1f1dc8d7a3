"""What nanlint says, put to real torch; the only package that imports it.

Importing it without torch raises an ImportError that says how to install it.
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ImportError(
        "nanlint.proof runs code with torch, which is not installed: pip install nanlint[torch]"
    )
