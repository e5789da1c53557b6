"""``publish``: write the votes as a public dataset, to a folder or to the hub.

Boundary: reads the database and never writes to it, so that it works while the page runs; `publishing` decides what is
published.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from playground.cli.database import open_read_only
from playground.cli.printing import print_result
from playground.cli.progress import progress_bar
from playground.clock import utc_now
from playground.errors import InvalidValue
from playground.publishing.contents import LEFT_OUT
from playground.publishing.held_back import HeldBack, held_back, release, releases_path
from playground.publishing.hub import Dataset
from playground.publishing.publication import Publication, preview, publish
from playground.publishing.pushing import AGAIN
from playground.ratings.phrases import number_of
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.storage.database.store import Store

MOST_LISTED = 20
"""Battles that are listed as text; ``--json`` lists all."""


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("--to", metavar="DIR", type=Path, help="write a folder; an earlier publication is replaced")
    command.add_argument("--repo", metavar="ORG/NAME", default="", help="the public dataset; default: the setting")
    command.add_argument("--dry-run", action="store_true", help="print what would be published and held back")
    command.add_argument(
        "--release", metavar="BATTLE", nargs="+", help="publish these battles although they are held back"
    )
    command.add_argument("--json", action="store_true", help="one JSON document: the manifest, held_back and pushed")
    add_flags(command, "db", "count_chosen", "prior", "publication")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Publish, and print counts and what is held back."""
    repo = arguments.repo or ("" if arguments.to else settings.publication)
    if not (arguments.to or repo or arguments.dry_run or arguments.release):
        raise InvalidValue(
            "name a folder (--to DIR) or a dataset of the hub (--repo ORG/NAME, or PLAYGROUND_PUBLICATION)"
        )
    with open_read_only(settings.db) as store:
        if arguments.release:
            _release(store, settings, arguments.release)
        if arguments.dry_run or not (arguments.to or repo):
            document, lines = _preview(store, settings)
        else:
            with progress_bar("publish") as progress:
                dataset = Dataset(repo, again=AGAIN) if repo else None
                made = publish(store, settings, utc_now(), to=arguments.to, dataset=dataset, progress=progress)
            document, lines = _document(made), _report(made)
    print_result(document, "\n".join(lines), arguments.json, out)
    return 0


def _release(store: Store, settings: Settings, battle_ids: list[str]) -> None:
    with store.reading() as reading:
        release(releases_path(settings.db), battle_ids, list(held_back(reading)))


def _preview(store: Store, settings: Settings) -> tuple[Mapping[str, Any], list[str]]:
    contents = preview(store, settings, utc_now())
    document = {
        "votes": contents.votes,
        "pairs": contents.pairs,
        "left_out": dict(contents.left_out),
        "held_back": [asdict(reason) for reason in contents.held_back],
    }
    found = number_of("vote", contents.votes)
    return document, [f"would publish {found}", *_left_out(contents.left_out), *_held_back(contents.held_back)]


def _document(made: Publication) -> Mapping[str, Any]:
    pushed = None if made.pushed is None else asdict(made.pushed)
    folder = None if made.folder is None else str(made.folder)
    return {
        "folder": folder,
        "pushed": pushed,
        "manifest": made.manifest,
        "held_back": [asdict(reason) for reason in made.held_back],
    }


def _report(made: Publication) -> list[str]:
    counts, files = made.manifest["counts"], made.manifest["files"]
    size = sum(entry["size_bytes"] for entry in files.values())
    what = f"{number_of('vote', counts['votes'])} of {number_of('rater', counts['raters'])}, {size / 1e6:.1f} MB"
    lines = [f"{made.folder}: {what}"] if made.folder else []
    if made.pushed is not None:
        lines.append(f"{made.pushed.repo}: {what}" + ("" if made.pushed.changed else "; it held the same already"))
        if made.pushed.squashed:
            lines.append(
                "something was erased, hidden or held back since the last time: earlier revisions were removed"
            )
        if made.pushed.private:
            lines.append("the dataset is private; make it public in its settings on the hub")
    return [*lines, *_left_out(made.manifest["left_out"]), *_held_back(made.held_back)]


def _left_out(left_out: Mapping[str, int]) -> Iterator[str]:
    for reason, votes in left_out.items():
        yield f"left out: {number_of('vote', votes)} {LEFT_OUT[reason]}"


def _held_back(found: tuple[HeldBack, ...]) -> Iterator[str]:
    for reason in found[:MOST_LISTED]:
        yield f"  {reason.battle_id}  {reason.field}: {reason.kind} {reason.masked}"
    if len(found) > MOST_LISTED:
        yield f"  and {len(found) - MOST_LISTED} more; --json lists all"
    if found:
        yield "read them; hide a battle that is personal, or publish one that is not: publish --release BATTLE"
