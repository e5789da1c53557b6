"""One fit per filter, shared: who waits, who sees the board before, and how often it is made."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

import pytest

from playground.arena.boards import MOST, QUICK_S, REST, Boards
from playground.errors import InvalidValue
from playground.ratings.leaderboard import Leaderboard
from tests.support.patience import wait_until


class Made(tuple[str, int]):
    """A board by what was asked for and the state of the votes."""

    claims_are_known: bool


@dataclass
class Bench:
    """Boards whose making takes as long as told, on votes and time that change when told."""

    state: int = 0
    now: float = 0.0
    takes_s: float = 0.0
    many_votes: bool = False  # their claims are made beside
    made: list[Any] = field(default_factory=list)
    held: Event | None = None
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        is_default = "all".__eq__
        self.boards: Boards[str] = Boards(self.make, is_default, lambda: self.state, lambda: self.now)

    def make(self, asked: str, patient: bool) -> Leaderboard:
        made = Made((asked, self.state))
        made.claims_are_known = patient or not self.many_votes
        with self.lock:
            self.made.append(made)
        if self.held is not None:
            assert self.held.wait(10)
        self.now += self.takes_s
        if asked == "wrong":
            raise InvalidValue("no such category")
        return made  # type: ignore[return-value]

    def get(self, asked: str = "all") -> Any:
        return self.boards.get(asked)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    if made.held is not None:
        made.held.set()


def test_nothing_is_made_again_without_a_vote(bench: Bench) -> None:
    assert bench.get() == bench.get() == ("all", 0)
    assert bench.made == [("all", 0)]


def test_quick_board_is_always_that_of_the_last_vote(bench: Bench) -> None:
    bench.get()
    bench.state = 1
    assert bench.get() == ("all", 1)


def test_four_visitors_share_one_fit(bench: Bench) -> None:
    bench.held = Event()
    with ThreadPoolExecutor(4) as pool:
        boards = [pool.submit(bench.get) for _ in range(4)]
        wait_until(lambda: bench.made)
        assert not any(board.done() for board in boards)
        bench.held.set()
        assert {board.result(10) for board in boards} == {("all", 0)}
    assert bench.made == [("all", 0)]


def test_filters_do_not_wait_for_each_other(bench: Bench) -> None:
    bench.held = Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(bench.get, "slow")
        wait_until(lambda: bench.made)
        held, bench.held = bench.held, None
        assert bench.get("other") == ("other", 0)
        held.set()
        assert slow.result(10) == ("slow", 0)


def test_slow_board_is_shown_as_it_was_while_the_next_is_made(bench: Bench) -> None:
    bench.takes_s = 2 * QUICK_S
    bench.get()
    bench.now += REST * bench.takes_s
    bench.state, bench.held = 1, Event()
    assert [bench.get() for _ in range(3)] == [("all", 0)] * 3
    wait_until(lambda: len(bench.made) == 2)
    bench.held.set()
    wait_until(lambda: bench.get() == ("all", 1))
    assert bench.made == [("all", 0), ("all", 1)]


def test_slow_board_rests_however_many_votes_come(bench: Bench) -> None:
    bench.takes_s = 2 * QUICK_S
    bench.get()
    for state in range(1, 50):
        bench.state = state
        assert bench.get() == ("all", 0)
    assert len(bench.made) == 1


def test_error_reaches_all_who_wait_and_is_not_kept(bench: Bench) -> None:
    bench.held = Event()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(bench.get, "wrong") for _ in range(2)]
        wait_until(lambda: bench.made)
        bench.held.set()
        for one in waiting:
            with pytest.raises(InvalidValue, match="no such category"):
                one.result(10)
    with pytest.raises(InvalidValue, match="no such category"):
        bench.get("wrong")


def test_few_boards_are_kept(bench: Bench) -> None:
    for number in range(MOST + 1):
        bench.get(f"filter {number}")
    bench.get("filter 1")
    bench.get("filter 0")
    assert len(bench.made) == MOST + 2


def test_filters_do_not_push_the_default_board_out(bench: Bench) -> None:
    bench.get()
    for number in range(MOST + 1):
        bench.get(f"filter {number}")
    bench.get()
    assert bench.made.count(("all", 0)) == 1


def test_claims_of_many_votes_are_made_beside_the_board(bench: Bench) -> None:
    bench.many_votes = True
    assert not bench.get().claims_are_known
    wait_until(lambda: bench.get().claims_are_known)
    assert bench.made == [("all", 0)] * 2


def test_board_keeps_its_claims_until_those_of_new_votes_are_known(bench: Bench) -> None:
    bench.many_votes, bench.takes_s = True, 2 * QUICK_S
    bench.get()
    wait_until(lambda: bench.get().claims_are_known)
    bench.now += REST * bench.takes_s
    bench.state, bench.held = 1, Event()
    board = bench.get()
    assert (board, board.claims_are_known) == (("all", 0), True)
    bench.held.set()
    wait_until(lambda: bench.get() == ("all", 1))
    assert bench.get().claims_are_known


def test_claims_of_many_filters_are_made_one_after_another(bench: Bench) -> None:
    bench.many_votes = True
    filters = [str(number) for number in range(5)]
    for asked in filters:
        bench.get(asked)
    bench.held = Event()
    for asked in filters:
        bench.get(asked)
    wait_until(lambda: len(bench.made) == 6)
    bench.held.set()
    wait_until(lambda: all(bench.get(asked).claims_are_known for asked in filters))
    assert len(bench.made) == 10
