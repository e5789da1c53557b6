"""Raters judge stored battles of others, one after another; those of a study are in `studies`.

Boundary: says whether rating is open and which words look personal; the battles are made in `battles.rating`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from playground.arena.battles import ArenaBattles
from playground.battles import Viewer
from playground.battles.rating import Rating
from playground.errors import InvalidValue
from playground.messages import Message
from playground.publishing.personal import find_personal
from playground.records import BattleView
from playground.settings import Settings
from playground.studies.assignment import MOST_AHEAD

OFFERED_SINCE = "2026-12-01"
"""The first version of the terms that says that others may be given a comparison to judge."""
QUESTION = Message("Which answer is better?")
OFF = Message("Rating is switched off here.")
NOTHING_LEFT = Message("There is nothing to judge at the moment. You have seen everything that is offered.")


@dataclass(frozen=True, slots=True)
class Assignment:
    """The next battle of a rater, or the reason why there is none, and how many they have judged."""

    view: BattleView | None
    why_none: str = ""
    done: int = 0
    gone: tuple[str, ...] = ()  # battles that the page has loaded, and that cannot be judged any more


class ArenaRating:
    """The next stored battle of each rater."""

    def __init__(self, battles: ArenaBattles, settings: Settings, consent_version: str) -> None:
        self._battles = battles
        self._consent_version = consent_version
        self.is_open = settings.rate == "public"

    def next(self, viewer: Viewer, have: Collection[str]) -> Assignment:
        """Return the battle that a rater judges next; the same until it is judged, skipped or in `have`.

        Args:
            have: ids of open battles that the page has loaded already, at most `MOST_AHEAD`.

        Raises:
            InvalidValue: too many battles at once.
            StorageError: nothing can be stored.
        """
        if len(have) > MOST_AHEAD:
            raise InvalidValue(
                Message("have names {count} battles; valid: up to {most}", count=len(have), most=MOST_AHEAD)
            )
        if not self.is_open:
            return Assignment(None, OFF)
        rating = Rating(self._battles.stored, is_personal, OFFERED_SINCE)
        view = rating.next(viewer, have, self._consent_version)
        return Assignment(view, "" if view else NOTHING_LEFT, rating.count(viewer), rating.gone(have))

    def gone(self, have: Collection[str]) -> tuple[str, ...]:
        """Return those of the battles that a page has loaded that cannot be judged any more."""
        return Rating(self._battles.stored, is_personal, OFFERED_SINCE).gone(have)

    def skip(self, battle_id: str, viewer: Viewer) -> None:
        """End a battle without a vote; others may still be given its comparison.

        Raises:
            Refused: unknown, unfinished, foreign, void, or judged.
        """
        self._battles.stored.skip(battle_id, viewer)


def is_personal(text: str) -> bool:
    """Return True if a text looks personal, by the test that holds battles back from publication."""
    return next(find_personal(text), None) is not None
