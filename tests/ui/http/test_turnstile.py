"""Who comes together passes one by one, with breaks; time passes only where the turnstile waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from playground.clock import Clock
from playground.ui.http import turnstile
from playground.ui.http.turnstile import BREAK_S, CROWD_S, Turnstile


@dataclass
class Door:
    """A turnstile in told time, and when who went through it."""

    at_s: float = 100.0
    passed: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turnstile = Turnstile(Clock(monotonic=lambda: self.at_s), self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.at_s += seconds
        await asyncio.sleep(0)

    async def come(self, name: int, then: Callable[[], None] = lambda: None) -> None:
        async with self.turnstile.turn():
            self.passed.append((name, self.at_s))
            await asyncio.sleep(0)
            then()

    def crowd(self, count: int) -> list[float]:
        """When each of so many who come at once goes through; they go in their order."""

        async def together() -> None:
            await asyncio.gather(*(self.come(name) for name in range(count)))

        asyncio.run(together())
        assert [name for name, _ in self.passed] == list(range(count))
        return [at_s for _, at_s in self.passed]


def test_who_comes_alone_does_not_wait() -> None:
    door = Door()
    asyncio.run(door.come(1))
    door.at_s += BREAK_S
    asyncio.run(door.come(2))
    assert door.passed == [(1, 100.0), (2, 100.0 + BREAK_S)]


def test_who_come_together_pass_one_at_a_time_with_a_break_between() -> None:
    assert Door().crowd(4) == pytest.approx([100 + i * BREAK_S for i in range(4)])


def test_the_last_of_a_great_crowd_does_not_wait_for_all_the_breaks() -> None:
    times = Door().crowd(1000)
    assert times[1] - times[0] == pytest.approx(CROWD_S / 999)
    assert times[-1] - times[-2] == pytest.approx(BREAK_S)
    assert times[-1] - times[0] < 5 * CROWD_S


def test_the_break_begins_when_the_last_one_is_through() -> None:
    door = Door()

    def be_slow() -> None:
        door.at_s += 3.0

    async def both() -> None:
        await asyncio.gather(door.come(1, be_slow), door.come(2))

    asyncio.run(both())
    assert door.passed == [(1, 100.0), (2, pytest.approx(103.0 + BREAK_S))]


def test_one_that_fails_holds_nobody_up() -> None:
    door = Door()

    def fail() -> None:
        raise ZeroDivisionError

    async def both() -> list[BaseException | None]:
        return await asyncio.gather(door.come(1, fail), door.come(2), return_exceptions=True)

    assert isinstance(asyncio.run(both())[0], ZeroDivisionError)
    assert [name for name, _ in door.passed] == [1, 2]


def test_who_leaves_early_lets_the_next_one_in_and_leaves_once() -> None:
    door = Door()
    order: list[str] = []

    async def slow() -> None:
        async with door.turnstile.turn() as leave:
            leave()
            leave()
            while "next" not in order:
                await asyncio.sleep(0)
            order.append("slow")

    async def next_one() -> None:
        async with door.turnstile.turn():
            order.append("next")

    async def both() -> None:
        await asyncio.gather(slow(), next_one())
        await door.come(3)

    asyncio.run(asyncio.wait_for(both(), 60))
    assert order == ["next", "slow"]


def test_who_stays_inside_holds_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "LONGEST_S", 0.01)
    door = Door()

    async def both() -> None:
        async with door.turnstile.turn():  # waits for a reader, or for a disk
            await door.come(2)

    asyncio.run(asyncio.wait_for(both(), 60))
    assert [name for name, _ in door.passed] == [2]


def test_one_that_goes_while_it_waits_takes_nobodys_turn() -> None:
    door = Door()

    async def some() -> None:
        async with door.turnstile.turn():
            waiting = asyncio.create_task(door.come(1))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await door.come(2)

    asyncio.run(asyncio.wait_for(some(), 60))
    assert [name for name, _ in door.passed] == [2]
