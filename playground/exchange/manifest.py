"""The manifest beside an export: what it holds, what it left out, and how to load it.

Boundary: values in, JSON out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

import playground
from playground.exchange.files import ExportedFile
from playground.exchange.formats import ExportFormat, ExportOptions
from playground.exchange.left_out import LeftOut
from playground.storage.database.migrations import schema_version

HOW_TO_LOAD = {
    ".jsonl": 'datasets.load_dataset("json", data_files="{name}", split="train")',
    ".json": 'json.load(open("{name}", encoding="utf-8"))',
    ".csv": 'pandas.read_csv("{name}", encoding="utf-8-sig", keep_default_na=False)',
    ".parquet": 'pandas.read_parquet("{name}")',
}
"""A line of Python for each container."""

FOR_SPREADSHEETS = (
    "The file begins with a byte order mark, and a text that a spreadsheet would run as a formula has an apostrophe"
    " before it; `import` removes both. Every other file is exact."
)


@dataclass(frozen=True, slots=True)
class Exported:
    """The files of an export, and what it left out."""

    format: str
    votes: int  # that the rows are about, and those left out for another reason than the filter
    left_out: tuple[LeftOut, ...]
    files: tuple[ExportedFile, ...]  # the second has the rows of non-commercial licenses, if they were split

    @property
    def rows(self) -> int:
        """The rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.bytes for file in self.files)

    @property
    def manifest(self) -> Path:
        """The manifest beside the first file."""
        first = self.files[0].path
        return first.with_name(f"{first.name}.manifest.json")


def manifest(exported: Exported, format: ExportFormat, options: ExportOptions, created_at: str) -> bytes:
    """Return the manifest as indented JSON."""
    ending = exported.files[0].path.suffix.lower()
    document: dict[str, Any] = {
        "format": format.name,
        "description": format.description,
        "container": ending.removeprefix("."),
        "counts": {"rows": exported.rows, "votes": exported.votes, "bytes": exported.bytes},
        "left_out": [asdict(left_out) for left_out in exported.left_out],
        "files": [
            {"name": file.path.name, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256}
            for file in exported.files
        ],
        "filter": dict(options.filter.as_mapping()),
        "options": {
            "counted_only": options.counted_only,
            "anonymous": options.anonymous,
            "split_licenses": options.split_licenses,
            "final_by": options.final_by,
        },
        "policy": {"description": options.policy.description, **asdict(options.policy)},
        "playground_version": playground.__version__,
        "schema_version": schema_version(),
        "created_at": created_at,
        "how_to_load": HOW_TO_LOAD[ending].format(name=exported.files[0].path.name),
    }
    if ending == ".csv" and format.for_spreadsheets:
        document["note"] = FOR_SPREADSHEETS
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
