"""Texts of the pages: each has a user, and is filled in by placeholders only."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.support.paths import TESTS

PROGRAM = TESTS.parent
TEXTS = PROGRAM / "playground" / "ui" / "texts"
SOURCES = [PROGRAM / "app.py", *(PROGRAM / "playground" / "ui").rglob("*.py")]
USES = Counter(word for path in SOURCES for word in re.findall(r"\w+", path.read_text("utf-8")))


def names(path: Path) -> list[str]:
    """Return the constants of a module."""
    body = ast.parse(path.read_text("utf-8")).body
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


@pytest.mark.parametrize("path", sorted(TEXTS.glob("*.py")), ids=lambda path: path.stem)
def test_every_text_has_a_user(path: Path) -> None:
    unused = [name for name in names(path) if USES[name] < 2]
    assert unused == []


@pytest.mark.parametrize("path", sorted(TEXTS.glob("*.py")), ids=lambda path: path.stem)
def test_no_text_is_joined_from_pieces(path: Path) -> None:
    constants = [n for n in ast.parse(path.read_text("utf-8")).body if isinstance(n, ast.Assign | ast.AnnAssign)]
    assert not [n for constant in constants for n in ast.walk(constant) if isinstance(n, ast.JoinedStr | ast.BinOp)]
