"""``study plan``: what a study takes and what it can show, before anybody rates.

Boundary: reads arguments and the study's files, shows progress and prints; opens no database.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TextIO

from tqdm import tqdm

from playground.cli import study_panel
from playground.cli.generate import BAR_DELAY_S, read_instructions
from playground.cli.printing import print_json, print_table
from playground.ratings.phrases import number_of, percent
from playground.settings import Settings
from playground.studies.known_answers import read_known_answers
from playground.studies.planning import Price, Size, size_of
from playground.studies.power import Assumptions, Power, power_curve
from playground.studies.study_file import Study, read_study

SHARES = (0.25, 0.5, 1, 2, 4)
"""Numbers of votes at which the power is simulated, as shares of the study's."""
FEWEST_VOTES = 10


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``study plan`` that no other action has."""
    command.add_argument("--seconds", type=float, default=30.0, metavar="S", help="per vote [30]")
    command.add_argument("--per-hour", type=float, metavar="PRICE", help="pay per hour, in any currency")
    command.add_argument("--per-vote", type=float, metavar="PRICE", help="pay per vote, in any currency")
    command.add_argument("--raters", type=int, default=20, metavar="N", help="who take part [20]")
    command.add_argument(
        "--difference", type=float, default=70.0, metavar="POINTS", help="that the study is to show [70]"
    )
    command.add_argument("--ties", type=float, default=0.2, metavar="SHARE", help="of the votes [0.2]")
    command.add_argument(
        "--tastes", type=float, default=60.0, metavar="POINTS", help="spread of raters' own views of a model [60]"
    )
    command.add_argument("--runs", type=int, default=200, metavar="N", help="simulated studies of each size [200]")


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print the size of a study and its power curve."""
    study = read_study(arguments.file)
    assumed = _assumptions(study, arguments)
    price = Price(arguments.seconds, arguments.per_hour, arguments.per_vote)
    named = study.instructions
    instructions = 0 if named is None else len(read_instructions(named, arguments, settings).instructions)
    checks = 0 if study.check_items is None else len(read_known_answers(study.check_items, settings))
    size = size_of(study.file, instructions, checks, arguments.raters, price)
    curve = list(_simulated(assumed, study.file.votes))
    if arguments.json:
        document = {"study": study.file.id, "hash": study.hash, **asdict(size), "assumed": asdict(assumed)}
        print_json({**document, "power": [asdict(power) for power in curve]}, out)
        return 0
    print("\n".join(_lines(study, size)), file=out)
    print(f"\nIf the first model is {assumed.difference:g} points ahead of all others:", file=out)
    heads = ("votes", "told apart from the second", "ahead of all", "95 % interval")
    print_table(heads, (_row(power) for power in curve), out)
    print("\n".join(_caveats(assumed)), file=out)
    if study.file.is_informative:
        print("Pairs are simulated as if all were drawn equally often.", file=out)
    if study.file.ends is not None:
        print("The study ends before its last vote once its claim is decided; no number here counts on that.", file=out)
    return 0


def _assumptions(study: Study, arguments: argparse.Namespace) -> Assumptions:
    models = study.file.models
    pairs = tuple((models.index(a), models.index(b)) for a, b in study.file.model_pairs)
    return Assumptions(
        models=len(models),
        pairs=pairs,
        difference=arguments.difference,
        ties=arguments.ties,
        raters=arguments.raters,
        tastes=arguments.tastes,
        runs=arguments.runs,
        seed=study.file.seed,
    )


def _simulated(assumed: Assumptions, votes: int) -> Iterator[Power]:
    numbers = sorted({max(FEWEST_VOTES, round(share * votes)) for share in SHARES})
    how = {"total": len(numbers), "unit": " sizes", "leave": False, "disable": None, "delay": BAR_DELAY_S}
    return iter(tqdm(power_curve(assumed, numbers), file=sys.stderr, **how))


def _lines(study: Study, size: Size) -> Iterator[str]:
    asked = number_of("instruction", size.instructions)
    if study.file.live:
        yield f"{study.file.id}: raters write {asked}, {number_of('pair', size.pairs)} of models"
        yield "battles: one for each instruction; more are written where answers fail or are alike, or a rater skips"
    else:
        yield f"{study.file.id}: {asked}, {number_of('pair', size.pairs)} of models"
        fewer = "fewer if answers are missing or alike"
        yield f"battles: {size.battles:,}, {fewer}; they give {size.possible_votes:,} votes"
    extra = ((size.repeats, "repeat"), (size.attention, "attention item"), (size.checks, "check item"))
    more = ", ".join(number_of(noun, count) for count, noun in extra if count)
    yield f"votes: {size.votes:,} that count{f', and {more}: {size.all_votes:,} in all' if more else ''}"
    yield f"raters: {size.raters:,}, each about {number_of('vote', size.votes_per_rater)}"
    money = "" if size.money is None else f"; money: {size.money:,.2f}"
    yield f"time: {size.hours:,.1f} hours{money}"
    yield from study_panel.warnings(study.file)
    if size.votes > size.possible_votes:
        yield "`study create` will refuse this: 'votes' is more than the battles give"
    if size.raters < size.fewest_raters:
        yield f"too few raters: nobody judges a battle twice, so at least {size.fewest_raters} are needed"


def _row(power: Power) -> tuple[str, ...]:
    return (f"{power.votes:,}", percent(power.told_apart), percent(power.leads), f"± {power.half_width:,.0f} points")


def _caveats(assumed: Assumptions) -> Iterator[str]:
    yield (
        f"Simulated {assumed.runs:,} times with {assumed.raters} raters whose views of a model differ by"
        f" {assumed.tastes:g} points, and {percent(assumed.ties)} ties."
    )
    yield "A board that is read after every vote claims a lead later than this: see docs/ratings.md."
