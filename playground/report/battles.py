"""The battles that a report shows with their words: those that a publication would hold, and that fit its filter.

Boundary: a snapshot of the store in, values out; what may be shown is decided by `publishing.contents`.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from playground.exchange.licenses import COMMERCIAL_LICENSES
from playground.exchange.standing import Standings
from playground.publishing.contents import LEFT_OUT, Contents
from playground.publishing.publication import Progress
from playground.ratings.policy import CountingPolicy
from playground.records import ExportedVote, Instruction, VoteFilter
from playground.storage.database.filters import conditions
from playground.storage.database.statements import Reading

MOST_BATTLES = 2_000
"""Battles that a report holds with their words; the newest."""
MOST_CHARS = 8_000_000
"""Characters of these words: larger files are refused by mail servers."""
STEP = 500
"""Votes between two calls of a `Progress`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a battle."""

    side: str
    model: str
    text: str
    license: str


@dataclass(frozen=True, slots=True)
class ShownBattle:
    """A judged battle, as far as it is public."""

    created_at: str  # of the vote
    rater: str  # a pseudonym
    asked: Instruction
    answers: tuple[Answer, ...]
    choice: str  # a side, tie, both_bad, or an order of sides
    reasons: tuple[str, ...]
    comment: str
    why_not: str  # why the vote does not count; empty if it does

    @property
    def num_chars(self) -> int:
        """Characters of all words."""
        asked = self.asked
        answers = sum(len(answer.text) for answer in self.answers)
        return len(asked.instruction) + len(asked.input) + len(asked.system) + len(self.comment) + answers

    @property
    def won(self) -> Iterator[tuple[str, str]]:
        """The models of the best answer and of each other one; none without a single best answer."""
        best = next((answer.model for answer in self.answers if answer.side == self.choice), "")
        return ((best, answer.model) for answer in self.answers if best and answer.model != best)


@dataclass(slots=True)
class ShownBattles:
    """The battles of a report, and a count of those that it lacks."""

    newest: deque[ShownBattle] = field(default_factory=deque)  # oldest first
    examples: dict[tuple[str, str], ShownBattle] = field(default_factory=dict)  # newest that count: winner, loser
    num_public: int = 0  # all that fit the filter and may be shown
    left_out: Mapping[str, int] = field(default_factory=dict)  # votes that may not, by reason as in `LEFT_OUT`
    num_chars: int = 0

    def add(self, battle: ShownBattle) -> None:
        """Add the next battle in order of time; the oldest give way."""
        self.num_public += 1
        self.newest.append(battle)
        self.num_chars += battle.num_chars
        while len(self.newest) > 1 and (len(self.newest) > MOST_BATTLES or self.num_chars > MOST_CHARS):
            self.num_chars -= self.newest.popleft().num_chars
        if not battle.why_not:
            for pair in battle.won:
                self.examples[pair] = battle

    @property
    def num_older(self) -> int:
        """Battles that may be shown, and are too many."""
        return self.num_public - len(self.newest)


def shown_battles(
    reading: Reading, contents: Contents, filter: VoteFilter, policy: CountingPolicy, progress: Progress
) -> ShownBattles:
    """Return the battles of a filter that a publication would hold."""
    withheld = _withheld(reading, contents)
    standings, left_out, found = Standings(reading, policy), Counter[str](), ShownBattles()
    where = conditions(filter, pairs=False, commercial=COMMERCIAL_LICENSES, final_by=contents.rules.now)
    votes = reading.exported_votes(where, provenance=False)
    for done, vote in enumerate(votes, start=1):
        if done % STEP == 0:
            progress("votes", done, contents.votes + sum(contents.left_out.values()))
        if vote.vote_id in withheld:
            left_out[withheld[vote.vote_id]] += 1
            continue
        reason = standings.reason(vote)
        found.add(_shown(vote, contents, "" if reason is None else policy.why_not(reason)))
    found.left_out = {reason: left_out[reason] for reason in LEFT_OUT if left_out[reason]}
    return found


def _withheld(reading: Reading, contents: Contents) -> Mapping[str, str]:
    """Return the reason against each vote that is not published."""
    if not contents.left_out:
        return {}
    found = {}
    for pair in reading.pairs_with_dates():
        if reason := contents.rules.reason(pair):
            found[pair["vote_id"]] = reason
    return found


def _shown(vote: ExportedVote, contents: Contents, why_not: str) -> ShownBattle:
    return ShownBattle(
        created_at=vote.created_at,
        rater=contents.raters.name(vote.rater_id, vote.origin),
        asked=vote.asked,
        answers=tuple(
            Answer(side, answer.model_id, answer.text, contents.license(answer.license, answer.model_id))
            for side, answer in vote.sides
        ),
        choice=vote.choice,
        reasons=tuple(json.loads(vote.reasons)),
        comment=vote.comment,
        why_not=why_not,
    )
