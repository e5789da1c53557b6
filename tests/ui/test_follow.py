"""A battle is followed through passing errors to its last view; the more are running, the less often each is read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from playground.battles import Viewer
from playground.errors import PlaygroundError, Refused, StorageError
from playground.records import BattleState, BattleView, Instruction
from playground.ui import follow
from playground.ui.follow import AT_FULL_PACE, READ_EVERY_S, SLOWEST_S, Follower, interval_s

GENERATING, OPEN, *_ = BattleState
VIEW = BattleView("battle-1", GENERATING, True, 0, Instruction("hi"), {}, (), (), False, True, True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "RETRY_S", 0.0)
    monkeypatch.setattr(follow, "READ_EVERY_S", 0.0)


def followed(*said: BattleView | PlaygroundError, **how: Any) -> list[BattleView]:
    """The views that are yielded when the arena says these, one after another."""
    answers: Iterator[BattleView | PlaygroundError] = iter(said)

    def view(*_: object) -> BattleView:
        answer = next(answers)
        if isinstance(answer, PlaygroundError):
            raise answer
        return answer

    arena: Any = SimpleNamespace(battles=SimpleNamespace(glance=lambda *_: None, view=view), running=frozenset())

    async def all_views() -> list[BattleView]:
        return [view async for view in Follower(arena).follow("battle-1", Viewer("ada"), **how)]

    found = asyncio.run(all_views())
    assert next(answers, None) is None, "the last view was not asked for, or one after it"
    return found


def test_each_view_comes_once_and_the_first_after_writing_is_the_last() -> None:
    opened = replace(VIEW, state=OPEN)
    assert followed(VIEW, VIEW, opened) == [VIEW, opened]


def test_an_unchanged_view_comes_again_after_a_while() -> None:
    opened = replace(VIEW, state=OPEN)
    assert followed(VIEW, VIEW, opened, at_least_every_s=0.0) == [VIEW, VIEW, opened]


def test_an_error_that_may_pass_is_tried_again() -> None:
    opened = replace(VIEW, state=OPEN)
    assert followed(StorageError("busy"), VIEW, StorageError("busy"), opened) == [VIEW, opened]


def test_error_that_lasts_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "GIVE_UP_S", 0.0)
    with pytest.raises(StorageError, match="busy"):
        followed(VIEW, StorageError("busy"))


def test_a_battle_that_is_gone_ends_it() -> None:
    with pytest.raises(Refused):
        followed(VIEW, Refused("unknown", "There is none."))


def test_nothing_is_read_when_no_longer_wanted() -> None:
    wanted = iter([True, False])
    assert followed(VIEW, wanted=lambda: next(wanted)) == [VIEW]


def test_a_few_battles_are_read_at_full_pace() -> None:
    assert {interval_s(battles) for battles in range(AT_FULL_PACE + 1)} == {follow.READ_EVERY_S}


@pytest.mark.parametrize("battles", [7, 12, 32, 60])
def test_all_battles_together_are_read_no_more_often_than_a_few(battles: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "READ_EVERY_S", READ_EVERY_S)
    assert battles / interval_s(battles) == pytest.approx(AT_FULL_PACE / READ_EVERY_S)


def test_no_interval_is_longer_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "READ_EVERY_S", READ_EVERY_S)
    assert interval_s(10_000) == SLOWEST_S
