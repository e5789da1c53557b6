"""The plan of a study beside simulated studies: promised power, votes until the claim, and false ends.

Run ``python benchmarks/study_power.py [--runs 200] [--only WORD]``. Raters come in random order and get their battles
from the real assignment (overlap, repeats, informative pairs); looks, claims and intervals are those of a study.
Half of the cases have models without a difference, where every end is a false one. Exit status 1 if the plan promises
more than happened, or ends are false in more than 5 %, by more than three Monte Carlo standard errors.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy.special import expit
from scipy.stats import binomtest

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.rounds import machine, print_row
from playground.ratings.board import Board, LeaderboardOptions
from playground.ratings.bradley_terry import POINTS, fit
from playground.ratings.chosen import Chosen
from playground.ratings.claims import ClaimMemory, ClaimReplay, looks
from playground.ratings.intervals import estimate_intervals
from playground.ratings.pairing import Pairing
from playground.ratings.policy import CountingPolicy
from playground.records import Assigned, CheckState, ItemCount, JudgedPair, StoredStudy, StudyItem, StudyRater
from playground.studies.assignment import Given, Plan, Situation, decide
from playground.studies.counts import ItemCounts
from playground.studies.decision import decision_of
from playground.studies.power import Assumptions, power_curve
from playground.studies.study_file import StudyFile
from tests.support.judged import judged_votes, pair

MODELS = ("alpha", "beta", "gamma", "delta", "epsilon")
OPTIONS = LeaderboardOptions(CountingPolicy(keep_running_studies=True))
ERROR = 0.05
"""The largest share of false ends."""


@dataclass(frozen=True, slots=True)
class Case:
    """A study and the truth about its models and raters."""

    name: str
    file: StudyFile
    instructions: int
    assumed: Assumptions  # `difference` is that of the plan
    difference: float  # the true one, in points


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one simulated study."""

    votes: int
    is_decided: bool
    is_right: bool  # the claim names the truly first model
    told_apart: bool
    leads: bool


def case(name: str, models: int, votes: int, raters: int, true: float, plan: float = 100.0, **keys: object) -> Case:
    """Return a case of a study in which every two models meet."""
    instructions = math.ceil(1.5 * votes / (models * (models - 1) // 2))
    file = StudyFile("s", MODELS[:models], votes, "questions.jsonl", **{"ends": "leader", **keys})  # type: ignore[arg-type]
    pairs = tuple((file.models.index(a), file.models.index(b)) for a, b in file.model_pairs)
    return Case(name, file, instructions, Assumptions(models, pairs, plan, raters=raters), true)


CASES = (
    case("2 models, 200 votes, 20 raters", 2, 200, 20, 100.0),
    case("2 models, 200 votes, overlap and repeats", 2, 200, 20, 100.0, overlap=0.2, repeats=0.05),
    case("3 models, 300 votes, 12 raters", 3, 300, 12, 100.0),
    case("3 models, 300 votes, informative pairs", 3, 300, 12, 100.0, pairs="informative"),
    case("equal: 2 models, 300 votes, a leader", 2, 300, 20, 0.0),
    case("equal: 3 models, 300 votes, an order", 3, 300, 12, 0.0, ends="order", overlap=0.1),
    case("equal: 2 models, 300 votes of 4 raters without tastes", 2, 300, 4, 0.0),
)


class Simulated:
    """One simulated study."""

    def __init__(self, case: Case, random: np.random.Generator) -> None:
        self._case = case
        self._random = random
        models, raters = case.file.models, case.assumed.raters
        tastes = 0.0 if case.name.endswith("without tastes") else case.assumed.tastes
        strength = np.where(np.arange(len(models)) == 0, case.difference, 0.0)
        self._views = strength + random.normal(0, tastes, (raters, len(models)))
        items = [
            StudyItem(number, "item", f"a{number}", f"b{number}", None, f"i{instruction}", pair_of)
            for number, (instruction, pair_of) in enumerate(
                ((i, pair_of) for i in range(case.instructions) for pair_of in case.file.model_pairs), start=1
            )
        ]
        secret = random.bytes(16).hex()
        self._plan = Plan(StoredStudy("s", "5a" * 32, "{}", secret, "2026-12-01"), case.file, items)
        self._counts = ItemCounts(self._plan.rated, self._plan.wanted)
        self._own: list[list[Assigned]] = [[] for _ in range(raters)]
        self._outcomes: dict[int, list[str]] = {}
        self._memory = ClaimMemory()
        self._pairing: Pairing | None = None
        self._looks = 0
        self.votes: list[JudgedPair] = []

    def run(self) -> Outcome:
        """Give votes until the study has its claim or all of its votes."""
        while len(self.votes) < self._case.file.votes and self._judge():
            due = len(looks(len(self.votes))) + (len(self.votes) >= self._case.file.votes)
            if due > self._looks:
                self._looks = due
                decision = decision_of(board := self._board(), self._case.file)
                if self._case.file.is_informative:
                    self._pairing = Pairing.of(board.table)
                if decision is not None and decision.is_made:
                    return self._outcome(board, True, decision.order[0] == MODELS[0])
        return self._outcome(self._board(), False, False)

    def _judge(self) -> bool:
        """Let one rater judge their next battle; return False if nobody has one."""
        for rater in self._random.permutation(len(self._own)):
            own, holder = self._own[rater], StudyRater("s", int(rater) + 1, None, CheckState.NONE, 0, None)
            given = decide(Situation(self._plan, self._counts, holder, own, self._pairing))
            if isinstance(given, Given):
                self._vote(int(rater), given)
                return True
        return False

    def _vote(self, rater: int, given: Given) -> None:
        item, own = given.item, self._own[rater]
        a, b = (self._views[rater, MODELS.index(model)] for model in item.models)
        is_first = self._random.random() < expit((a - b) / POINTS)
        outcome = "tie" if self._random.random() < self._case.assumed.ties else "a" if is_first else "b"
        place = len(own) + 1
        battle = f"{rater}-{place}"
        own.append(Assigned(battle, item.number, place, given.repeat_of, given.kind, "revealed", outcome, None))
        if given.kind != "item":
            return
        outcomes = self._outcomes.setdefault(item.number, [])
        outcomes.append(outcome)
        count = ItemCount(len(outcomes), 0, len(outcomes), len(set(outcomes)) > 1)
        self._counts.update({item.number: count}, [item.number])
        winner = {"a": "model_a", "b": "model_b"}.get(outcome, outcome)
        number = len(self.votes)
        at = f"2026-12-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000+00:00"
        self.votes.append(pair(*item.models, winner, number, rater_id=f"rater-{rater}", created_at=at))

    def _board(self) -> Board:
        votes = judged_votes(self.votes, OPTIONS.policy)
        replay = ClaimReplay(self._memory)
        return Chosen.of(votes, {}, options=OPTIONS, models=self._case.file.models, replay=replay).board()

    def _outcome(self, board: Board, is_decided: bool, is_right: bool) -> Outcome:
        order = [board.table.models.index(model) for model in self._case.file.models]
        found = estimate_intervals(board.table, fit(board.table.wins))
        told_apart = bool(found.difference_lower[order[0], order[1]] > 0)
        leads = bool(found.better[order[0], order[1:]].all())
        return Outcome(len(self.votes), is_decided, is_right, told_apart, leads)


def simulate(case: Case, runs: int, seed: int = 0) -> list[Outcome]:
    """Return the outcomes of simulated studies."""
    return [Simulated(case, np.random.default_rng((seed, run))).run() for run in range(runs)]


def without_end(case: Case) -> Case:
    """Return the case of a study that takes all of its votes, as the plan assumes."""
    return replace(case, file=replace(case.file, ends=None))


def with_interval(hits: int, runs: int) -> str:
    """Return a share with its exact 95 % interval."""
    found = binomtest(hits, runs).proportion_ci(method="exact")
    return f"{100 * hits / runs:.0f} % ({100 * found.low:.0f}–{100 * found.high:.0f})"


def is_beyond(share: float, limit: float, *counts: int) -> bool:
    """Return True if a share is above a limit by more than three standard errors of both."""
    spread = max(limit, 1 / min(counts)) * (1 - min(limit, 1 - 1 / min(counts)))
    return share - limit > 3 * math.sqrt(sum(spread / count for count in counts))


def measure(case: Case, runs: int) -> tuple[Sequence[str], bool]:
    """Return the row of a case, and True if the promises were kept."""
    ended = simulate(case, runs)
    decided = sum(one.is_decided for one in ended)
    votes = f"{fmean(one.votes for one in ended):.0f} of {case.file.votes}"
    if case.difference == 0:
        return [case.name, "–", "–", with_interval(decided, runs), votes], not is_beyond(decided / runs, ERROR, runs)
    [plan] = power_curve(replace(case.assumed, runs=2 * runs), [case.file.votes])
    full = simulate(without_end(case), runs, seed=1)
    apart = sum(one.told_apart for one in full)
    wrong = sum(one.is_decided and not one.is_right for one in ended)
    promised = f"{100 * plan.told_apart:.0f} %"
    row = [case.name, promised, with_interval(apart, runs), f"{with_interval(decided, runs)}, {wrong} wrong", votes]
    return row, not is_beyond(plan.told_apart, apart / runs, runs, 2 * runs)


def chosen_cases(word: str) -> Iterator[Case]:
    """Yield the cases whose name has a word."""
    return (case for case in CASES if word in case.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="simulated studies of each case")
    parser.add_argument("--only", default="", help="only cases whose name has this word")
    chosen = parser.parse_args()
    print(f"{machine(chosen.runs, 'numpy', 'scipy')}\n", flush=True)
    print_row(["", "promised: told apart", "told apart", "ended by its claim", "votes until the end, mean"])
    print_row(["---"] * 5)
    kept = []
    for case in chosen_cases(chosen.only):
        row, is_kept = measure(case, chosen.runs)
        print_row(row)
        kept.append(is_kept)
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
