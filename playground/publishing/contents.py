"""The contents of a publication: the votes that may be published, the counts, and the board that follows from them.

Boundary: a snapshot of the store in, values out; writes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from playground.exchange.licenses import license_of
from playground.publishing.held_back import HeldBack, held_back
from playground.publishing.rater_names import Pseudonyms
from playground.ratings.board import LeaderboardOptions
from playground.ratings.chosen import Chosen
from playground.ratings.counting import reasons_by_vote
from playground.ratings.judged import JudgedVotes
from playground.ratings.leaderboard import rate
from playground.ratings.policy import ExclusionReason
from playground.records import JudgedPair, spdx
from playground.storage.database.rows import read_pair
from playground.storage.database.statements import Reading

LEFT_OUT: Mapping[str, str] = {
    "undecided": "not final yet",
    "imported": "imported from a file",
    "study_running": "of studies that are still running",
    "erased": "with erased words",
    "hidden": "hidden by the operator",
    "held_back": "held back because of what looks like personal data",
}
"""Reasons to leave a vote out, and their words after a number of votes; the first that applies is given."""
WITHDRAWN = ("erased", "hidden", "held_back")
"""The reasons for which an earlier publication may hold the vote."""


MARK_CHARS = 16
"""Digits of the hash that stands for a withdrawn battle."""


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model as a publication names it."""

    name: str
    license: str
    repo: str
    revision: str


@dataclass(frozen=True, slots=True)
class PublicationRules:
    """The circumstances that decide which votes are published."""

    now: str  # votes that are final by then are published
    personal: Collection[str]  # battles whose words look personal

    def reason(self, pair: Mapping[str, Any]) -> str:
        """Return why one of `Reading.pairs_with_dates` is left out, as in `LEFT_OUT`; empty if it is published."""
        if not self._is_final(pair):
            return "undecided"
        if pair["imported"] is not None:
            return "imported"
        if pair["study_running"]:
            return "study_running"
        if pair["erased_at"] is not None:
            return "erased"
        if pair["hidden_at"] is not None:
            return "hidden"
        return "held_back" if pair["battle_id"] in self.personal else ""

    def is_over(self, pair: Mapping[str, Any]) -> bool:
        """Return True if the time to undo the vote is over."""
        return pair["final_at"] is not None and pair["final_at"] <= self.now

    def _is_final(self, pair: Mapping[str, Any]) -> bool:
        """Return True if the vote counts on the board; the rule is that of `filters.FINAL`."""
        return bool(pair["is_revealed"] or self.is_over(pair) or pair["created_at"] > self.now)


@dataclass(frozen=True, slots=True)
class Contents:
    """The votes that are published, as far as they need no list, and those that are not."""

    votes: int
    pairs: int
    last_vote: str  # the time of the latest; empty: there is none
    held_back: tuple[HeldBack, ...]
    left_out: Mapping[str, int]  # votes by reason, in the order of `LEFT_OUT`
    withdrawn: Mapping[str, str]  # battles that are left out although they were final since the time that is given
    models: Mapping[str, PublishedModel]
    last_erasure: int
    rules: PublicationRules
    raters: Pseudonyms

    def judged(self, reading: Reading) -> Iterator[Mapping[str, Any]]:
        """Yield the pairs that are published, in order of time, as `Reading.pairs_with_dates`."""
        return (row for row in reading.pairs_with_dates() if not self.rules.reason(row))

    def judged_pairs(self, reading: Reading) -> Iterator[JudgedPair]:
        """Yield the same as records, with the pseudonyms of their raters."""
        for row in self.judged(reading):
            pair = read_pair(row)
            yield replace(pair, rater_id=self.raters.name(pair.rater_id, pair.origin))

    def license(self, license: str, model_id: str) -> str:
        """Return the license of an answer: its own, or of its model's card if none was known at the time."""
        return license_of(license, self.models[model_id].license if model_id in self.models else "")

    def withdrawn_marks(self, until: str) -> list[str]:
        """Return hashes of the withdrawn battles that were final at a time; they tell nothing about the battles."""
        ids = [battle_id for battle_id, final_at in self.withdrawn.items() if final_at <= until]
        return sorted(hashlib.sha256(battle_id.encode()).hexdigest()[:MARK_CHARS] for battle_id in ids)


def survey(reading: Reading, database_id: str, released: Mapping[str, str], now: str) -> Contents:
    """Return the contents of a publication as of `now`.

    Args:
        released: battles that are published although they look personal; see `held_back.read_releases`.
    """
    found = tuple(held_back(reading, released))
    personal = {reason.battle_id for reason in found}
    rules = PublicationRules(now, personal)
    votes, left_out, pairs, last = 0, Counter[str](), 0, ""
    models, withdrawn, is_held_back = set[str](), dict[str, str](), set[str]()
    for _, judged in groupby(reading.pairs_with_dates(), key=itemgetter("vote_id")):
        of_vote = list(judged)
        pair, reason = of_vote[0], rules.reason(of_vote[0])
        if not reason:
            votes, pairs, last = votes + 1, pairs + len(of_vote), pair["created_at"]
            models.update(row[name] for row in of_vote for name in ("model_a", "model_b"))
            continue
        left_out[reason] += 1
        if reason in WITHDRAWN:
            # A vote given while the clock was ahead may be in an earlier publication all the same.
            withdrawn[pair["battle_id"]] = pair["final_at"] if rules.is_over(pair) else ""
        if reason == "held_back":
            is_held_back.add(pair["battle_id"])
    return Contents(
        votes=votes,
        pairs=pairs,
        last_vote=last,
        held_back=tuple(reason for reason in found if reason.battle_id in is_held_back),
        left_out={reason: left_out[reason] for reason in LEFT_OUT if left_out[reason]},
        withdrawn=withdrawn,
        models=_models(reading, models),
        last_erasure=reading.last_erasure(),
        rules=rules,
        raters=Pseudonyms(database_id),
    )


def board_document(
    votes: JudgedVotes, models: Mapping[str, PublishedModel], options: LeaderboardOptions
) -> dict[str, Any]:
    """Return the leaderboard of published votes as JSON values."""
    document: dict[str, Any] = json.loads(
        json.dumps(rate(Chosen.of(votes, models, options=options)).as_document(), allow_nan=False)
    )
    return document


def why_not(votes: JudgedVotes, options: LeaderboardOptions) -> Sequence[str]:
    """Return for each vote in order why it does not count, in words; empty if it does."""
    policy = options.policy.with_fallback(votes.circumstances)
    words = {reason: policy.why_not(reason) for reason in ExclusionReason}
    return ["" if reason is None else words[reason] for reason in reasons_by_vote(votes, policy)]


def options_document(options: LeaderboardOptions) -> dict[str, Any]:
    """Return the options of a board as JSON values."""
    document: dict[str, Any] = json.loads(json.dumps(asdict(options), allow_nan=False))
    return document


def _models(reading: Reading, ids: Collection[str]) -> Mapping[str, PublishedModel]:
    cards = reading.cards(sorted(ids))
    return {
        id: PublishedModel(card.name, spdx(card.license), card.public_repo, card.revision) for id, card in cards.items()
    }
