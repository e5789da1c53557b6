"""``prompt``: print the exact text and token ids of a model's prompt, for one instruction or a file of them.

Boundary: takes text byte for byte, which a page cannot; the document is the API's /prompt.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from playground.arena.listing import prompt_document
from playground.catalog.catalog import Catalog
from playground.cli.printing import print_json
from playground.errors import InvalidInstruction, PlaygroundError
from playground.records import Instruction
from playground.settings import Settings, add_flags

MAX_LINE_CHARS = 1_000_000


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="a card id")
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--instruction", help="the instruction, taken byte for byte")
    source.add_argument(
        "--file", type=Path, metavar="F.jsonl", help="a file: one {instruction, input, system} per line"
    )
    command.add_argument("--input", default="")
    command.add_argument("--system", default="")
    command.add_argument("--template", default="", metavar="ID", help="instead of the card's; 'plain' adds nothing")
    add_flags(command, "cards", "templates")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print one document, or one per line of the file; return 1 if a line could not be read."""
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    if arguments.file is None:
        instruction = _byte_for_byte(arguments.instruction, arguments.input, arguments.system)
        print_json(prompt_document(catalog, arguments.model, instruction, arguments.template), out)
        return 0
    failed, number = False, 0
    with arguments.file.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(_lines(file), start=1):
            try:
                document = prompt_document(catalog, arguments.model, _instruction_of(line), arguments.template)
            except (PlaygroundError, ValueError, RecursionError) as error:
                failed, document = True, {"line": number, "error": str(error)}
            print(json.dumps(document, ensure_ascii=False), file=out)
    if not number:
        raise InvalidInstruction(f"{arguments.file} is empty; write one {{instruction, input, system}} per line")
    return 1 if failed else 0


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file of any size; of a line that is too long only the beginning."""
    while line := file.readline(MAX_LINE_CHARS):
        rest = line
        while len(rest) == MAX_LINE_CHARS and not rest.endswith("\n"):
            rest = file.readline(MAX_LINE_CHARS)
        yield line


def _instruction_of(line: str) -> Instruction:
    if len(line) == MAX_LINE_CHARS:
        raise InvalidInstruction(f"the line is too long; at most {MAX_LINE_CHARS - 1:,} characters")
    row = json.loads(line)
    if not isinstance(row, dict) or not set(row) <= {"instruction", "input", "system"} or "instruction" not in row:
        raise InvalidInstruction("a line must be an object with instruction and optionally input and system")
    return _byte_for_byte(row["instruction"], row.get("input", ""), row.get("system", ""))


def _byte_for_byte(instruction: object, input: object, system: object) -> Instruction:
    """Return the text unchanged; refuse only what no tokenizer can encode."""
    for name, text in (("instruction", instruction), ("input", input), ("system", system)):
        if not isinstance(text, str):
            raise InvalidInstruction(f"{name} is {text!r}; it has to be text")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise InvalidInstruction(f"{name} is not valid UTF-8; save the text as UTF-8")
    return Instruction(str(instruction), str(input), str(system))
