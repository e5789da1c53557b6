"""Invalid values in error messages: short, however large they are.

Boundary: knows no rule.
"""

from __future__ import annotations

from typing import Any


def kind_of(value: object) -> str:
    """Return the kind of `value` in a few words, however large it is."""
    words = {type(None): "nothing", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return words.get(type(value), f"of type {type(value).__name__}")


def shown(value: Any) -> str:
    """Return short text and numbers as they are, everything else by its kind."""
    if isinstance(value, str):
        return ascii(value) if len(value) <= 40 else f"{value[:40]!a}… ({len(value):,} characters)"
    return repr(value) if isinstance(value, float) else str(value) if _is_short(value) else kind_of(value)


def _is_short(value: Any) -> bool:
    return isinstance(value, int) and abs(value) < 10**20
