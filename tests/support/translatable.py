"""Every text that a catalog of gettext holds, as the tools of gettext find them in the source.

Boundary: reads the source; changes nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache

from tests.support.paths import ROOT

MARKS = {"_": 1, "Message": 1, "marked": 1, "Plural": 2, "Counted": 2, "marked_forms": 2}
"""The functions whose first arguments are texts, and how many: one text, or its forms for one and for other numbers."""


@cache
def texts() -> Mapping[str, str]:
    """Return the text for other numbers by the text for one; both are the same for a text with one form."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "playground").rglob("*.py")):
        source = path.read_text("utf-8")
        if any(f"{mark}(" in source for mark in MARKS):
            found.update(_in(source))
    return found


def _in(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in MARKS:
            continue
        forms = [given.value for given in node.args[: MARKS[node.func.id]] if isinstance(given, ast.Constant)]
        if len(forms) == MARKS[node.func.id] and forms[0]:
            yield str(forms[0]), str(forms[-1])
