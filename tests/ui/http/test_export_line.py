"""The line for files: turns, places, and visitors who leave."""

from __future__ import annotations

import asyncio

import pytest

from playground.errors import Busy
from playground.ui.http.export_line import ExportLine, ExportProgress, Remembered, Stage, is_ticket


async def settled() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class Visitor:
    """A visitor in the line, whose file is written and fetched when told."""

    def __init__(self, line: ExportLine, name: str) -> None:
        self.progress, self.is_writing, self.is_done = ExportProgress(), False, False
        self._written, self._fetched = asyncio.Event(), asyncio.Event()
        self.task = asyncio.ensure_future(self._visit(line, name))

    async def _visit(self, line: ExportLine, name: str) -> None:
        async with line.turn(name, self.progress) as pass_on:
            self.is_writing = True
            await self._written.wait()
            self.is_writing = False
            pass_on()
            await self._fetched.wait()
        self.is_done = True

    async def write(self) -> None:
        self._written.set()
        await settled()

    async def fetch(self) -> None:
        self._fetched.set()
        await settled()


def writing(visitors: list[Visitor]) -> list[int]:
    return [number for number, visitor in enumerate(visitors) if visitor.is_writing]


async def in_line(line: ExportLine, count: int) -> list[Visitor]:
    visitors = [Visitor(line, f"v{number}") for number in range(count)]
    await settled()
    return visitors


def test_two_are_written_at_once_and_the_others_follow_in_order() -> None:
    async def visit() -> None:
        visitors = await in_line(ExportLine(made_at_once=2), 5)
        assert writing(visitors) == [0, 1]
        assert [visitor.progress.ahead for visitor in visitors[2:]] == [0, 1, 2]
        await visitors[1].write()
        assert writing(visitors) == [0, 2]
        assert [visitor.progress.ahead for visitor in visitors[3:]] == [0, 1]
        await visitors[0].write()
        assert writing(visitors) == [2, 3]

    asyncio.run(visit())


def test_files_that_are_fetched_slowly_keep_new_ones_away() -> None:
    async def visit() -> None:
        visitors = await in_line(ExportLine(made_at_once=2, most_files=3), 4)
        for visitor in visitors[:3]:
            await visitor.write()
        assert writing(visitors) == []
        await visitors[2].fetch()
        assert writing(visitors) == [3]

    asyncio.run(visit())


def test_visitor_has_one_file_until_it_is_fetched() -> None:
    async def visit() -> None:
        line = ExportLine()
        first = Visitor(line, "ada")
        await settled()
        await first.write()
        with pytest.raises(Busy, match="Your last file is still being made or sent") as busy:
            async with line.turn("ada", ExportProgress()):
                pass
        assert busy.value.wait_s == 5
        await first.fetch()
        async with line.turn("ada", ExportProgress()):
            pass

    asyncio.run(visit())


def test_full_line_and_long_wait_are_told_when_to_try_again() -> None:
    async def visit() -> None:
        line = ExportLine(made_at_once=1, most_waiting=1, longest_wait_s=0.05)
        visitors = await in_line(line, 3)
        with pytest.raises(Busy, match=r"Too many files .* Try again in 10 s"):
            visitors[2].task.result()
        with pytest.raises(Busy, match="Too many files"):
            await visitors[1].task
        await visitors[0].write()
        async with line.turn("v1", ExportProgress()):  # they are forgotten
            pass

    asyncio.run(visit())


@pytest.mark.parametrize("number", [0, 1, 2], ids=["writing", "next", "last"])
def test_visitor_who_leaves_gives_their_turn_to_the_next(number: int) -> None:
    async def visit() -> None:
        line = ExportLine(made_at_once=1, most_files=2)
        visitors = await in_line(line, 3)
        gone = visitors.pop(number)
        gone.task.cancel()
        await settled()
        for visitor in visitors:
            assert visitor.is_writing
            await visitor.write()
            await visitor.fetch()
        assert all(visitor.is_done for visitor in visitors)

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("progress", "share"),
    [
        (ExportProgress(), None),
        (ExportProgress(Stage.WRITING, done=5), None),
        (ExportProgress(Stage.WRITING, done=5, total=20), 0.25),
        (ExportProgress(Stage.WRITING, done=25, total=20), 1.0),
        (ExportProgress(Stage.SENDING), 1.0),
        (ExportProgress(Stage.FAILED, done=5, total=20), None),
    ],
)
def test_share_is_known_while_a_file_is_written(progress: ExportProgress, share: float | None) -> None:
    assert progress.share == share


def test_oldest_value_is_forgotten() -> None:
    kept: Remembered[int] = Remembered(2)
    for number in range(3):
        kept.keep(str(number), number)
    assert [kept.get(str(number)) for number in range(3)] == [None, 1, 2]


@pytest.mark.parametrize("text", ["", "ab", "AB" * 16, "ab" * 17, "zz" * 16, "ab" * 15 + "a\n"])
def test_ticket_is_32_hexadecimal_digits(text: str) -> None:
    assert is_ticket("ab" * 16)
    assert not is_ticket(text)
