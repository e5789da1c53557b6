"""``fetch``: download the files of models from the hub.

Boundary: knows cards and hub ids, and prints; `hub` downloads.
"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from playground import hub
from playground.catalog.catalog import Catalog
from playground.cli.printing import print_json
from playground.errors import PlaygroundError
from playground.settings import Settings
from playground.settings_sources import add_flags

INTERRUPTED = 130
"""The exit status after Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model whose files are on this machine, as one object of the JSON output."""

    model: str
    repo: str
    revision: str  # the commit; of a local folder, the card's revision
    folder: str
    bytes: int


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `fetch`."""
    command.add_argument(
        "models", nargs="+", metavar="MODEL", help="a card id, a line-up, or org/name or org/name@revision"
    )
    command.add_argument("--json", action="store_true", help="one array of {model, repo, revision, folder, bytes}")
    add_flags(command, "cards", "templates")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Fetch one model after the other; continue after one that fails."""
    # its warnings would mix with the progress bars and our one line for an error
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    models = list(catalog.members(arguments.models))
    rows: list[Fetched] = []
    try:
        for model in models:
            row = _fetch(catalog, model, None if arguments.json else out)
            rows += [row] if row else []
    except KeyboardInterrupt:
        print("fetch: stopped; files that are complete are kept, the same command downloads the rest", file=sys.stderr)
        return INTERRUPTED
    if arguments.json:
        print_json([asdict(row) for row in rows], out)
    return 0 if len(rows) == len(models) else 1


def _fetch(catalog: Catalog, model: str, out: TextIO | None) -> Fetched | None:
    """Return the result for `model`, or print one line with the error."""
    try:
        repo, revision = _source(catalog, model)
        is_local = Path(repo).is_absolute()
        folder = Path(repo) if is_local else hub.fetch(repo, revision)
        row = Fetched(model, repo, revision if is_local else folder.name, str(folder), hub.folder_bytes(folder))
    except (PlaygroundError, OSError) as error:
        print(f"fetch: {error}", file=sys.stderr)
        return None
    if out is not None:
        text = "nothing has to be fetched, its files are in" if is_local else f"{row.revision} in"
        print(f"{model}: {text} {row.folder} ({row.bytes / 1e6:,.1f} MB)", file=out)
    return row


def _source(catalog: Catalog, model: str) -> tuple[str, str]:
    """Return repository and revision of a card or a hub id."""
    if "/" not in model:
        card = catalog.member(model)
        return card.repo, card.revision
    repo, _, revision = model.partition("@")
    return repo, revision or "main"
