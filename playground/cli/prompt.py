"""``prompt``: print the exact text and token ids of a model's prompt, for one instruction or a file of them.

Boundary: takes text byte for byte, which a page cannot; the document is the API's /prompt.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TextIO

from playground.arena.listing import prompt_document
from playground.catalog.catalog import Catalog
from playground.cli.printing import print_json
from playground.errors import InvalidInstruction, PlaygroundError
from playground.ratings.phrases import number_of
from playground.records import Instruction
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.studies.instruction_files import BadRow, InstructionFile, open_file, read_overrides

MAX_CHARS = 1_000_000
"""The longest text that is made a prompt of."""


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="a card id, a folder, or a hub id that was fetched")
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--instruction", help="the instruction, taken byte for byte")
    source.add_argument(
        "--file", type=Path, metavar="F", help="an instruction file: .jsonl, .json, .csv, .tsv, .parquet or text"
    )
    add_field(command)
    command.add_argument("--input", default="")
    command.add_argument("--system", default="")
    command.add_argument(
        "--template",
        default="",
        metavar="ID",
        help="instead of the card's, or of one that a folder lacks; 'plain' adds nothing",
    )
    command.add_argument("--json", action="store_true", help="one JSON document, one per line of a file; as without it")
    add_flags(command, "cards", "templates")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print one document, or one per line of the file; return 1 if a line could not be read."""
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    if arguments.file is None:
        instruction = _byte_for_byte(arguments.instruction, arguments.input, arguments.system)
        document = prompt_document(catalog, arguments.model, instruction, arguments.template)
        for note in document.get("notes", ()):
            print(f"{arguments.model}: {note}", file=sys.stderr)
        print_json(document, out)
        return 0
    with open_file(arguments.file, read_overrides(arguments.field)) as file:
        print(f"{arguments.file}: {file.columns.words}", file=sys.stderr)
        return _print_every(file, catalog, arguments, out)


def _print_every(file: InstructionFile, catalog: Catalog, arguments: argparse.Namespace, out: TextIO) -> int:
    failed, turns_left_out = False, 0
    for row in file.rows():
        try:
            if isinstance(row, BadRow):
                raise InvalidInstruction(row.error)
            turns_left_out += row.turns_left_out
            asked = row.instruction
            instruction = _byte_for_byte(asked.instruction, asked.input, asked.system)
            document = prompt_document(catalog, arguments.model, instruction, arguments.template)
        except PlaygroundError as error:
            failed, document = True, {"line": int(row.place.rpartition(" ")[2]), "error": str(error)}
        print(json.dumps(document, ensure_ascii=False), file=out)
    if turns_left_out:
        print(
            f"{arguments.file}: {number_of('more turn', turns_left_out)} left out: one per row is used", file=sys.stderr
        )
    return 1 if failed else 0


def add_field(command: argparse.ArgumentParser) -> None:
    """Add the flag that names columns of an instruction file."""
    command.add_argument(
        "--field",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="the column of instruction, input, system, category or id, such as instruction=query; repeatable",
    )


def _byte_for_byte(instruction: object, input: object, system: object) -> Instruction:
    """Return the text unchanged; refuse only what no tokenizer can encode."""
    for name, text in (("instruction", instruction), ("input", input), ("system", system)):
        if not isinstance(text, str):
            raise InvalidInstruction(f"{name} is {text!r}; it has to be text")
        if len(text) > MAX_CHARS:
            raise InvalidInstruction(f"{name} is {len(text):,} characters long; at most {MAX_CHARS:,}")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise InvalidInstruction(f"{name} is not valid UTF-8; save the text as UTF-8")
    return Instruction(str(instruction), str(input), str(system))
