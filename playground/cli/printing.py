"""Output of the commands: one JSON document, text, or a table.

Boundary: writes to the stream that it is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO


def print_json(document: Any, out: TextIO) -> None:
    """Print one indented JSON document; non-ASCII letters are not escaped."""
    print(json.dumps(document, ensure_ascii=False, indent=2), file=out)


def print_result(document: Any, text: str, as_json: bool, out: TextIO) -> None:
    """Print the result of a command as one JSON document or as text."""
    if as_json:
        print_json(document, out)
    else:
        print(text, file=out)


def print_table(heads: tuple[str, ...], lines: Iterator[tuple[str, ...]], out: TextIO) -> None:
    """Print columns as wide as their widest cell, two spaces apart."""
    table = [heads, *lines]
    widths = [max(len(line[i]) for line in table) for i in range(len(heads))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip(), file=out)
