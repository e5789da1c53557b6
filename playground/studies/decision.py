"""The claim at which a study ends, by bounds that hold however often the votes are looked at.

Boundary: reads a snapshot through `ratings`, numbers out; closes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.ratings.board import Board, LeaderboardOptions
from playground.ratings.chosen import Chosen
from playground.ratings.claims import ClaimMemory, ClaimReplay
from playground.ratings.policy import CountingPolicy
from playground.ratings.stored import read_filtered
from playground.records import VoteFilter
from playground.storage.database.filters import conditions
from playground.storage.database.statements import Reading
from playground.studies.study_file import StudyFile

DECIDED = "decided: "
"""The beginning of the reason for which a study was closed by its own claim."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The claim at which a study ends, at one moment."""

    ends: str  # leader | order
    votes: int  # that count
    order: tuple[str, ...]  # models, best first; as rated, not as claimed
    decided: int  # comparisons of two models that the claim has
    needed: int  # that it needs

    @property
    def is_made(self) -> bool:
        return self.decided == self.needed

    @property
    def words(self) -> str:
        """The claim once it is made."""
        claim = f"{self.order[0]} leads" if self.ends == "leader" else " > ".join(self.order)
        return f"{DECIDED}{claim}, after {self.votes:,} votes"


def study_board(reading: Reading, file: StudyFile, now: str, memory: ClaimMemory | None = None) -> Board:
    """Return the board of a study's own votes that are final `now`, by the rules of the default leaderboard."""
    options = LeaderboardOptions(CountingPolicy(keep_running_studies=True))  # for the study itself, shown to nobody
    votes, rows = read_filtered(reading, options.policy, now, conditions(VoteFilter(study=file.id), pairs=True))
    return Chosen.of(votes, {}, options=options, models=file.models, rows=rows, replay=ClaimReplay(memory)).board()


def decision_of(board: Board, file: StudyFile) -> Decision | None:
    """Return how far the claim is at which a study ends; None if it ends by its number of votes alone."""
    if file.ends is None:
        return None
    models, count = board.table.models, len(file.models)
    ours = [models.index(model) for model in file.models]
    best = sorted(ours, key=lambda i: -round(float(board.fit.ratings[i]), 6))
    order = tuple(models[i] for i in best)
    claims = board.evidence.claims
    if file.ends == "leader":
        decided, needed = int(claims.ahead[best[0], best[1:]].sum()), count - 1
    else:
        decided, needed = int(claims.above[np.ix_(ours, ours)].sum()), count * (count - 1) // 2
    return Decision(file.ends, board.table.num_votes, order, decided, needed)
