"""Boards and analyses of an arena: what is asked for, and what is said while there is nothing yet."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from playground.arena.arena import Arena
from playground.arena.boards import asked_board, newest_analyses
from playground.arena.result_cache import ResultCache
from playground.errors import InvalidValue
from playground.ratings.analyses import Analyses, Carrying, NoAnalyses
from playground.ratings.board_rules import DEFAULT_RULES, BoardRules
from playground.ratings.leaderboard import NO_FILTER
from playground.ratings.policy import CountingPolicy
from playground.settings import Settings


def test_analyses_that_are_missing_say_if_they_are_coming() -> None:
    held = Event()

    def make(asked: str, patient: bool) -> Any:
        assert held.wait(10)
        raise InvalidValue("no such category")

    cache: Any = ResultCache(make, bool, lambda: 1, 2)
    asked: Any = "all"
    assert newest_analyses(cache, asked, 0) == NoAnalyses()
    held.set()
    assert newest_analyses(cache, asked, 10) == NoAnalyses("no such category")


@pytest.mark.parametrize(
    ("data", "is_operator", "lists"), [("operator", False, False), ("operator", True, True), ("public", False, True)]
)
def test_battles_are_named_for_who_may_browse_them(
    data: Literal["operator", "public"], is_operator: bool, lists: bool
) -> None:
    carrying = Carrying(votes=1, share=0.1, leader="x", first="y", battles=("b" * 32,), text="")
    made = Analyses(style=None, carrying=carrying, stability=None, agreement=None)  # type: ignore[arg-type]
    cache = SimpleNamespace(newest=lambda *_: made)
    arena: Any = SimpleNamespace(settings=Settings(data=data), _analyses=cache, _asked=lambda *_: "all")
    found = Arena.analyses(arena, is_operator=is_operator)
    assert isinstance(found, Analyses)
    assert found.carrying is not None
    assert found.carrying.battles == (carrying.battles if lists else ())


@pytest.mark.parametrize(
    ("rules", "filtered"), [(DEFAULT_RULES, False), (BoardRules(level=0.9), True), (BoardRules(resamples=100), True)]
)
def test_a_board_with_other_rules_keeps_no_claims(rules: BoardRules, filtered: bool) -> None:
    models: Any = SimpleNamespace(line_up=())
    _, options, _ = asked_board(CountingPolicy(), 1.0, models, NO_FILTER, None, rules)
    assert (options.filtered, options.level, options.resamples) == (filtered, rules.level, rules.resamples)
