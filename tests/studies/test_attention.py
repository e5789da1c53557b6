"""The share of raters with too few attention items, beside raters who judge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.studies.attention import probability_of, share_below
from playground.studies.panel import Panel
from playground.studies.study_file import Attention
from tests.support.cast import house
from tests.support.studying import STUDY, studied


@pytest.mark.parametrize(
    ("count", "votes", "every", "probability"),
    [(1, 0, 1, 0.0), (2, 2, 1, 1.0), (2, 2, 2, 0.25), (1, 10, 10, 0.6), (2, 20, 10, 0.64), (2, 28, 10, 1.0)],
)
def test_known_probabilities(count: int, votes: int, every: int, probability: float) -> None:
    assert probability_of(count, votes, every) == pytest.approx(probability)


@pytest.mark.slow
def test_share_is_that_of_raters_who_judge() -> None:
    raters, share = 60, 10
    home = house()
    study = studied(
        home, raters * share, raters, votes=100_000, votes_per_rater=share, repeats=0.0,
        attentions=4, attention=Attention("attention.jsonl", every=5),
    )  # fmt: skip
    for link in range(1, raters + 1):
        while study.judge(link):
            pass
    got = study.rows(
        "SELECT sum(b.study_kind = 'attention') FROM assignments s JOIN battles b ON b.id = s.battle GROUP BY s.rater"
    )
    measured = sum(count >= 2 for (count,) in got) / raters
    assert probability_of(2, share, 5) == pytest.approx(measured, abs=0.1)


def test_share_counts_repeats_that_can_come() -> None:
    panel = Panel("link", complete="C", our_fault="O", attention_failed="A", attention_items=2)
    file = replace(STUDY, votes_per_rater=20, repeats=0.0, panel=panel, attention=Attention("a.jsonl", every=10))
    assert share_below(file) == pytest.approx(0.36)
    assert share_below(replace(file, repeats=0.4)) == pytest.approx(0.0)
    short = replace(file, votes_per_rater=2, attention=Attention("a.jsonl", every=1))
    assert share_below(replace(short, panel=replace(panel, attention_items=3), repeats=0.5)) == 1.0
    assert share_below(replace(file, attention=None)) == 0.0
