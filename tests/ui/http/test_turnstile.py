"""Concurrent entries pass one by one, with breaks; time passes only while the turnstile sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from playground.clock import Clock
from playground.ui.http import turnstile
from playground.ui.http.turnstile import BREAK_S, CROWD_S, Turnstile


@dataclass
class Scene:
    """A turnstile with a clock set by hand, and the times of entries."""

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
        """Return the times at which concurrent entries pass; they pass in order."""

        async def together() -> None:
            await asyncio.gather(*(self.come(name) for name in range(count)))

        asyncio.run(together())
        assert [name for name, _ in self.passed] == list(range(count))
        return [at_s for _, at_s in self.passed]


def test_lone_comparison_does_not_wait() -> None:
    scene = Scene()
    asyncio.run(scene.come(1))
    scene.at_s += BREAK_S
    asyncio.run(scene.come(2))
    assert scene.passed == [(1, 100.0), (2, 100.0 + BREAK_S)]


def test_concurrent_entries_are_one_break_apart() -> None:
    assert Scene().crowd(4) == pytest.approx([100 + i * BREAK_S for i in range(4)])


def test_breaks_of_a_large_crowd_are_shorter() -> None:
    times = Scene().crowd(1000)
    assert times[1] - times[0] == pytest.approx(CROWD_S / 999)
    assert times[-1] - times[-2] == pytest.approx(BREAK_S)
    assert times[-1] - times[0] < 5 * CROWD_S


def test_break_begins_when_the_last_entry_leaves() -> None:
    scene = Scene()

    def be_slow() -> None:
        scene.at_s += 3.0

    async def both() -> None:
        await asyncio.gather(scene.come(1, be_slow), scene.come(2))

    asyncio.run(both())
    assert scene.passed == [(1, 100.0), (2, pytest.approx(103.0 + BREAK_S))]


def test_failing_entry_lets_the_next_in() -> None:
    scene = Scene()

    def fail() -> None:
        raise ZeroDivisionError

    async def both() -> list[BaseException | None]:
        return await asyncio.gather(scene.come(1, fail), scene.come(2), return_exceptions=True)

    assert isinstance(asyncio.run(both())[0], ZeroDivisionError)
    assert [name for name, _ in scene.passed] == [1, 2]


def test_early_leave_lets_the_next_in() -> None:
    scene = Scene()
    order: list[str] = []

    async def slow() -> None:
        async with scene.turnstile.turn() as leave:
            leave()
            leave()
            while "next" not in order:
                await asyncio.sleep(0)
            order.append("slow")

    async def next_one() -> None:
        async with scene.turnstile.turn():
            order.append("next")

    async def both() -> None:
        await asyncio.gather(slow(), next_one())
        await scene.come(3)

    asyncio.run(asyncio.wait_for(both(), 60))
    assert order == ["next", "slow"]


def test_long_entry_is_left_by_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "LONGEST_S", 0.01)
    scene = Scene()

    async def both() -> None:
        async with scene.turnstile.turn():  # waits for a reader, or for a disk
            await scene.come(2)

    asyncio.run(asyncio.wait_for(both(), 60))
    assert [name for name, _ in scene.passed] == [2]


def test_cancelled_entry_takes_no_turn() -> None:
    scene = Scene()

    async def some() -> None:
        async with scene.turnstile.turn():
            waiting = asyncio.create_task(scene.come(1))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await scene.come(2)

    asyncio.run(asyncio.wait_for(some(), 60))
    assert [name for name, _ in scene.passed] == [2]
