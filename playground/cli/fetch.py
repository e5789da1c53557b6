"""``fetch``: the files of models from the hub onto this machine.

Boundary: knows cards and hub ids, and prints; the download is `hub`'s.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from playground import hub
from playground.catalog.catalog import Catalog
from playground.cli.printing import print_json
from playground.errors import PlaygroundError
from playground.settings import Settings, add_flags

INTERRUPTED = 130
"""Exit status of a program that Ctrl-C ended."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model whose files are here, as one row of the command's document."""

    model: str
    repo: str
    revision: str  # commit, or what the card of a local folder says
    folder: str
    bytes: int


def add(command: argparse.ArgumentParser) -> None:
    """The arguments of `fetch`."""
    command.add_argument("models", nargs="+", metavar="MODEL", help="a card id, or org/name or org/name@revision")
    command.add_argument("--json", action="store_true", help="one array of {model, repo, revision, folder, bytes}")
    add_flags(command, "cards", "templates")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Fetch one model after the other; one that fails does not keep the next from being tried."""
    # its warnings would come between the bar and the one clear line
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    rows: list[Fetched] = []
    try:
        for model in arguments.models:
            rows += _tried(catalog, model, None if arguments.json else out)
    except KeyboardInterrupt:
        print("fetch: stopped; files that are complete are kept, the same command downloads the rest", file=sys.stderr)
        return INTERRUPTED
    if arguments.json:
        print_json([asdict(row) for row in rows], out)
    return 0 if len(rows) == len(arguments.models) else 1


def _tried(catalog: Catalog, model: str, out: TextIO | None) -> Iterator[Fetched]:
    """The row of `model`, or one line that says why there is none."""
    try:
        repo, revision = _source(catalog, model)
        is_local = Path(repo).is_absolute()
        row = _local(model, repo, revision) if is_local else _fetched(model, repo, revision)
    except (PlaygroundError, OSError) as error:
        print(f"fetch: {error}", file=sys.stderr)
        return
    if out is not None:
        words = "nothing has to be fetched, its files are in" if is_local else f"{row.revision} in"
        print(f"{model}: {words} {row.folder} ({row.bytes / 1e6:,.1f} MB)", file=out)
    yield row


def _source(catalog: Catalog, model: str) -> tuple[str, str]:
    """Repository and revision of a card, or of a hub id that no card is needed for."""
    if "/" not in model:
        card = catalog.card(model)
        return card.repo, card.revision
    repo, _, revision = model.partition("@")
    return repo, revision or "main"


def _local(model: str, repo: str, revision: str) -> Fetched:
    return Fetched(model, repo, revision, repo, hub.folder_bytes(Path(repo)))


def _fetched(model: str, repo: str, revision: str) -> Fetched:
    folder = hub.fetch(repo, revision)
    return Fetched(model, repo, folder.name, str(folder), hub.folder_bytes(folder))
