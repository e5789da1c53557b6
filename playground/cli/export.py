"""``export``: write votes as data.

Boundary: reads the database and never writes to it; the formats are those of `exchange`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from playground.cli.database import open_read_only
from playground.cli.filters import add_filter_flags, filter_of
from playground.cli.printing import print_json
from playground.clock import utc_now
from playground.errors import InvalidValue
from playground.exchange import FORMATS, Exported, ExportOptions, export
from playground.exchange.selection import Progress
from playground.ratings.phrases import number_of
from playground.ratings.policy import operator_policy
from playground.records import VoteFilter
from playground.settings import Settings
from playground.settings_sources import add_flags

BAR_DELAY_S = 1.0

SHORT = {"blind_only": ("mode", "blind"), "commercial": ("license", "commercial")}
"""Flags that stand for a condition of the filter."""


def add(command: argparse.ArgumentParser) -> None:
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = "formats:\n" + "\n".join(
        f"  {known.name:<15} {known.description} ({' '.join(known.containers)})" for known in FORMATS.values()
    )
    command.add_argument("format", metavar="FORMAT", choices=tuple(FORMATS), help="one of those below")
    command.add_argument("path", metavar="PATH", type=Path, help="its ending gives the container; replaced if present")
    command.add_argument("--counted-only", action="store_true", help="only votes that count on the leaderboard")
    command.add_argument("--blind-only", action="store_true", help="the same as --mode blind")
    command.add_argument("--commercial", action="store_true", help="the same as --license commercial")
    command.add_argument(
        "--split-licenses",
        action="store_true",
        help="write rows whose licenses do not all allow commercial use to a second file, NAME.other.ENDING",
    )
    command.add_argument("--anonymous", action="store_true", help="number the raters instead of naming them")
    command.add_argument(
        "--json", action="store_true", help="one JSON document: {format, path, rows, bytes, left_out, files, …}"
    )
    add_filter_flags(command)
    add_flags(command, "db", "count_chosen")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Write the votes and print the number of rows, and what is left out."""
    options = ExportOptions(
        filter=_filter(arguments),
        counted_only=arguments.counted_only,
        anonymous=arguments.anonymous,
        split_licenses=arguments.split_licenses,
        policy=operator_policy(settings),
        final_by=utc_now(),
    )
    FORMATS[arguments.format].check_container(arguments.path.suffix.lower())
    with open_read_only(settings.db) as store, _progress_bar() as progress:
        exported = export(store, arguments.format, arguments.path, options, progress=progress)
    if arguments.json:
        print_json(document(exported), out)
        return 0
    for file in exported.files:
        print(f"{number_of('row', file.rows)} of {arguments.format} written to {file.path}", file=out)
    for left_out in exported.left_out:
        print(left_out, file=out)
    return 0


def document(exported: Exported) -> dict[str, Any]:
    """Return the result as JSON values; `path` is the first file."""
    values = {name: getattr(exported, name) for name in ("format", "rows", "votes", "bytes")}
    left_out = [asdict(one) for one in exported.left_out]
    files = [{**asdict(file), "path": str(file.path)} for file in exported.files]
    paths = {"path": str(exported.files[0].path), "manifest": str(exported.manifest)}
    return {**values, "left_out": left_out, "files": files, **paths}


def _filter(arguments: argparse.Namespace) -> VoteFilter:
    """Return the filter with the short flags.

    Raises:
        InvalidValue: a value that is not valid, or a short flag that contradicts its long one.
    """
    found = filter_of(arguments)
    for flag, (name, value) in SHORT.items():
        if getattr(arguments, flag):
            if getattr(found, name) not in ("", value):
                raise InvalidValue(
                    f"--{flag.replace('_', '-')} and --{name} {getattr(found, name)} exclude each other; give one"
                )
            found = replace(found, **{name: value})
    return found


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """Show progress on standard error if it is a terminal."""
    how = {"unit": " votes", "unit_scale": True, "leave": False, "disable": None, "delay": BAR_DELAY_S}
    with tqdm(desc="export", file=sys.stderr, **how) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
