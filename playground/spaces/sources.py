"""The files of the playground that a Space needs: the program, the prompts and the pocket models' weights.

Boundary: reads the checkout; leaves out tests, documentation, benchmarks, the training of the pocket models, caches and
every hidden file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import playground
from playground.spaces.marker import digest, fingerprint

ROOT = Path(playground.__file__).parent.parent
"""The folder of `app.py`."""
FOLDERS = ("playground", "prompts")
FILES = ("app.py", "LICENSE")
TRAINING = "playground/pocket"
WEIGHTS = "playground/pocket/weights"
CACHES = ("__pycache__",)
ENDINGS_LEFT_OUT = (".pyc", ".pyi")


def code_files(root: Path = ROOT) -> dict[str, bytes]:
    """Return the content of each file that a Space runs, by path, in order."""
    return {path: (root / path).read_bytes() for path in sorted(_paths(root))}


def code_fingerprint(root: Path = ROOT) -> str:
    """Return the fingerprint of the code that a Space built from this checkout would run."""
    return fingerprint({path: digest(content) for path, content in code_files(root).items()})


def _paths(root: Path) -> Iterator[str]:
    yield from FILES
    for folder in FOLDERS:
        for file in (root / folder).rglob("*"):
            path = file.relative_to(root)
            if file.is_file() and _is_needed(path):
                yield path.as_posix()


def _is_needed(path: Path) -> bool:
    name = path.as_posix()
    if any(part.startswith(".") or part in CACHES for part in path.parts) or path.suffix in ENDINGS_LEFT_OUT:
        return False
    return not name.startswith(f"{TRAINING}/") or name.startswith(f"{WEIGHTS}/")
