"""The command line: ``python -m playground COMMAND``, a file per command.

Boundary: reads arguments, prints, returns an exit status (0, 1 failed with one clear line, 2 usage, 130 stopped by
Ctrl-C); the documents that it prints are the API's.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from playground.cli import (
    agreement,
    backup,
    check,
    erase,
    export,
    fetch,
    generate,
    import_,
    key,
    leaderboard,
    models,
    prompt,
    publish,
    replay,
    report,
    restore,
    space,
    study,
    verify,
)
from playground.errors import PlaygroundError
from playground.settings_sources import read_settings

COMMANDS: tuple[tuple[str, str, Callable[[argparse.ArgumentParser], None]], ...] = (
    ("models", "list the models of this playground", models.add),
    ("prompt", "print the exact text and token ids of a prompt", prompt.add),
    ("check", "check point by point that models match their cards", check.add),
    ("fetch", "download models from the Hugging Face hub", fetch.add),
    ("generate", "write every model's answer to every instruction of a file", generate.add),
    ("replay", "write the answers of stored battles again, and compare them", replay.add),
    ("study", "plan, create and watch a study, and make its links", study.add),
    ("leaderboard", "print ratings with intervals and a verdict", leaderboard.add),
    ("agreement", "print how far raters agree, with each other and with themselves", agreement.add),
    ("export", "write votes as data", export.add),
    ("report", "write ranking, votes and method as one HTML file that needs no network", report.add),
    ("import", "add the votes of a file", import_.add),
    ("key", "create a key for a program, so that its votes are its own", key.add),
    ("erase", "erase the text of one rater for good", erase.add),
    ("backup", "copy the database to one file, also while the page runs", backup.add),
    ("publish", "write the votes as a public dataset, to a folder or to the hub", publish.add),
    ("restore", "restore the votes of a journal to the database", restore.add),
    ("verify", "check that database and journal agree, or a published dataset", verify.add),
    ("space", "write the folder of a Hugging Face Space, or check a running one", space.add),
)


def main(argv: Sequence[str] | None = None, out: TextIO | None = None) -> int:
    """Run one command and return the exit status."""
    arguments = parser().parse_args(argv)
    out = out or sys.stdout
    try:
        settings = read_settings(vars(arguments), os.environ)
        status = int(arguments.run(arguments, settings, out))
        out.flush()
        return status
    except BrokenPipeError:  # the reader of the output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # for the flush at the end of the process
        return 1
    except (PlaygroundError, OSError) as error:
        print(f"{arguments.command}: {_words(error)}", file=sys.stderr)
        return 1


def _words(error: Exception) -> str:
    """Return the message of an error; the system's own ones begin with the file."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; the default `run` of a command runs it."""
    root = argparse.ArgumentParser("python -m playground", description="The playground without its page.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words, add in COMMANDS:
        command = commands.add_parser(name, help=words, description=words)
        add(command)
    return root
