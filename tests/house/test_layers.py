"""The layers: import-linter and ruff hold the imports, and the README's map shows what is there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.support.paths import ROOT

PACKAGE = ROOT / "playground"
SQL = re.compile(r"\b(SELECT .* FROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b")


def names_in_the_map() -> list[str]:
    """Names in the README's map directly under ``playground/``, top to bottom, without endings."""
    block = re.search(r"```\nplayground/\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    entries = re.findall(r"^  (\S+(?:, \S+)*)  ", block.group(1), re.MULTILINE)
    return [name.rstrip("/").removesuffix(".py") for entry in entries for name in entry.split(", ")]


def layers() -> list[str]:
    """Packages of the import contract, lowest first."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contract = next(c for c in tools["importlinter"]["contracts"] if c["id"] == "layers")
    return [name for layer in reversed(contract["layers"]) for name in layer.split(" | ")]


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_map_shows_the_layers_in_their_order() -> None:
    assert sorted(names_in_the_map()) == sorted(layers())
    order = {name: number for number, name in enumerate(layers())}
    packages = [name for name in names_in_the_map() if name not in ("cli", "pocket")]  # these know not each other
    assert packages == sorted(packages, key=order.__getitem__)


def test_sql_stands_only_in_storage() -> None:
    elsewhere = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "storage"]
    assert [path for path in elsewhere if SQL.search(path.read_text())] == []


def test_importing_the_app_loads_no_model_library() -> None:
    code = "import sys, app; print([m for m in ('torch', 'transformers', 'accelerate') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
