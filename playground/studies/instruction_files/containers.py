"""The rows of an instruction file: JSON Lines, a JSON array, CSV, TSV, Parquet, or text with an instruction per line.

Boundary: a file in, rows out; knows no column. The ending names the container; where it does not, the first line does.
"""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playground.errors import InvalidInstruction, InvalidValue
from playground.exchange.imports.fields import parse_json
from playground.exchange.imports.rows import READERS, FileFacts, FileRow, ReadOptions, read_facts

TEXT = "text"
"""The only column of a file of plain text."""
FIRST_BYTES = 1 << 20
"""The part of a file in which its first line is looked for."""
MAX_LINE_BYTES = 16 << 20
"""The longest line of JSON Lines."""
_BLANKS = b" \t\r\n"

Read = Callable[[FileFacts], Iterator[FileRow]]


@contextmanager
def on_disk(path: Path) -> Iterator[Path]:
    """Yield a file that can be read twice: the path itself, or a copy of a pipe such as /dev/stdin."""
    if path.is_file() or not path.exists():
        yield path
        return
    if path.is_dir():
        raise InvalidInstruction(f"{path} is a folder; name a file")
    with TemporaryDirectory(prefix="playground-") as folder:
        copy = Path(folder, path.name)
        with path.open("rb") as source, copy.open("xb") as target:
            shutil.copyfileobj(source, target)
        yield copy


def facts_of(path: Path) -> tuple[FileFacts, Read]:
    """Return what a file is, and the reader of its rows.

    Raises:
        InvalidValue: it is empty, or has to be UTF-8 as a whole and is not.
        OSError: the file cannot be read.
    """
    ending = path.suffix.lower()
    kind = ending if ending in (".csv", ".tsv", ".parquet") else _kind_of(path, ending)
    return read_facts(path, is_text=kind in (".csv", ".tsv", ".txt")), CONTAINERS[kind]


def _kind_of(path: Path, ending: str) -> str:
    with path.open("rb") as file:
        start = file.read(FIRST_BYTES).removeprefix(codecs.BOM_UTF8).lstrip(_BLANKS)
    if start.startswith(b"[") and ending in (".json", ""):
        return ".json"
    return ".jsonl" if ending in (".json", ".jsonl") or _is_object(start.partition(b"\n")[0]) else ".txt"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except InvalidValue:
        return False


def _read_text(facts: FileFacts) -> Iterator[FileRow]:
    with facts.path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            text = line.removesuffix("\n").removesuffix("\r")
            if text.strip():
                yield FileRow(f"line {number}", 0.0, {TEXT: text})


def _reader(kind: str, delimiter: str = ",") -> Read:
    options = ReadOptions(delimiter=delimiter, most_line_bytes=MAX_LINE_BYTES)
    return lambda facts: READERS[kind](facts, options, lambda columns: None)


CONTAINERS: Mapping[str, Read] = {
    ".jsonl": _reader(".jsonl"),
    ".json": _reader(".json"),
    ".csv": _reader(".csv"),
    ".tsv": _reader(".csv", "\t"),
    ".parquet": _reader(".parquet"),
    ".txt": _read_text,
}
"""The reader of each container."""
