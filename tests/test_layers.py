"""The map in the README is the order of the layers: a file imports only from rooms above it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "playground"
FILES = sorted(p for p in PACKAGE.rglob("*.py"))

HEAVY = {"torch", "transformers", "accelerate"}
WORKER_SIDE = (
    *(
        f"playground/engines/local/{name}.py"
        for name in (
            *("forkserver", "worker", "inspection", "golden"),
            *("loading", "staging", "configuration", "refusals", "vocabulary"),
            *("decode", "recording", "alone", "slots", "sampling", "noise", "memory", "offload"),
        )
    ),
    "playground/pocket/",
)


def rooms_of_the_map() -> list[str]:
    """Names in the README's map under ``playground/``, top to bottom, without endings."""
    block = re.search(r"```\nplayground/\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    return [m.rstrip("/").removesuffix(".py") for m in re.findall(r"^  (\S+)", block.group(1), re.MULTILINE)]


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Dotted names of everything that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "playground":
                found |= {f"playground.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_imports_only_from_rooms_above_it(path: Path) -> None:
    order = rooms_of_the_map()
    here = room(path)
    if here in ("__init__", "__main__"):
        return
    assert here in order, f"{here} is missing in the README's map"
    for name in imports(path):
        if name.startswith("playground."):
            there = name.split(".")[1]
            assert there == here or order.index(there) < order.index(here), f"{here} imports {there}, which is below it"


def test_the_map_names_nothing_that_is_not_there() -> None:
    for name in rooms_of_the_map():
        assert (PACKAGE / name).exists() or (PACKAGE / f"{name}.py").exists(), name


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    where = path.relative_to(ROOT).as_posix()
    tops = {name.split(".")[0] for name in imports(path)}
    if not where.startswith(WORKER_SIDE):
        assert not tops & HEAVY, f"{where} imports a model library"
    if not where.startswith("playground/ui/"):
        assert "gradio" not in tops
    if not where.startswith("playground/storage/"):
        assert not tops & {"sqlite3", "sqlite_utils"}
        assert not re.search(r"\b(SELECT .* FROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b", path.read_text()), where


def test_importing_the_app_loads_no_model_library() -> None:
    code = "import sys, app; print([m for m in ('torch', 'transformers', 'accelerate') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
