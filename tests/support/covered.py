"""Write docs/covered.md from the promises in promises.toml and the marks of the tests.

Run ``python -m tests.support.covered``.

Boundary: reads test files without importing them.
"""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.paths import TESTS

FOLDER = TESTS
DOCUMENT = FOLDER.parent / "docs" / "covered.md"
MARK = "proves"
SECTIONS = {
    "instructions": "Bad input: instructions",
    "requests": "Bad input: requests",
    "files": "Bad input: files",
    "faults": "Faults",
}
HEAD = """# What is covered

Every bad input and every fault that the playground promises to withstand, with the tests that prove it. Made by
`python -m tests.support.covered` from the marks of the tests; a test holds this page against them. An acknowledged
vote is present exactly once after each, and the page answers.
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that proves a promise."""

    file: str
    name: str

    def __str__(self) -> str:
        return f"{self.name.removeprefix('test_').replace('_', ' ')} ([{self.file}](../tests/{self.file}))"


def promises() -> Mapping[str, list[str]]:
    """Return the promises by section."""
    return tomllib.loads((FOLDER / "promises.toml").read_text("utf-8"))


def proofs() -> Mapping[str, list[Proof]]:
    """Return the tests that prove each promise, in the order of files and lines."""
    found = defaultdict(list)
    for path in sorted(FOLDER.rglob("test_*.py")):
        for test, promise in _marked(ast.parse(path.read_text("utf-8"))):
            found[promise].append(Proof(path.relative_to(FOLDER).as_posix(), test))
    return found


def _marked(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{MARK}":
                    yield from ((node.name, ast.literal_eval(argument)) for argument in decorator.args)


def document(proven: Mapping[str, list[Proof]]) -> str:
    """Return the text of docs/covered.md."""
    parts = [HEAD]
    for section, lines in promises().items():
        parts.append(f"\n## {SECTIONS[section]}\n")
        for promise in lines:
            parts.append(f"\n- **{promise}**\n" + "".join(f"  - {proof}\n" for proof in proven[promise]))
    return "".join(parts)


if __name__ == "__main__":
    DOCUMENT.write_text(document(proofs()), "utf-8")
