"""``models``: list the models of this playground, and how they would fit this machine.

Boundary: prints the same rows as the API's /models; starts no model.
"""

from __future__ import annotations

import argparse
from typing import Any, TextIO

from playground.arena.line_up import chosen_models
from playground.arena.listing import model_rows
from playground.catalog.catalog import Catalog
from playground.cli.printing import print_json, print_table
from playground.engines.fleet import Fleet
from playground.records import ModelStatus
from playground.settings import Settings, add_flags


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `models`."""
    command.add_argument("--json", action="store_true", help="one JSON array, as the API's /models")
    command.add_argument("--all", action="store_true", help="every card, not only the line-up")
    add_flags(command, "models", "cards", "templates", "memory_gb")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print the rows."""
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    cards = tuple(catalog.cards.values()) if arguments.all else catalog.line_up(chosen_models(catalog, settings))
    fits = Fleet(settings).plan(cards)
    rows = model_rows(cards, [ModelStatus(card.id, "off", placement=fits[card.id].words) for card in cards])
    if arguments.json:
        print_json(rows, out)
        return 0
    heads = ("id", "license", "parameters", "size", "context", "template", "files", "on this machine")
    print_table(heads, (_model_line(row) for row in rows), out)
    return 0


def _model_line(row: dict[str, Any]) -> tuple[str, ...]:
    parameters, size = f"{row['num_parameters'] / 1e6:,.1f} M", f"{row['size_bytes'] / 1e6:,.1f} MB"
    known = (row["id"], row["license"], parameters, size, str(row["context_length"]), row["template"])
    return *known, row["files"], row["placement"]
