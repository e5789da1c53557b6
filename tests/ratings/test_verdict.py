"""The sentences of the verdict."""

from __future__ import annotations

import math

import pytest

from playground.ratings import verdict
from playground.ratings.verdict import Verdict

NAMES = ["Galpaca", "Minotaur", "orca-mini", "OpenAlpaca", "Mamba-GPT"]


def told_apart(m: int, *equal: tuple[int, int], votes: float = 57.2, among: str = "") -> Verdict:
    """The verdict when everybody is better than those below but for the pairs in `equal`."""
    better = [[i < j and (i, j) not in equal for j in range(m)] for i in range(m)]
    return verdict.told_apart(NAMES[:m], better, [[votes] * m for _ in range(m)], among=among)


@pytest.mark.parametrize(
    ("m", "equal", "headline", "detail"),
    [
        (2, [], "Galpaca leads.", "Every place is settled."),
        (
            2,
            [(0, 1)],
            "Nobody leads yet: Galpaca and Minotaur cannot be told apart.",
            "About 60 more votes between them would do.",
        ),
        (
            3,
            [(1, 2)],
            "Galpaca leads. Minotaur and orca-mini cannot be told apart yet.",
            "About 60 more votes between them would do.",
        ),
        (
            3,
            [(0, 1), (1, 2), (0, 2)],
            "Nobody leads yet: Galpaca, Minotaur and orca-mini cannot be told apart.",
            "About 60 more votes between Galpaca and Minotaur would do.",
        ),
        (
            4,
            [(1, 2), (2, 3)],
            "Galpaca leads. Minotaur, orca-mini and OpenAlpaca cannot all be told apart yet.",
            "About 60 more votes between Minotaur and orca-mini would do.",
        ),
        (
            4,
            [(0, 1), (2, 3)],
            "Nobody leads yet: Galpaca and Minotaur cannot be told apart. "
            "orca-mini and OpenAlpaca cannot be told apart yet.",
            "About 60 more votes between Galpaca and Minotaur would do. "
            "About 60 more votes between orca-mini and OpenAlpaca would do.",
        ),
        (
            3,
            [(0, 2)],
            "Nobody leads yet: Galpaca and orca-mini cannot be told apart.",
            "About 60 more votes between them would do.",
        ),
        (
            5,
            [(i, j) for i in range(5) for j in range(5)],
            "Nobody leads yet: Galpaca, Minotaur, orca-mini and 2 others cannot be told apart.",
            "About 60 more votes between Galpaca and Minotaur would do.",
        ),
    ],
)
def test_told_apart(m: int, equal: list[tuple[int, int]], headline: str, detail: str) -> None:
    assert told_apart(m, *equal) == Verdict(headline, detail)


def test_more_open_places_than_two_are_summed_up() -> None:
    better = [[i < j and i // 2 != j // 2 for j in range(6)] for i in range(6)]
    found = verdict.told_apart(list("ABCDEF"), better, [[40.0] * 6] * 6)
    assert found.headline == (
        "Nobody leads yet: A and B cannot be told apart. C and D cannot be told apart yet. "
        "Some lower places are undecided too."
    )


@pytest.mark.parametrize("votes", [5001, math.inf])
def test_very_many_votes_needed_read_as_equal(votes: float) -> None:
    detail = "More than 5,000 votes between them would be needed: they are about equal."
    assert told_apart(2, (0, 1), votes=votes).detail == detail


def test_leader_among_models_with_enough_battles() -> None:
    among = "the models with 30 battles or more"
    assert told_apart(2, among=among).headline == f"Galpaca leads among {among}."
    assert told_apart(2, (0, 1), among=among).headline == (
        f"Nobody leads among {among} yet: Galpaca and Minotaur cannot be told apart."
    )


@pytest.mark.parametrize(
    ("votes", "said"),
    [(0, 10), (3, 10), (10, 10), (57.2, 60), (99, 100), (101, 110), (137, 140), (1234, 1300)],
)
def test_round_up(votes: float, said: int) -> None:
    assert verdict.round_up(votes) == said


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            {"only_open": False, "left_out": "", "same_model": False, "category": ""},
            "No votes yet. Compare answers blind and vote: 30 battles per model make a first ranking.",
        ),
        (
            {"only_open": False, "left_out": "", "same_model": False, "category": "coding"},
            "No votes in the category coding yet. "
            "Compare answers blind and vote: 30 battles per model make a first ranking.",
        ),
        (
            {"only_open": True, "left_out": "7 votes: none counts.", "same_model": False, "category": ""},
            "No blind votes yet. Compare answers blind and vote: 30 battles per model make a first ranking.",
        ),
        (
            {"only_open": False, "left_out": "7 votes: none counts.", "same_model": False, "category": ""},
            "No vote counts yet. 7 votes: none counts. "
            "Compare answers blind and vote: 30 battles per model make a first ranking.",
        ),
        (
            {"only_open": False, "left_out": "", "same_model": True, "category": ""},
            "No two different models have met yet. A ranking needs battles between at least two models.",
        ),
    ],
)
def test_nothing_to_rate(found, words: str) -> None:
    assert str(verdict.nothing_yet(30, **found)) == words


@pytest.mark.parametrize(
    ("votes", "bad", "words"),
    [
        (40, 0, "Only ties so far. 40 votes; a ranking needs votes for one answer."),
        (1, 0, "Only ties so far. 1 vote; a ranking needs votes for one answer."),
        (12, 12, 'No answer was good enough so far. 12 votes, each for "all bad".'),
        (12, 11, "Nobody has won yet. 12 votes: 1 tie, the others all bad."),
    ],
)
def test_nobody_won(votes: int, bad: int, words: str) -> None:
    assert str(verdict.nobody_won(votes, bad)) == words


@pytest.mark.parametrize(
    ("battles", "missing"),
    [([0, 0], 30), ([30, 29], 1), ([10, 20, 25], 20), ([10, 10, 10], 30), ([30, 31], 0), ([], 0)],
)
def test_missing_votes_are_counted_two_models_at_a_time(battles: list[int], missing: int) -> None:
    assert verdict.missing_votes(30, battles) == missing


def test_too_few_votes() -> None:
    assert str(verdict.too_few(30, [10, 12])) == (
        "Too few votes for a ranking yet. "
        "Ratings are provisional below 30 battles per model: at least 20 more votes are needed."
    )
    assert verdict.too_few(30, [29, 40]).detail.endswith("at least 1 more vote is needed.")


def test_groups_that_have_not_met() -> None:
    assert str(verdict.unconnected(2)) == (
        "The models form 2 groups that have not met. "
        "Each group has a scale of its own; battles between them would join them."
    )
