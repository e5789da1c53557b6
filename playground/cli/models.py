"""``models``: list the models of this playground, and how they would fit this machine.

Boundary: prints the same rows as the API's /models; starts no model.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any, TextIO

from playground.arena.ledger import read_ledger
from playground.arena.line_up import chosen_models
from playground.arena.listing import model_rows
from playground.catalog.catalog import Catalog
from playground.cli.database import open_read_only
from playground.cli.printing import print_json, print_table
from playground.clock import utc_now
from playground.engines.fleet import Fleet
from playground.records import LedgerEntry, ModelStatus
from playground.settings import Settings
from playground.settings_sources import add_flags


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `models`."""
    command.add_argument("--json", action="store_true", help="one JSON array, as the API's /models")
    command.add_argument("--all", action="store_true", help="every card, not only the line-up")
    command.add_argument("--ledger", action="store_true", help="every model and variant ever tested, with its battles")
    add_flags(command, "db", "models", "cards", "templates", "memory_gb")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print the rows."""
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    if arguments.ledger:
        return _print_ledger(arguments.json, catalog, settings, out)
    cards = tuple(catalog.cards.values()) if arguments.all else catalog.line_up(chosen_models(catalog, settings))
    for card in cards if settings.model_ids else ():
        catalog.check_files(card)
    fits = Fleet(settings).plan(cards)
    rows = model_rows(cards, [ModelStatus(card.id, "off", placement=fits[card.id].words) for card in cards])
    if arguments.json:
        print_json(rows, out)
        return 0
    heads = ("id", "license", "parameters", "size", "context", "template", "files", "on this machine")
    print_table(heads, (_model_line(row) for row in rows), out)
    print("\nline-ups, for --models and fetch:", file=out)
    for name, line_up in catalog.line_ups.items():
        print(f"{name}: {line_up.description} {', '.join(line_up.models)}", file=out)
    return 0


def _print_ledger(as_json: bool, catalog: Catalog, settings: Settings, out: TextIO) -> int:
    """Print the ledger; chances of pairs are known to a running playground only, so they are uniform here."""
    models = [card.id for card in catalog.line_up(chosen_models(catalog, settings))]
    with open_read_only(settings.db) as store:
        ledger = read_ledger(store, catalog, models, utc_now(), None)
    if as_json:
        print_json(asdict(ledger), out)
        return 0
    print(f"models ever tested here: {ledger.models_ever}, answering now: {ledger.models_here}", file=out)
    heads = ("model", "revision", "template", "dtype", "first", "last", "battles", "drawn", "state")
    print_table(heads, map(_ledger_line, ledger.entries), out)
    return 0


def _ledger_line(entry: LedgerEntry) -> tuple[str, ...]:
    state = "here" if entry.is_here else f"retired: {entry.why_retired or 'no reason is given'}"
    variant = entry.variant
    if variant is None:
        return (entry.model, *["–"] * 7, state)
    known = (variant.revision or "–", variant.template or "–", variant.dtype or "–")
    days = (variant.first_day, variant.last_day)
    return (entry.model, *known, *days, str(variant.battles), str(variant.drawn), state)


def _model_line(row: dict[str, Any]) -> tuple[str, ...]:
    parameters, size = f"{row['num_parameters'] / 1e6:,.1f} M", f"{row['size_bytes'] / 1e6:,.1f} MB"
    known = (row["id"], row["license"], parameters, size, str(row["context_length"]), row["template"])
    return *known, row["files"], row["placement"]
