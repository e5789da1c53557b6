"""The contents of a publication: the votes that may be published, the counts, and the board that follows from them.

Boundary: a snapshot of the store in, values out; writes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from sys import intern
from typing import Any

from playground.exchange.licenses import license_of
from playground.publishing.held_back import HeldBack, held_back
from playground.publishing.rater_names import RaterNames
from playground.publishing.tables import Judgement
from playground.ratings.board import LeaderboardOptions
from playground.ratings.counting import reasons_of
from playground.ratings.leaderboard import build_leaderboard
from playground.records import JudgedPair, spdx
from playground.storage.database.statements import Reading

LEFT_OUT: Mapping[str, str] = {
    "undecided": "not final yet",
    "imported": "imported from a file",
    "erased": "with erased words",
    "hidden": "hidden by the operator",
    "held_back": "held back because of what looks like personal data",
}
"""Reasons to leave a vote out, and their words after a number of votes; the first that applies is given."""


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model as a publication names it."""

    name: str
    license: str
    repo: str
    revision: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The votes that are published, and those that are not."""

    judgements: tuple[Judgement, ...]  # in order of time, raters by their pseudonyms
    raters: RaterNames
    held_back: tuple[HeldBack, ...]
    left_out: Mapping[str, int]  # votes by reason, in the order of `LEFT_OUT`
    withdrawn: frozenset[str]  # battles that are left out for good
    final_at: Mapping[str, str]  # of the withdrawn ones
    models: Mapping[str, PublishedModel]
    last_erasure: int

    def license(self, license: str, model_id: str) -> str:
        """Return the license of an answer: its own, or of its model's card if none was known at the time."""
        return license_of(license, self.models[model_id].license if model_id in self.models else "")

    @property
    def pairs(self) -> list[JudgedPair]:
        return [judged.pair for judged in self.judgements]


def survey(reading: Reading, database_id: str, released: Mapping[str, str], now: str) -> Contents:
    """Return the contents of a publication as of `now`.

    Args:
        released: battles that are published although they look personal; see `held_back.read_releases`.
    """
    found = tuple(held_back(reading, released))
    personal = {reason.battle_id for reason in found}
    raters = RaterNames(database_id)
    judgements: list[Judgement] = []
    left_out: dict[str, str] = {}
    final_at: dict[str, str] = {}
    for row in reading.votes_with_dates():
        pair: JudgedPair = row["pair"]
        reason = _reason(row, now, pair.battle_id in personal)
        if not reason:
            judgements.append(Judgement(_named(pair, raters), intern(row["side_a"]), intern(row["side_b"])))
            continue
        left_out[pair.battle_id] = reason
        if reason in ("erased", "hidden", "held_back"):
            # A vote given while the clock was ahead may be in an earlier publication all the same.
            final_at[pair.battle_id] = row["final_at"] if _is_over(row, now) else ""
    models = _models(reading, judgements)
    counts = Counter(left_out.values())
    return Contents(
        judgements=tuple(judgements),
        raters=raters,
        held_back=tuple(reason for reason in found if left_out.get(reason.battle_id) == "held_back"),
        left_out={reason: counts[reason] for reason in LEFT_OUT if counts[reason]},
        withdrawn=frozenset(final_at),
        final_at=final_at,
        models=models,
        last_erasure=reading.last_erasure(),
    )


def board_document(
    pairs: Iterable[JudgedPair], models: Mapping[str, PublishedModel], options: LeaderboardOptions
) -> dict[str, Any]:
    """Return the leaderboard of published pairs as JSON values, the same for the same pairs in any order."""
    judged = sorted(pairs, key=lambda pair: (pair.created_at, pair.vote_id, pair.model_a, pair.model_b, pair.winner))
    document: dict[str, Any] = json.loads(
        json.dumps(build_leaderboard(judged, models, options=options).as_document(), allow_nan=False)
    )
    return document


def why_not(pairs: Sequence[JudgedPair], options: LeaderboardOptions) -> Mapping[str, str]:
    """Return the words for each vote that does not count, by vote id."""
    policy = options.policy.with_fallback(pairs)
    return {vote_id: policy.why_not(reason) for vote_id, reason in reasons_of(pairs, policy).items()}


def withdrawn_digest(contents: Contents, until: str) -> str:
    """Return a hash of the withdrawn battles that were final at a time, which tells nothing about them."""
    ids = sorted(battle_id for battle_id in contents.withdrawn if contents.final_at[battle_id] <= until)
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def options_document(options: LeaderboardOptions) -> dict[str, Any]:
    """Return the options of a board as JSON values."""
    document: dict[str, Any] = json.loads(json.dumps(asdict(options), allow_nan=False))
    return document


def _reason(row: Mapping[str, Any], now: str, is_personal: bool) -> str:
    if not _is_final(row, now):
        return "undecided"
    if row["pair"].imported is not None:
        return "imported"
    if row["erased_at"] is not None:
        return "erased"
    if row["hidden_at"] is not None:
        return "hidden"
    return "held_back" if is_personal else ""


def _is_final(row: Mapping[str, Any], now: str) -> bool:
    """Return True if the vote counts on the board at a time; the rule is that of `filters.FINAL`."""
    return bool(row["is_revealed"] or _is_over(row, now) or row["pair"].created_at > now)


def _is_over(row: Mapping[str, Any], now: str) -> bool:
    """Return True if the time to undo the vote is over."""
    return row["final_at"] is not None and row["final_at"] <= now


def _named(pair: JudgedPair, raters: RaterNames) -> JudgedPair:
    """Return the pair with its rater's pseudonym; texts that many pairs have are one object."""
    return replace(
        pair,
        rater_id=raters.name(pair.rater_id, pair.origin),
        model_a=intern(pair.model_a),
        model_b=intern(pair.model_b),
        winner=intern(pair.winner),
        category=intern(pair.category),
    )


def _models(reading: Reading, judgements: Iterable[Judgement]) -> Mapping[str, PublishedModel]:
    ids = sorted({model for judged in judgements for model in (judged.pair.model_a, judged.pair.model_b)})
    cards = reading.cards(ids)
    return {
        id: PublishedModel(card.name, spdx(card.license), card.public_repo, card.revision) for id, card in cards.items()
    }
