"""The box that says how well raters recognise models."""

from __future__ import annotations

from playground.ratings.blinding import blinding
from playground.records import Guess
from playground.ui.pages.leaderboard.blinding import blinding_html
from tests.support.cast import GALPACA, MAMBA, card

CARDS = {MAMBA: card(MAMBA)}


def guesses(right: int, wrong: int, skipped: int = 0, reveals: int = 0) -> list[Guess]:
    """Make guesses about two models, each by a rater of its own."""
    named = [True] * right + [False] * wrong + [None] * skipped
    models = [(MAMBA, GALPACA)[number % 2] for number in range(len(named))]
    other = {MAMBA: GALPACA, GALPACA: MAMBA}
    return [
        Guess(
            f"{reveals}-{number}", model, None if is_right is None else model if is_right else other[model], 2, reveals
        )
        for number, (model, is_right) in enumerate(zip(models, named, strict=True))
    ]


def test_nothing_is_said_before_anybody_was_asked() -> None:
    assert "Not known yet: nobody has been asked." in blinding_html(blinding([]), CARDS)
    assert "could not be read" in blinding_html(None, CARDS)


def test_few_guesses_are_not_a_finding() -> None:
    html = blinding_html(blinding(guesses(19, 0, skipped=19)), CARDS)
    assert "Not known yet: 19 guesses, and it takes at least 20." in html
    assert "50 % of the 38 that were asked answered." in html
    assert "<table>" not in html


def test_recognised_models_are_named_with_their_intervals() -> None:
    html = blinding_html(blinding([*guesses(40, 0), *guesses(3, 3, skipped=6, reveals=4)]), CARDS)
    assert "Better than chance: 87 % (65 % to 96 %), from 46 guesses of 46 raters." in html
    assert f"<th scope='row'>{card(MAMBA).name}</th><td>23</td><td>87 % (" in html
    assert f"<th scope='row'>{GALPACA}</th>" in html
    assert "<th scope='row'>none</th><td>40</td><td>100 %</td><td>100 % (82 % to 100 %)</td>" in html
    assert "<th scope='row'>1 to 9</th><td>12</td><td>50 %</td><td>not known yet</td>" in html
    assert "<th scope='row'>10 or more</th><td>0</td><td>–</td><td>not known yet</td>" in html


def test_chance_is_not_called_recognition() -> None:
    html = blinding_html(blinding(guesses(10, 10)), CARDS)
    assert "No better than chance, as far as 20 guesses of 20 raters can tell: 0 % (−40 % to 40 %)." in html


def test_names_are_escaped() -> None:
    html = blinding_html(blinding([Guess("ada", "<b>", "<i>", 2, 0)] * 20), {})
    assert "&lt;b&gt;" in html
    assert "<i>" not in html
