"""``models``: the models of this playground.

Boundary: prints the same rows as the API's /models.
"""

from __future__ import annotations

import argparse
from typing import Any, TextIO

from playground.catalog import Catalog
from playground.cli.printing import print_json, print_table
from playground.listing import model_rows
from playground.settings import Settings, add_flags


def add(command: argparse.ArgumentParser) -> None:
    """The arguments of `models`."""
    command.add_argument("--json", action="store_true", help="one JSON array, as the API's /models")
    add_flags(command, "models", "cards", "templates")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print the rows."""
    rows = model_rows(Catalog.load(settings.card_folders, settings.template_folders).line_up(settings.model_ids))
    if arguments.json:
        print_json(rows, out)
        return 0
    print_table(("id", "license", "parameters", "size", "context", "template"), (_model_line(row) for row in rows), out)
    return 0


def _model_line(row: dict[str, Any]) -> tuple[str, ...]:
    parameters, size = f"{row['num_parameters'] / 1e6:,.1f} M", f"{row['size_bytes'] / 1e6:,.1f} MB"
    return row["id"], row["license"], parameters, size, str(row["context_length"]), row["template"]
