"""The sentences of the verdict."""

from __future__ import annotations

import math

import pytest

from playground.ratings import verdict
from playground.ratings.power import VotesNeeded
from playground.ratings.verdict import Scope, Verdict

NAMES = ["Galpaca", "Minotaur", "orca-mini", "OpenAlpaca", "Mamba-GPT"]


def told_apart(
    m: int,
    *equal: tuple[int, int],
    votes: tuple[float, float] = (57.2, 233.0),
    scope: Scope = Scope(),  # noqa: B008  # frozen
    misfit: str = "",
) -> Verdict:
    """The verdict when everybody is better than those below but for the pairs in `equal`."""
    better = [[i < j and (i, j) not in equal for j in range(m)] for i in range(m)]
    return verdict.told_apart(NAMES[:m], better, better, lambda i, j: VotesNeeded(*votes), scope=scope, misfit=misfit)


@pytest.mark.parametrize(
    ("m", "equal", "headline", "detail"),
    [
        (2, [], "Galpaca leads.", "Every place is settled."),
        (
            2,
            [(0, 1)],
            "Nobody leads yet: Galpaca and Minotaur cannot be told apart.",
            "60 to 240 more votes between them would probably separate first from second.",
        ),
        (
            3,
            [(1, 2)],
            "Galpaca leads. Minotaur and orca-mini cannot be told apart yet.",
            "60 to 240 more votes between them would probably separate the two.",
        ),
        (
            3,
            [(0, 1), (1, 2), (0, 2)],
            "Nobody leads yet: Galpaca, Minotaur and orca-mini cannot be told apart.",
            "60 to 240 more votes between Galpaca and Minotaur would probably separate first from second.",
        ),
        (
            4,
            [(1, 2), (2, 3)],
            "Galpaca leads. Minotaur, orca-mini and OpenAlpaca cannot all be told apart yet.",
            "60 to 240 more votes between Minotaur and orca-mini would probably separate the two.",
        ),
        (
            4,
            [(0, 1), (2, 3)],
            "Nobody leads yet: Galpaca and Minotaur cannot be told apart. "
            "orca-mini and OpenAlpaca cannot be told apart yet.",
            "60 to 240 more votes between Galpaca and Minotaur would probably separate first from second. "
            "60 to 240 more votes between orca-mini and OpenAlpaca would probably separate the two.",
        ),
        (
            3,
            [(0, 2)],
            "Nobody leads yet: Galpaca, Minotaur and orca-mini cannot all be told apart.",
            "60 to 240 more votes between Galpaca and orca-mini would probably separate the two.",
        ),
        (
            5,
            [(i, j) for i in range(5) for j in range(5)],
            "Nobody leads yet: Galpaca, Minotaur, orca-mini and 2 others cannot be told apart.",
            "60 to 240 more votes between Galpaca and Minotaur would probably separate first from second.",
        ),
    ],
)
def test_told_apart(m: int, equal: list[tuple[int, int]], headline: str, detail: str) -> None:
    assert told_apart(m, *equal) == Verdict(headline, detail)


def test_more_open_places_than_two_are_summed_up() -> None:
    better = [[i < j and i // 2 != j // 2 for j in range(6)] for i in range(6)]
    found = verdict.told_apart(list("ABCDEF"), better, better, lambda i, j: VotesNeeded(40, 40))
    assert found.headline == (
        "Nobody leads yet: A and B cannot be told apart. C and D cannot be told apart yet. "
        "Some lower places are undecided too."
    )
    assert found.detail.startswith("About 40 more votes between A and B would probably separate first from second. ")


def test_models_that_need_very_many_votes_are_too_close() -> None:
    assert told_apart(2, (0, 1), votes=(5001.0, math.inf)).detail == "They are too close to separate by more votes."
    assert told_apart(4, (0, 1), (2, 3), votes=(5001.0, 9e6)).detail == (
        "Galpaca and Minotaur are too close to separate by more votes. "
        "orca-mini and OpenAlpaca are too close to separate by more votes."
    )


def test_a_number_that_may_not_be_enough_is_no_promise() -> None:
    assert told_apart(2, (0, 1), votes=(900.0, 5001.0)).detail == (
        "Even 5,000 more votes between them may not separate first from second."
    )


def test_the_leader_needs_no_corrected_order_and_others_do() -> None:
    ahead = [[i < j for j in range(3)] for i in range(3)]
    found = verdict.told_apart(list("ABC"), ahead, [[False] * 3] * 3, lambda i, j: VotesNeeded(40, 90))
    assert found.headline == "A leads. B and C cannot be told apart yet."


def test_votes_that_ratings_do_not_explain_have_no_number_of_votes() -> None:
    found = told_apart(3, (0, 1), misfit="These votes go in a circle.")
    assert found.detail == "These votes go in a circle."
    assert told_apart(3, misfit="These votes go in a circle.").detail == "These votes go in a circle."


def test_leader_among_models_with_enough_battles() -> None:
    scope = Scope(among="the models with 30 battles or more")
    leads = told_apart(2, scope=scope)
    assert leads.headline == f"Galpaca leads among {scope.among}."
    assert leads.detail == "Every place among them is settled."
    assert told_apart(2, (0, 1), scope=scope).headline == (
        f"Nobody leads yet among {scope.among}: Galpaca and Minotaur cannot be told apart."
    )


@pytest.mark.parametrize(("raters", "whose"), [(1, "this one rater"), (3, "these 3 raters")])
def test_few_raters_are_named_in_the_headline(raters: int, whose: str) -> None:
    assert told_apart(2, scope=Scope(raters=raters)).headline == f"For {whose}, Galpaca leads."
    assert told_apart(2, (0, 1), scope=Scope(raters=raters)).headline == (
        f"For {whose}, nobody leads yet: Galpaca and Minotaur cannot be told apart."
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
