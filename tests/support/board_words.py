"""The words of simulated boards, from no vote to a million, for somebody who reads them as a visitor does.

Run ``python -m tests.support.board_words`` to write the golden file that `tests/ratings/test_board_words.py` compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from playground.ratings.board import LeaderboardOptions
from playground.ratings.chosen import Chosen
from playground.ratings.claims import ClaimReplay
from playground.ratings.judged import WINNERS, JudgedVotes, VoteNetworks
from playground.ratings.leaderboard import Leaderboard, rate
from playground.ratings.pairs import FloatArray
from playground.ratings.parts import until
from playground.ratings.phrases import number_of, rank_range
from playground.records import Circumstances, Origin
from tests.support.judged import simulated

GOLDEN = Path(__file__).parents[1] / "golden" / "board_words.txt"
NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", *(f"Fir {n}" for n in range(1, 16)))
PERSON = Circumstances(
    blind=True,
    decision_s=None,
    names_itself=False,
    seen_before=False,
    seen_elsewhere=False,
    capped=False,
    origin=Origin.PERSON,
    drawn=True,
    own_sampling=True,
    imported=None,
)
Change = Callable[[JudgedVotes], JudgedVotes]
CLOSE, SPREAD, EQUAL = (0.5, 0.05, 0.0, -0.1, -0.45), (0.9, 0.4, 0.0, -0.4, -0.9), (0.0,) * 5


@dataclass(frozen=True, slots=True)
class Simulated:
    """The votes of one board."""

    title: str
    votes: int
    strengths: tuple[float, ...] = CLOSE  # log-odds, the best first
    raters: int = 0  # 0: each vote by another one
    taste: float = 0.0  # log-odds by which raters differ about each model
    ties: float = 0.3
    change: Change | None = None
    options: LeaderboardOptions = field(default_factory=LeaderboardOptions)
    category: str = ""
    replay: ClaimReplay = field(default_factory=ClaimReplay)

    def board(self) -> Leaderboard:
        """Return the board; the same at each call."""
        votes = arrays(np.array(self.strengths), self)
        votes = votes if self.change is None else self.change(votes)
        names = NAMES[: len(self.strengths)]
        chosen = Chosen.of(votes, {}, category=self.category, options=self.options, models=names, replay=self.replay)
        return rate(chosen, self.category)


def arrays(strengths: FloatArray, how: Simulated) -> JudgedVotes:
    """Return votes of people on random pairs."""
    rng = np.random.default_rng(7)
    table = simulated(
        strengths, num_votes=max(how.votes, 1), num_raters=how.raters, taste=how.taste, ties=how.ties, rng=rng
    )
    table = until(table, how.votes)
    return JudgedVotes(
        models=NAMES[: len(strengths)],
        categories=("writing",),
        circumstances=(PERSON,),
        num_raters=table.num_raters,
        vote=table.vote,
        rater=table.rater,
        first=table.first,
        second=table.second,
        category=np.zeros(how.votes, dtype=np.int64),
        kind=np.zeros(how.votes, dtype=np.int64),
        outcome=table.outcome,
        weight=table.weight,
        busy_days=(),
        networks=None,
    )


def all_are(winner: str) -> Change:
    return lambda votes: replace(votes, outcome=np.full_like(votes.outcome, WINNERS.index(winner)))


def some_are(share: float, **changes: object) -> Change:
    """Give the first votes other circumstances."""

    def change(votes: JudgedVotes) -> JudgedVotes:
        others = replace(PERSON, **changes)  # type: ignore[arg-type]
        kind = np.where(np.arange(len(votes.kind)) < share * len(votes.kind), 0, 1)
        return replace(votes, circumstances=(others, PERSON)[: 1 + int(kind.any())], kind=kind)

    return change


def two_groups(votes: JudgedVotes) -> JudgedVotes:
    """Keep the votes between the first three models, and between the others."""
    return part(votes, (votes.first < 3) == (votes.second < 3))


def part(votes: JudgedVotes, rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> JudgedVotes:
    names = ("rater", "first", "second", "category", "kind", "outcome", "weight")
    kept = {name: getattr(votes, name)[rows] for name in names}
    return replace(votes, vote=np.arange(int(rows.sum())), **kept)


def circle(votes: JudgedVotes) -> JudgedVotes:
    """Let each of three models win most battles with the next one."""
    better = (votes.second - votes.first) % 3 == 1
    lucky = np.random.default_rng(3).random(len(better)) < 0.8
    return replace(votes, outcome=np.where(better == lucky, 0, 1))


def never_beaten(votes: JudgedVotes) -> JudgedVotes:
    """Let the first model win every battle."""
    won = np.where(votes.first == 0, 0, np.where(votes.second == 0, 1, votes.outcome))
    return replace(votes, outcome=won)


def hardly_a_win(votes: JudgedVotes) -> JudgedVotes:
    """Let the last model lose every battle."""
    last = max(votes.first.max(), votes.second.max())
    return replace(votes, outcome=np.where(votes.first == last, 1, np.where(votes.second == last, 0, votes.outcome)))


def few_of_the_last(votes: JudgedVotes) -> JudgedVotes:
    """Keep one in twenty of the votes on the last model."""
    last = max(votes.first.max(), votes.second.max())
    met = (votes.first == last) | (votes.second == last)
    return part(votes, ~met | (np.arange(len(met)) % 20 == 0))


def one_busy(votes: JudgedVotes) -> JudgedVotes:
    """Give every second vote to one rater."""
    return replace(votes, rater=np.where(np.arange(len(votes.rater)) % 2 == 0, 0, votes.rater))


def one_network(votes: JudgedVotes) -> JudgedVotes:
    """Give a third of the votes one network, and let the last model win in all of these."""
    ours = np.arange(len(votes.vote)) % 3 == 0
    last = max(votes.first.max(), votes.second.max())
    won = np.where(ours & (votes.first == last), 0, np.where(ours & (votes.second == last), 1, votes.outcome))
    return replace(votes, outcome=won, networks=VoteNetworks(np.where(ours, 0, -1), ("network",)))


ONE_VIEW = LeaderboardOptions(filtered=True)
BOARDS = (
    Simulated("no vote", 0),
    Simulated("one vote", 1, strengths=(0.0, 0.0)),
    Simulated("only ties", 40, change=all_are("tie")),
    Simulated("only all bad", 40, change=all_are("both_bad")),
    Simulated("a few votes", 25),
    Simulated("60 votes on two models, nobody better", 60, strengths=(0.0, 0.0)),
    Simulated("100 votes on two models, one clearly better", 100, strengths=(1.2, 0.0)),
    Simulated("200 votes on five models", 200),
    Simulated("2,000 votes on five models", 2_000),
    Simulated("20,000 votes on five models", 20_000, raters=400, taste=0.3),
    Simulated("3,000 votes on five equal models", 3_000, strengths=EQUAL),
    Simulated("2,000 votes on five models far apart", 2_000, strengths=SPREAD),
    Simulated("600 votes of three raters", 600, strengths=SPREAD, raters=3, taste=0.5),
    Simulated("200 votes of one rater", 200, strengths=(0.8, 0.0, -0.8), raters=1),
    Simulated("two groups that have not met", 1_500, strengths=SPREAD, change=two_groups),
    Simulated("a model that was never beaten", 300, change=never_beaten),
    Simulated("a model that never won", 300, change=hardly_a_win),
    Simulated("a circle", 600, strengths=EQUAL[:3], change=circle, ties=0.0),
    Simulated("a model with few battles", 800, strengths=SPREAD, change=few_of_the_last),
    Simulated("1,500 votes on twenty models", 1_500, strengths=tuple(np.linspace(1.5, -1.5, 20).tolist())),
    Simulated("one rater gave half of the votes", 400, raters=30, strengths=SPREAD, change=one_busy),
    Simulated("a third of the votes from one network", 600, raters=200, strengths=SPREAD, change=one_network),
    Simulated("a tenth of the votes flagged", 600, change=some_are(0.1, names_itself=True)),
    Simulated("every pair chosen", 300, change=some_are(1.0, drawn=False)),
    Simulated("every vote open", 100, change=some_are(1.0, blind=False)),
    Simulated("most votes by programs", 400, raters=50, change=some_are(0.7, origin=Origin.PROGRAM)),
    Simulated("one category", 400, strengths=SPREAD, options=ONE_VIEW, category="writing"),
    Simulated("one view at 99 %", 400, strengths=SPREAD, options=replace(ONE_VIEW, level=0.99)),
    Simulated("claims that are being made", 2_000, replay=ClaimReplay(most_votes=1_000)),
)
MANY = Simulated("a million votes on five models", 1_000_000, raters=20_000, taste=0.3, strengths=(0.4, 0.38, 0, 0, -1))


def words(simulated: Simulated) -> str:
    """Return what a board says, one line for each sentence with its place."""
    board = simulated.board()
    lines = [f"== {simulated.title}", f"headline: {board.verdict.headline}", f"detail: {board.verdict.detail}"]
    lines += [
        f"row: {rank_range(row.rank_lower, row.rank_upper, row.provisional)} {row.name} {row.rating:.0f} "
        f"({row.rating_lower:.0f}–{row.rating_upper:.0f}), {number_of('battle', row.battles)}"
        for row in board.rows
    ]
    lines += [f"{finding.topic.lower()}: {finding.text}" for finding in board.findings]
    lines += [f"note: {note}" for note in board.notes]
    return "\n".join([*lines, f"basis: {board.basis}"]) + "\n"


def sections(text: str) -> Mapping[str, str]:
    """Return the boards of the golden file by title."""
    parts = [f"== {part}".rstrip("\n") + "\n" for part in text.split("== ")[1:]]
    return {part.partition("\n")[0].removeprefix("== "): part for part in parts}


def main() -> None:
    GOLDEN.write_text("\n".join(words(board) for board in (*BOARDS, MANY)), "utf-8")


if __name__ == "__main__":
    main()
