"""``study differences`` and ``study judge``: the battles on which raters differ, and the operator's own judgement.

Boundary: reads arguments and prints; `studies.differences` does the work. Judging needs the page to be stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import TextIO

from playground.cli.database import open_existing, open_read_only
from playground.cli.printing import print_json, print_result
from playground.clock import utc_now
from playground.ratings.phrases import number_of
from playground.settings import Settings
from playground.studies.differences import OUTCOMES, Difference, adjudicate, differences
from playground.studies.status import found_study


def add_list(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``study differences`` that no other action has."""
    command.add_argument("--unresolved", action="store_true", help="only battles that you have not judged")


def add_judge(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``study judge`` that no other action has."""
    command.add_argument("item", type=int, metavar="NUMBER", help="of the battle, as in the list")
    command.add_argument("outcome", choices=OUTCOMES, help="your judgement, by the order of the list")


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print the battles with answers, votes and reasons."""
    with open_read_only(settings.db) as store, store.reading() as reading:
        study = found_study(reading, arguments.study)
        found = list(differences(reading, study, unresolved=arguments.unresolved))
    if arguments.json:
        print_json({"study": study.id, "differences": [asdict(one) for one in found]}, out)
        return 0
    for one in found:
        print("\n".join(_lines(one)), end="\n\n", file=out)
    waiting = sum(one.own is None for one in found)
    print(f"{study.id}: raters differ on {number_of('battle', len(found))}; {waiting:,} not judged by you", file=out)
    return 0


def run_judge(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Store the operator's judgement, which counts as nobody's vote."""
    with open_existing(settings) as store:
        with store.reading() as reading:
            study = found_study(reading, arguments.study)
        store.write(lambda writing: adjudicate(writing, study, arguments.item, arguments.outcome, utc_now()))
    document = {"study": study.id, "item": arguments.item, "outcome": arguments.outcome}
    print_result(document, f"battle {arguments.item} of {study.id}: {arguments.outcome}", arguments.json, out)
    return 0


def _lines(one: Difference) -> Iterator[str]:
    yield f"battle {one.item}: {one.instruction.instruction}"
    for letter, answer in (("a", one.a), ("b", one.b)):
        yield f"  {letter}, {answer.model}: {answer.text}"
    for vote in one.judgements:
        about = [] if vote.decision_s is None else [f"{vote.decision_s:.1f} s"]
        said = ", ".join([*about, *vote.reasons, *([vote.comment] if vote.comment else [])])
        yield f"  rater {vote.rater}: {vote.outcome}" + (f" ({said})" if said else "")
    yield "  not judged by you" if one.own is None else f"  you: {one.own.outcome}, {one.own.created_at[:10]}"
