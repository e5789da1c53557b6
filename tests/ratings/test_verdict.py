"""Every sentence of the verdict, the notes and the findings."""

from __future__ import annotations

import math

import pytest

from playground.ratings import verdict
from playground.ratings.bias import Share
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
def test_who_leads_and_who_cannot_be_told_apart(
    m: int, equal: list[tuple[int, int]], headline: str, detail: str
) -> None:
    assert told_apart(m, *equal) == Verdict(headline, detail)


def test_more_open_places_than_two_are_summed_up() -> None:
    better = [[i < j and i // 2 != j // 2 for j in range(6)] for i in range(6)]
    found = verdict.told_apart(list("ABCDEF"), better, [[40.0] * 6] * 6)
    assert found.headline == (
        "Nobody leads yet: A and B cannot be told apart. C and D cannot be told apart yet. "
        "Further down there are more who cannot be told apart."
    )


@pytest.mark.parametrize("votes", [5001, math.inf])
def test_so_many_votes_that_they_are_about_equal(votes: float) -> None:
    detail = "More than 5,000 votes between them would be needed: they are about equal."
    assert told_apart(2, (0, 1), votes=votes).detail == detail


def test_who_leads_only_among_those_with_enough_battles() -> None:
    among = "the models with 30 battles or more"
    assert told_apart(2, among=among).headline == f"Galpaca leads among {among}."
    assert told_apart(2, (0, 1), among=among).headline == (
        f"Nobody leads among {among} yet: Galpaca and Minotaur cannot be told apart."
    )


@pytest.mark.parametrize(
    ("votes", "said"),
    [(0, 10), (3, 10), (10, 10), (57.2, 60), (99, 100), (101, 110), (137, 140), (1234, 1300)],
)
def test_numbers_of_votes_are_rounded_up_as_one_says_them(votes: float, said: int) -> None:
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
        (40, 0, "Only ties so far. 40 votes, and as long as nobody wins, there is no order."),
        (1, 0, "Only ties so far. 1 vote, and as long as nobody wins, there is no order."),
        (12, 12, "No answer was good enough so far. 12 votes: all answers bad in each."),
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
    groups = [["Galpaca", "Minotaur"], ["orca-mini", "OpenAlpaca"]]
    assert verdict.not_met(groups) == (
        "No battles between these groups yet: Galpaca and Minotaur · orca-mini and OpenAlpaca."
    )
    assert verdict.within(groups[0], told_apart(2)) == (
        "Among Galpaca and Minotaur: Galpaca leads. Every place is settled."
    )


def test_notes() -> None:
    assert verdict.provisional(30, [("Galpaca", 4), ("Minotaur", 12)]) == (
        "Provisional, below 30 battles: Galpaca (4) and Minotaur (12)."
    )
    assert verdict.not_rated(["Galpaca"]) == "No vote that counts yet: Galpaca."
    assert verdict.never_lost("Galpaca") == (
        "Galpaca has won every battle: only the prior keeps its rating finite, it may be far ahead."
    )
    assert verdict.never_won("Galpaca") == (
        "Galpaca has lost every battle: only the prior keeps its rating finite, it may be far behind."
    )
    assert verdict.few_raters(["Galpaca", "Minotaur"], 5) == (
        "Fewer than 5 raters judged Galpaca and Minotaur: that interval takes each vote by itself."
    )
    assert verdict.left_out_same(2) == "2 pairs of a model with itself: stored, not rated."


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {},
            "Blind votes of people · all categories · all-bad votes count as ties · 95 % intervals, sandwich, "
            "each rater a unit · ranks hold together at 95 % · "
            "prior: 1 × (models − 1) ties, spread evenly over the pairs that met",
        ),
        (
            {
                "which": "Blind and open votes",
                "category": "coding",
                "both_bad": "omit",
                "level": 0.995,
                "unit": "vote",
                "resamples": 9,
            },
            "Blind and open votes · category coding · all-bad votes left out · 99.5 % intervals, "
            "bootstrap, each vote a unit · ranks hold together at 99.5 % · "
            "prior: 1 × (models − 1) ties, spread evenly over the pairs that met",
        ),
    ],
)
def test_what_was_counted_and_how(changes, line: str) -> None:
    usual = {
        "which": "Blind votes of people",
        "category": "",
        "both_bad": "half",
        "prior": 1.0,
        "level": 0.95,
        "unit": "rater",
        "resamples": 0,
    }
    assert verdict.basis(**(usual | changes)) == line


# Can these votes be trusted?


@pytest.mark.parametrize(
    ("votes", "left_out", "lighter", "text"),
    [
        (1, [], 0, "1 vote."),
        (480, [], 0, "All 480 votes count."),
        (
            1003,
            [(120, "in open mode"), (31, "decided in under 1 s"), (40, "with an answer that names its model")],
            0,
            "1,003 votes: 812 count; "
            "120 in open mode, 31 decided in under 1 s, 40 with an answer that names its model.",
        ),
        (2, [(1, "in open mode")], 0, "2 votes: 1 counts; 1 in open mode."),
        (2, [(2, "in open mode")], 0, "2 votes: none counts; 2 in open mode."),
        (90, [], 2, "All 90 votes count. Those of 2 raters weigh less, so that nobody weighs more than 25 %."),
    ],
)
def test_what_counts_is_said_with_every_reason(votes, left_out, lighter, text) -> None:
    assert verdict.counted(votes, left_out, lighter_raters=lighter, share=0.25).text == text


@pytest.mark.parametrize(
    ("other", "counted", "text"),
    [
        (["a", "b", "c"], False, "With the 4 flagged votes the order is the same."),
        (["a", "c", "b"], False, "With the 4 flagged votes a is first as well, but the order below is another."),
        (["b", "a", "c"], True, "Without the 4 flagged votes b would be first, not a."),
    ],
)
def test_what_flagged_votes_would_change(other, counted, text) -> None:
    assert verdict.flagged(4, ["a", "b", "c"], other, counted=counted).text == text


@pytest.mark.parametrize(
    ("dishonest", "text"),
    [
        (17, "17 dishonest votes (1.7 % of 1,003) would put X first."),
        (1, "1 dishonest vote (0.1 % of 1,003) would put X first."),
        (402, "402 dishonest votes (40 % of 1,003) would put X first."),
        (1004, "1,004 dishonest votes would put X first, more than there are votes."),
    ],
)
def test_how_few_dishonest_votes_are_enough(dishonest, text) -> None:
    assert verdict.robustness(dishonest, 1003, "X").text == text


@pytest.mark.parametrize(
    ("share", "two_sides", "text"),
    [
        (
            Share(51, 100, 0.51, 0.46, 0.56),
            True,
            "The first answer won 51 % of decided votes (46–56 %): no sign of bias.",
        ),
        (
            Share(61, 100, 0.61, 0.56, 0.66),
            True,
            "The first answer won 61 % of decided votes (56–66 %): the first answer is favoured.",
        ),
        (
            Share(39, 100, 0.39, 0.34, 0.44),
            False,
            "The answer further left won 39 % of decided pairs (34–44 %): "
            "the answer further left is at a disadvantage.",
        ),
        (Share(9, 19, 0.47, 0.2, 0.7), True, "19 decided votes: too few to say."),
        (Share(0, 0, math.nan, math.nan, math.nan), True, "0 decided votes: too few to say."),
    ],
)
def test_position(share: Share, two_sides: bool, text: str) -> None:
    found = verdict.position(share, two_sides=two_sides)
    assert (found.topic, found.text) == ("Position", text)
    assert (found.lower is None) == (share.total < 20)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (
            Share(61, 100, 0.61, 0.56, 0.66),
            "The longer answer won 61 % (56–66 %): longer answers are favoured.",
        ),
        (
            Share(39, 100, 0.39, 0.34, 0.44),
            "The longer answer won 39 % (34–44 %): shorter answers are favoured.",
        ),
        (Share(51, 100, 0.51, 0.46, 0.56), "The longer answer won 51 % (46–56 %): no sign of bias."),
        (Share(1, 1, 1.0, 0.2, 1.0), "1 decided vote on answers of different length: too few to say."),
    ],
)
def test_length(share: Share, text: str) -> None:
    assert verdict.length(share).text == text


@pytest.mark.parametrize(
    ("votes", "unit", "text", "busiest"),
    [
        ([], "vote", "Nobody has voted yet.", None),
        ([40], "vote", "40 votes by one rater: the ranking of one person.", 1.0),
        ([10] * 10, "rater", "100 votes by 10 raters; the busiest gave 10 %.", 0.1),
        (
            [8, 2],
            "vote",
            "10 votes by 2 raters; the busiest gave 80 %, so that much hangs on one person. "
            "The intervals take each vote for independent: they speak of these raters, not of others.",
            0.8,
        ),
    ],
)
def test_raters(votes: list[int], unit: str, text: str, busiest: float | None) -> None:
    found = verdict.raters(votes, unit)
    assert (found.text, found.share) == (text, busiest)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B"], "A and B"),
        (["A", "B", "C", "D"], "A, B, C and D"),
        (["A", "B", "C", "D", "E"], "A, B, C and 2 others"),
    ],
)
def test_lists_of_names(names: list[str], text: str) -> None:
    assert verdict.listed(names) == text
