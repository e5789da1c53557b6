"""Analyses beside the boards: who waits, when they are made again, and what an error leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, active_count
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from playground.arena.analyses import MOST, REST, BackgroundAnalyses, asked_board
from playground.arena.arena import Arena
from playground.errors import InvalidValue
from playground.ratings.analyses import Analyses, Carrying, NoAnalyses
from playground.ratings.board_rules import DEFAULT_RULES, BoardRules
from playground.ratings.leaderboard import NO_FILTER
from playground.ratings.policy import CountingPolicy
from playground.settings import Settings
from tests.support.patience import wait_until

LONG_S = 10.0


@dataclass
class Bench:
    """Analyses whose making takes as long as told."""

    state: int = 0
    now: float = 0.0
    takes_s: float = 0.0
    made: list[Any] = field(default_factory=list)
    held: Event | None = None
    fails: bool = False
    started: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.analyses: BackgroundAnalyses[str] = BackgroundAnalyses(
            self.make, lambda: self.state, lambda: self.now, "all".__eq__
        )

    def make(self, asked: str) -> Analyses:
        made = (asked, self.state)
        self.started.append(asked)
        if self.held is not None:
            assert self.held.wait(LONG_S)
        self.made.append(made)
        self.now += self.takes_s
        if self.fails:
            raise InvalidValue("no such category")
        return made  # type: ignore[return-value]

    def get(self, asked: str = "all", wait_s: float = LONG_S) -> Any:
        found = self.analyses.get(asked, wait_s)
        return None if isinstance(found, NoAnalyses) else found


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    if made.held is not None:
        made.held.set()


def test_quick_analyses_are_there_at_once_and_made_once(bench: Bench) -> None:
    assert bench.get() == bench.get() == ("all", 0)
    assert bench.made == [("all", 0)]


def test_nobody_waits_for_long_ones(bench: Bench) -> None:
    bench.held = Event()
    assert bench.get(wait_s=0) is None
    bench.held.set()
    wait_until(lambda: bench.get(wait_s=0) == ("all", 0))
    assert bench.made == [("all", 0)]


def test_old_ones_are_shown_while_new_ones_are_made_and_rest_after_it(bench: Bench) -> None:
    bench.takes_s = 2.0
    assert bench.get() == ("all", 0)
    bench.state = 1
    assert bench.get() == ("all", 0)
    assert bench.made == [("all", 0)]
    bench.now += REST * 2.0
    bench.held = Event()
    assert bench.get(wait_s=0) == ("all", 0)
    bench.held.set()
    wait_until(lambda: bench.get(wait_s=0) == ("all", 1))


def test_one_is_made_at_a_time(bench: Bench) -> None:
    bench.held = Event()
    for asked in ("all", "code", "all"):
        assert bench.get(asked, wait_s=0) is None
    bench.held.set()
    wait_until(lambda: len(bench.made) == 2)
    assert {asked for asked, _ in bench.made} == {"all", "code"}


def test_an_error_leaves_the_old_ones_until_votes_change(bench: Bench) -> None:
    bench.fails = True
    assert bench.get() is None
    assert bench.get() is None
    assert len(bench.made) == 1
    bench.fails, bench.state = False, 1
    assert bench.get() == ("all", 1)
    bench.fails, bench.state = True, 2
    assert bench.get() == ("all", 1)


def test_analyses_that_are_missing_say_if_they_are_coming(bench: Bench) -> None:
    bench.held = Event()
    assert bench.analyses.get("all", 0) == NoAnalyses()
    bench.fails = True
    bench.held.set()
    wait_until(lambda: bench.analyses.get("all", 0) == NoAnalyses("no such category"))
    bench.fails, bench.state = False, 1
    assert bench.get() == ("all", 1)


def test_the_oldest_are_forgotten(bench: Bench) -> None:
    for number in range(MOST + 1):
        bench.get(str(number))
    bench.get(str(MOST))
    bench.get("0")
    assert [asked for asked, _ in bench.made].count("0") == 2
    assert [asked for asked, _ in bench.made].count(str(MOST)) == 1


def test_many_filters_take_one_thread_and_are_not_all_made(bench: Bench) -> None:
    bench.held = Event()
    bench.get("first", wait_s=0)
    wait_until(lambda: bench.started == ["first"])
    threads = active_count()
    for number in range(3 * MOST):
        assert bench.get(str(number), wait_s=0) is None
    bench.get("all", wait_s=0)
    assert active_count() == threads
    bench.held.set()
    wait_until(lambda: len(bench.made) == MOST + 1)
    assert bench.made[1] == ("all", 0)
    assert [asked for asked, _ in bench.made[2:]] == [str(number) for number in range(2 * MOST + 1, 3 * MOST)]


def test_filters_do_not_push_the_default_ones_out(bench: Bench) -> None:
    bench.get()
    for number in range(2 * MOST):
        bench.get(str(number))
    bench.get()
    assert [asked for asked, _ in bench.made].count("all") == 1


@pytest.mark.parametrize(
    ("data", "is_operator", "lists"), [("operator", False, False), ("operator", True, True), ("public", False, True)]
)
def test_battles_are_named_for_who_may_browse_them(
    data: Literal["operator", "public"], is_operator: bool, lists: bool
) -> None:
    carrying = Carrying(votes=1, share=0.1, leader="x", first="y", battles=("b" * 32,), text="")
    made = Analyses(style=None, carrying=carrying, stability=None, agreement=None)  # type: ignore[arg-type]
    background = SimpleNamespace(get=lambda _: made)
    arena: Any = SimpleNamespace(settings=Settings(data=data), _analyses=background, _asked=lambda *_: "all")
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
