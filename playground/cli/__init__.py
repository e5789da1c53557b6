"""The command line: ``python -m playground COMMAND``, a file per command.

Boundary: reads arguments, prints, returns an exit status (0, 1 failed with one clear line, 2 usage, 130 stopped by
Ctrl-C); what it prints is made by the same functions as the API's answers.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from playground.cli import backup, check, erase, export, fetch, key, leaderboard, models, prompt, restore, verify
from playground.errors import PlaygroundError
from playground.settings import read_settings

COMMANDS: tuple[tuple[str, str, Callable[[argparse.ArgumentParser], None]], ...] = (
    ("models", "the models of this playground", models.add),
    ("prompt", "exactly what a model is fed: text and token ids", prompt.add),
    ("check", "whether models are the ones on their cards, point by point", check.add),
    ("fetch", "files of models from the Hugging Face hub onto this machine", fetch.add),
    ("leaderboard", "ratings with intervals and a verdict in words", leaderboard.add),
    ("export", "votes as data", export.add),
    ("key", "a key for a program, so that its votes are its own", key.add),
    ("erase", "the words of one rater, for good", erase.add),
    ("backup", "the database as one file, of one moment, also while the page runs", backup.add),
    ("restore", "votes of a journal back into the database", restore.add),
    ("verify", "whether database and journal are whole and say the same", verify.add),
)


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
