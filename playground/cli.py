"""The command line: ``python -m playground models | prompt | leaderboard | export``.

Boundary: reads arguments, prints, returns an exit status (0, 1 failed with one clear line, 2 usage); what it prints
is made by the same functions as the API's answers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from playground.catalog import Catalog
from playground.clock import utc_now
from playground.errors import InvalidInstruction, PlaygroundError
from playground.exchange import FORMATS, ExportOptions, export
from playground.leaderboard import Leaderboard
from playground.listing import current_leaderboard, model_rows, prompt_document
from playground.records import Instruction
from playground.settings import Settings, add_flags, read_settings
from playground.starters import load_starters
from playground.storage.store import Store


def main(argv: Sequence[str] | None = None, out: TextIO | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = parser().parse_args(argv)
    try:
        settings = read_settings(vars(arguments), os.environ)
        return int(arguments.run(arguments, settings, out or sys.stdout))
    except (PlaygroundError, OSError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The whole command line; each command's `run` default is what it does."""
    whole = argparse.ArgumentParser("python -m playground", description="The playground without its page.")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words, add in COMMANDS:
        command = commands.add_parser(name, help=words, description=words)
        add(command)
    return whole


def _add_models(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON array, as the API's /models")
    add_flags(command, "models", "cards", "templates")
    command.set_defaults(run=_models)


def _add_prompt(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="a card id")
    wanted = command.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--instruction", help="what a visitor would type, taken byte for byte")
    wanted.add_argument("--file", type=Path, metavar="F.jsonl", help="many: one {instruction, input, system} per line")
    command.add_argument("--input", default="")
    command.add_argument("--system", default="")
    command.add_argument("--template", default="", metavar="ID", help="another than the card's; 'plain' adds nothing")
    add_flags(command, "cards", "templates")
    command.set_defaults(run=_prompt)


def _add_leaderboard(command: argparse.ArgumentParser) -> None:
    command.add_argument("--category", default="", help="only votes on starters of this category")
    command.add_argument("--json", action="store_true", help="one JSON document, as the API's /leaderboard")
    add_flags(command, "db", "cards", "templates", "prior_ties")
    command.set_defaults(run=_leaderboard)


def _add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("format", metavar="FORMAT", choices=sorted(FORMATS), help=", ".join(sorted(FORMATS)))
    command.add_argument("path", metavar="PATH", type=Path, help="its ending says the container; replaced if it exists")
    command.add_argument("--blind-only", action="store_true", help="leave out votes given in open mode")
    command.add_argument("--category", default="", help="only instructions of this category")
    command.add_argument("--commercial", action="store_true", help="leave out answers under a non-commercial license")
    command.add_argument("--anonymous", action="store_true", help="number the raters instead of naming them")
    command.add_argument("--json", action="store_true", help="one JSON document: {format, path, rows}")
    add_flags(command, "db")
    command.set_defaults(run=_export)


def _catalog(settings: Settings) -> Catalog:
    return Catalog.load(settings.card_folders, settings.template_folders)


def _print_json(document: Any, out: TextIO) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2), file=out)


def _models(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    rows = model_rows(_catalog(settings).line_up(settings.model_ids))
    if arguments.json:
        _print_json(rows, out)
        return 0
    _print_table(
        ("id", "license", "parameters", "size", "context", "template"), (_model_line(row) for row in rows), out
    )
    return 0


def _model_line(row: dict[str, Any]) -> tuple[str, ...]:
    parameters, size = f"{row['num_parameters'] / 1e6:,.1f} M", f"{row['size_bytes'] / 1e6:,.1f} MB"
    return row["id"], row["license"], parameters, size, str(row["context_length"]), row["template"]


def _print_table(heads: tuple[str, ...], lines: Iterator[tuple[str, ...]], out: TextIO) -> None:
    table = [heads, *lines]
    widths = [max(len(line[i]) for line in table) for i in range(len(heads))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip(), file=out)


def _prompt(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    catalog = _catalog(settings)
    if arguments.file is None:
        instruction = _byte_for_byte(arguments.instruction, arguments.input, arguments.system)
        _print_json(prompt_document(catalog, arguments.model, instruction, arguments.template), out)
        return 0
    failed = False
    with arguments.file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                document = prompt_document(catalog, arguments.model, _instruction_of(line), arguments.template)
            except (PlaygroundError, ValueError, RecursionError) as error:
                failed, document = True, {"line": number, "error": str(error)}
            print(json.dumps(document, ensure_ascii=False), file=out)
    return 1 if failed else 0


def _instruction_of(line: str) -> Instruction:
    """One line of a prompt file."""
    row = json.loads(line)
    if not isinstance(row, dict) or not set(row) <= {"instruction", "input", "system"} or "instruction" not in row:
        raise InvalidInstruction("a line has to be an object with instruction and, if wanted, input and system")
    return _byte_for_byte(row["instruction"], row.get("input", ""), row.get("system", ""))


def _byte_for_byte(instruction: object, input: object, system: object) -> Instruction:
    """Text as it stands; only what no tokenizer could take is refused."""
    for name, text in (("instruction", instruction), ("input", input), ("system", system)):
        if not isinstance(text, str):
            raise InvalidInstruction(f"{name} is {text!r}; it has to be text")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise InvalidInstruction(f"{name} is not valid UTF-8; save the text as UTF-8")
    return Instruction(str(instruction), str(input), str(system))


def _leaderboard(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    with Store(settings.db, read_only=True) as store:
        starters = load_starters(settings.starters_folder)
        board = current_leaderboard(store, settings, _catalog(settings), starters, utc_now(), arguments.category)
    if arguments.json:
        _print_json(board.as_document(), out)
        return 0
    _print_board(board, out)
    return 0


def _print_board(board: Leaderboard, out: TextIO) -> None:
    print(board.verdict, file=out)
    for note in board.notes:
        print(note, file=out)
    if board.rows:
        print(file=out)
        heads = ("rank", "model", "rating", "95 %", "battles", "wins", "all bad", "license")
        _print_table(heads, (_board_line(row) for row in board.rows), out)


def _board_line(row: Any) -> tuple[str, ...]:
    rank = str(row.rank_lower) if row.rank_lower == row.rank_upper else f"{row.rank_lower}–{row.rank_upper}"
    interval = f"{row.rating_lower:.0f}–{row.rating_upper:.0f}"
    wins, bad = f"{row.win_rate:.0%}", f"{row.both_bad_rate:.0%}"
    return rank, row.model, f"{row.rating:.0f}", interval, str(row.battles), wins, bad, row.license


def _export(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    options = ExportOptions(
        blind_only=arguments.blind_only,
        category=arguments.category,
        commercial_only=arguments.commercial,
        anonymous=arguments.anonymous,
    )
    with Store(settings.db, read_only=True) as store:
        rows = export(store, arguments.format, arguments.path, options)
    if arguments.json:
        _print_json({"format": arguments.format, "path": str(arguments.path), "rows": rows}, out)
    else:
        print(f"{rows} rows of {arguments.format} written to {arguments.path}", file=out)
    return 0


COMMANDS: tuple[tuple[str, str, Callable[[argparse.ArgumentParser], None]], ...] = (
    ("models", "the models of this playground", _add_models),
    ("prompt", "exactly what a model is fed: text and token ids", _add_prompt),
    ("leaderboard", "ratings with intervals and a verdict in words", _add_leaderboard),
    ("export", "votes as data", _add_export),
)
