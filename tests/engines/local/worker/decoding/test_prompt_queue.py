"""Prompts of about the same length are read together; none waits for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engines.local.worker.decoding.prompt_queue import MAX_PASSES, PromptQueue

MAX_TOKENS = 100


def queue_of(lengths: list[int], max_padding: int = 8) -> PromptQueue[str]:
    """Return a queue of rows that are named by number and length."""
    queue: PromptQueue[str] = PromptQueue(MAX_TOKENS, max_padding)
    for number, length in enumerate(lengths):
        queue.add(f"{number}: {length}", length)
    return queue


@pytest.mark.parametrize(
    ("lengths", "steps"),
    [
        ([10], [[[10]]]),
        ([10, 50, 12, 48, 9], [[[10, 9, 12], [50]], [[48]]]),
        ([10, 30, 12], [[[10, 12], [30]]]),
        ([30, 30, 30, 30], [[[30, 30, 30]], [[30]]]),
        ([90, 20, 20], [[[90]], [[20, 20]]]),
        ([300, 10, 11], [[[10, 11]], [[300]]]),
        ([300, 400], [[[300]], [[400]]]),
    ],
)
def test_steps_read_groups_of_similar_prompts(lengths: list[int], steps: list[list[list[int]]]) -> None:
    queue = queue_of(lengths)
    found = []
    while queue:
        found.append([[int(row.split()[1]) for row in group] for group in queue.take_step()])
    assert found == steps


@given(
    arrivals=st.lists(st.lists(st.integers(1, 160), max_size=6), min_size=1, max_size=8),
    max_padding=st.integers(0, MAX_TOKENS),
)
def test_every_prompt_is_read_once_and_within_the_limits(arrivals: list[list[int]], max_padding: int) -> None:
    queue: PromptQueue[tuple[int, int]] = PromptQueue(MAX_TOKENS, max_padding)
    added: list[tuple[int, int]] = []
    read: list[tuple[int, int]] = []
    while arrivals or queue:
        for length in arrivals.pop(0) if arrivals else []:
            added.append((len(added), length))
            queue.add(added[-1], length)
        groups = queue.take_step()
        cells = [len(group) * max(length for _, length in group) for group in groups]
        assert sum(cells) <= MAX_TOKENS or [len(group) for group in groups] == [1]
        for group, size in zip(groups, cells, strict=True):
            assert size - sum(length for _, length in group) <= (len(group) - 1) * max_padding
            read += group
    assert sorted(read) == added


@given(st.lists(st.integers(1, 130), min_size=1, max_size=30))
def test_oldest_prompt_is_passed_a_few_times_at_most(lengths: list[int]) -> None:
    queue = queue_of(lengths)
    oldest, passed = queue.rows[0], 0
    while queue:
        for group in queue.take_step():
            passed = 0 if oldest in group else passed + 1
            assert passed <= MAX_PASSES
        if queue.rows and queue.rows[0] != oldest:
            oldest, passed = queue.rows[0], 0


def test_long_prompt_is_read_while_short_ones_keep_coming() -> None:
    queue = queue_of([500])
    for step in range(MAX_PASSES):
        queue.add(f"short {step}", 90)
        assert queue.take_step() == [[f"short {step}"]]
    queue.add("late", 90)
    assert queue.take_step() == [["0: 500"]]


def test_removed_row_is_not_read() -> None:
    queue = queue_of([500, 10, 12])
    queue.take_step()
    queue.add("next", 400)
    queue.remove("0: 500")
    assert queue.rows == ("next",)
    for step in range(MAX_PASSES):
        queue.add(f"short {step}", 90)
        assert queue.take_step() == [[f"short {step}"]], "the next one counts anew"
    queue.clear()
    assert len(queue) == 0
