"""The marker file of a built folder: what was written, and a fingerprint of the code in it.

The fingerprint tells which code a running Space has: ``/health`` shows it, and ``space check`` compares it.

Boundary: reads files; knows nothing of what they mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from playground.errors import InvalidValue

MARKER = ".space-build.json"
FINGERPRINT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Marker:
    """A build: its kind, the fingerprint of its code, and the hash of each file by path."""

    kind: str
    code: str
    files: Mapping[str, str]

    def text(self) -> str:
        """Return the content of the file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def read_marker(folder: Path) -> Marker | None:
    """Return the marker of a folder; None without one.

    Raises:
        InvalidValue: the file is not a marker.
    """
    try:
        document = json.loads((folder / MARKER).read_text("utf-8"))
        files = {str(path): str(digest) for path, digest in document["files"].items()}
        return Marker(str(document["kind"]), str(document["code"]), files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidValue(
            f"{folder / MARKER} cannot be read as the record of an earlier build; build into a new folder"
        ) from error


def digest(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def fingerprint(files: Mapping[str, str]) -> str:
    """Return a short hash of files, given as hash by path."""
    whole = hashlib.sha256()
    for path, digest_ in sorted(files.items()):
        whole.update(f"{path}\0{digest_}\n".encode())
    return whole.hexdigest()[:FINGERPRINT_DIGITS]


def built_code(folder: Path) -> str:
    """Return the fingerprint that a built folder names; "" for a folder that was not built."""
    try:
        marker = read_marker(folder)
    except InvalidValue:
        return ""
    return "" if marker is None else marker.code
