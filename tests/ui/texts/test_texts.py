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
    *("JSONL", "JSON", "CSV", "Parquet", "PNG", "repetition_penalty", "max_new_tokens"),  # names
    *("Ctrl ↵", "Esc", "↵", "?", "a b c …", "a b", "⇧ a b", "1 2 3 …"),  # keys; single letters too
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


MESSAGES = (
    "validation",
    "battles",
    "arena",
    "exchange/exports.py",
    "exchange/formats.py",
    "exchange/selection.py",
    "prompting/prompt.py",
    "records/filters.py",
    "studies/instruction_files/reading.py",
    "ui/pages/compare",
    "ui/pages/data",
)
"""Where errors that a visitor meets are raised."""


def bare_errors(path: Path) -> list[str]:
    """Return the texts of errors that are raised as plain strings."""
    raised = [node.exc for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Raise)]
    given = [argument for call in raised if isinstance(call, ast.Call) for argument in call.args]
    return [ast.unparse(text) for text in given if isinstance(text, ast.JoinedStr) or _is_sentence(text)]


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


def test_errors_that_visitors_meet_are_messages() -> None:
    package = PROGRAM / "playground"
    by_place = {
        place: [package / place] if place.endswith(".py") else [*(package / place).rglob("*.py")] for place in MESSAGES
    }
    assert all(by_place.values())
    files = [path for paths in by_place.values() for path in paths]
    found = {str(path.relative_to(package)): bare for path in files if (bare := bare_errors(path))}
    assert found == {}


def test_sentences_on_ratings_are_messages() -> None:
    """Words of the board are shown on the page, so that a sentence made by an f-string could not be translated."""
    ratings = PROGRAM / "playground" / "ratings"
    for path in ratings.glob("*_words.py"):
        returned = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Return)]
        bare = [ast.unparse(one) for one in returned if isinstance(one.value, ast.JoinedStr)]
        assert bare == [], path.name
