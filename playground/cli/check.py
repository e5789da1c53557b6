"""``check``: test that models are the ones on their cards, point by point.

Boundary: examines card, template and tokenizer; the engine examines the weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TextIO

from playground.catalog.catalog import Catalog
from playground.catalog.model_folders import tokenizer_words
from playground.cli.printing import print_json
from playground.engines.fleet import Fleet
from playground.engines.protocol import FilePoint
from playground.errors import PlaygroundError
from playground.prompting.templates import SERVER_ID
from playground.records import Instruction, ModelCard
from playground.settings import Settings
from playground.settings_sources import add_flags

EXAMPLE = Instruction("What is an alpaca?")


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `check`."""
    command.add_argument("models", nargs="+", metavar="MODEL", help="a card id, a folder, or a hub id that was fetched")
    command.add_argument("--json", action="store_true", help="one array of {model, ok, points: [{name, ok, words}]}")
    command.add_argument(
        "--template", default="", metavar="ID", help="instead of the card's, or of one that a folder lacks"
    )
    add_flags(command, "cards", "templates", "threads")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Check one model after the other; return 1 if one of them fails."""
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    documents = []
    for name in catalog.members(arguments.models):
        points = []
        for point in _points(catalog, name, arguments.template, settings):
            points.append(point)
            if not arguments.json:
                _print(name, point, out, first=len(points) == 1)
        documents.append({"model": name, "ok": all(p.ok for p in points), "points": [asdict(p) for p in points]})
    if arguments.json:
        print_json(documents, out)
    return 0 if all(document["ok"] for document in documents) else 1


def _points(catalog: Catalog, name: str, template_id: str, settings: Settings) -> Iterator[FilePoint]:
    """Yield every point in order, up to the first failure."""
    try:
        card = catalog.member(name, template_id)
    except PlaygroundError as problem:
        yield FilePoint("card", False, str(problem))
        return
    yield FilePoint("card", True, f"{card.name}, {card.architecture}, {card.dtype}, license {card.license}")
    try:
        point = _prompt(catalog, card, template_id)
    except PlaygroundError as problem:
        yield FilePoint("prompt", False, str(problem))
        return
    yield point
    elsewhere = FilePoint("engine", True, f"{card.engine}: its weights are not here, so they were not checked")
    weights = Fleet(settings).check(card)
    yield next(weights, elsewhere)
    yield from weights


def _prompt(catalog: Catalog, card: ModelCard, template_id: str) -> FilePoint:
    prompt = catalog.prompt(card.id, EXAMPLE, template_id)
    if prompt.template_id == SERVER_ID:
        return FilePoint("prompt", True, "messages, which its server puts into a chat template of its own")
    size = f"{catalog.tokenizer_of(card, template_id).vocab_size:,} ids"
    words = f"template {prompt.template_id}, {size}; an example has {prompt.num_tokens} tokens"
    source = tokenizer_words(replace(card, template=template_id or card.template))
    return FilePoint("prompt", True, "; ".join(filter(None, (words, source))))


def _print(name: str, point: FilePoint, out: TextIO, first: bool) -> None:
    if first:
        print(name, file=out)
    print(f"  {'ok' if point.ok else 'FAILED':<6}  {point.name:<13}  {point.words}", file=out, flush=True)
