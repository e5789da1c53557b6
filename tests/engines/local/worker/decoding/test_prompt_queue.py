"""Prompts of about the same length are read together, long ones in pieces; none waits for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engines.local.worker.decoding.prompt_queue import MAX_PASSES, PromptQueue

MAX_TOKENS = 100


Step = list[list[int] | tuple[int, int]]
"""What a step reads: lengths of whole prompts, or begin and end of a piece."""


def queue_of(lengths: list[int], max_padding: int = 8, in_pieces: bool = True) -> PromptQueue[str]:
    """Return a queue of rows that are named by number and length."""
    queue: PromptQueue[str] = PromptQueue(MAX_TOKENS, max_padding, in_pieces=in_pieces)
    for number, length in enumerate(lengths):
        queue.add(f"{number}: {length}", length)
    return queue


def length_of(row: str) -> int:
    return int(row.split()[1])


def take(queue: PromptQueue[str]) -> Step:
    """Return what the next step reads."""
    step: Step = []
    for group in queue.take_step():
        lengths = [length_of(row) for row in group.rows]
        whole = (group.begin, group.end, group.is_last) == (0, max(lengths), True)
        step.append(lengths if whole else (group.begin, group.end))
    return step


@pytest.mark.parametrize(
    ("lengths", "steps"),
    [
        ([10], [[[10]]]),
        ([10, 50, 12, 48, 9], [[[10, 9, 12], [50]], [[48]]]),
        ([10, 30, 12], [[[10, 12], [30]]]),
        ([30, 30, 30, 30], [[[30, 30, 30]], [[30]]]),
        ([90, 20, 20], [[[90]], [[20, 20]]]),
        ([250], [[(0, 100)], [(100, 200)], [(200, 250)]]),
        ([200], [[(0, 100)], [(100, 200)]]),
        ([101], [[(0, 100)], [(100, 101)]]),
        ([300, 10, 11], [[[10, 11]], [(0, 100)], [(100, 200)], [(200, 300)]]),
        ([210, 310], [[(0, 100)], [(100, 200)], [(200, 210)], [(0, 100)], [(100, 200)], [(200, 300)], [(300, 310)]]),
    ],
)
def test_steps_read_groups_of_similar_prompts_or_a_piece(lengths: list[int], steps: list[Step]) -> None:
    queue = queue_of(lengths)
    found = []
    while queue:
        found.append(take(queue))
    assert found == steps


def test_long_prompts_are_read_whole_where_pieces_are_not_wanted() -> None:
    queue = queue_of([300, 400], in_pieces=False)
    assert [take(queue), take(queue), len(queue)] == [[[300]], [[400]], 0]


@given(
    arrivals=st.lists(st.lists(st.integers(1, 360), max_size=6), min_size=1, max_size=8),
    max_padding=st.integers(0, MAX_TOKENS),
)
def test_every_token_is_read_once_in_order_and_within_the_limits(arrivals: list[list[int]], max_padding: int) -> None:
    queue: PromptQueue[tuple[int, int]] = PromptQueue(MAX_TOKENS, max_padding)
    num_read: dict[tuple[int, int], int] = {}
    while arrivals or queue:
        for length in arrivals.pop(0) if arrivals else []:
            queue.add((len(num_read), length), length)
            num_read[len(num_read), length] = 0
        step = queue.take_step()
        cells = [len(group.rows) * (group.end - group.begin) for group in step]
        assert sum(cells) <= MAX_TOKENS
        for group, size in zip(step, cells, strict=True):
            assert len(group.rows) == 1 or size - sum(length for _, length in group.rows) <= (
                (len(group.rows) - 1) * max_padding
            )
            for row in group.rows:
                assert group.begin == num_read[row]
                num_read[row] = min(group.end, row[1])
                assert group.is_last == (num_read[row] == row[1])
                assert (group.begin == 0 and group.is_last) or group.begin % MAX_TOKENS == 0, "fixed pieces"
    assert all(read == length for (_, length), read in num_read.items())


@given(st.lists(st.integers(1, 330), min_size=1, max_size=30))
def test_oldest_prompt_is_passed_a_few_times_at_most(lengths: list[int]) -> None:
    queue = queue_of(lengths)
    oldest, passed, most = queue.rows[0], 0, MAX_PASSES
    while queue:
        read = [row for group in queue.take_step() for row in group.rows]
        passed = 0 if oldest in read else passed + 1
        most = 1 if oldest in read else most
        assert passed <= most
        if queue.rows and queue.rows[0] != oldest:
            oldest, passed, most = queue.rows[0], 0, MAX_PASSES


def test_long_prompt_is_read_while_short_ones_keep_coming() -> None:
    queue = queue_of([250])
    steps = []
    for _ in range(MAX_PASSES + 5):
        queue.add("short 90", 90)
        steps.append(take(queue))
    assert steps[:MAX_PASSES] == [[[90]]] * MAX_PASSES
    assert steps[MAX_PASSES:] == [[(0, 100)], [[90]], [(100, 200)], [[90]], [(200, 250)]]


def test_removed_row_is_not_read() -> None:
    queue = queue_of([500, 10, 12])
    take(queue)
    assert take(queue) == [(0, 100)]
    queue.add("next 400", 400)
    queue.remove("0: 500")
    assert queue.rows == ("next 400",)
    for _ in range(MAX_PASSES):
        queue.add("short 90", 90)
        assert take(queue) == [[90]], "the next one counts anew"
    queue.clear()
    assert len(queue) == 0
