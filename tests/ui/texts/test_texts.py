"""Texts of the pages: each has a user, and is filled in by placeholders only."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.support.paths import TESTS

PROGRAM = TESTS.parent
TEXTS = sorted(path for path in (PROGRAM / "playground" / "ui" / "texts").glob("*.py") if path.stem != "language")
SOURCES = [PROGRAM / "app.py", *(PROGRAM / "playground" / "ui").rglob("*.py")]
USES = Counter(word for path in SOURCES for word in re.findall(r"\w+", path.read_text("utf-8")))


def names(path: Path) -> list[str]:
    """Return the constants of a module."""
    body = ast.parse(path.read_text("utf-8")).body
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_text_has_a_user(path: Path) -> None:
    unused = [name for name in names(path) if USES[name] < 2]
    assert unused == []


NO_TEXTS = {
    *("playground-my-data.json", "python -m playground fetch {name}", "temperature 0.2, seed 7", "="),  # code
    *("JSONL", "JSON", "CSV", "Parquet", "repetition_penalty", "max_new_tokens"),  # names
    *("Ctrl ↵", "Esc", "↵", "?", "a b c …"),  # keys; single letters too
}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_text_is_marked_for_translation(path: Path) -> None:
    unmarked: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "Plural"):
            return
        if isinstance(node, ast.Dict):
            for value in node.values:
                visit(value)
        elif isinstance(node, ast.Constant):
            unmarked.extend([node.value] if isinstance(node.value, str) and len(node.value) > 1 else [])
        else:
            for child in ast.iter_child_nodes(node):
                visit(child)

    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            visit(node.value)
    assert {text for text in unmarked if not text.startswith("from gradio_client")} <= NO_TEXTS


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_no_text_is_joined_from_pieces(path: Path) -> None:
    constants = [n for n in ast.parse(path.read_text("utf-8")).body if isinstance(n, ast.Assign | ast.AnnAssign)]
    assert not [n for constant in constants for n in ast.walk(constant) if isinstance(n, ast.JoinedStr | ast.BinOp)]
