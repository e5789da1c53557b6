"""The Leaderboard page as HTML."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
import pytest

from playground.errors import InvalidValue
from playground.ratings.leaderboard import build_leaderboard
from playground.ratings.policy import CountingPolicy
from playground.settings import Settings
from playground.ui.pages.leaderboard.forest import forest
from playground.ui.pages.leaderboard.heat_map import heat_map, shortened
from playground.ui.pages.leaderboard.page import LeaderboardPage, _policy
from playground.ui.pages.leaderboard.scale import scale
from playground.ui.pages.leaderboard.table import table
from playground.ui.texts import leaderboard as texts
from playground.ui.wiring import unchanged
from tests.support.stub_arena import StubArena, made_up_votes, make_cards

ROWS = build_leaderboard(made_up_votes(480), {card.id: card for card in make_cards()}).rows


@pytest.fixture(scope="module")
def page() -> LeaderboardPage:
    with gr.Blocks():
        return LeaderboardPage(StubArena(Settings()))  # type: ignore[arg-type]


@pytest.mark.parametrize("view", list(texts.EMPTY_VIEWS))
def test_empty_board_has_advice_for_its_kind_of_votes(page: LeaderboardPage, view: str) -> None:
    html = page.draw("", view)
    assert texts.EMPTY_VIEWS[view] in html
    assert texts.EMPTY_LINK not in html


def test_imported_votes_are_counted_on_request() -> None:
    kept = {view: _policy(CountingPolicy(), view).keep_imported for view in texts.VIEWS}
    assert kept == {"people": False, "programs": False, "chosen": False, "imported": True, "all": True}
    assert "imported votes too" in _policy(CountingPolicy(), "imported").description


def test_category_without_votes_says_so_and_links_to_compare(
    page: LeaderboardPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise InvalidValue("unknown category 'sums'; valid: code")

    monkeypatch.setattr(page._arena, "leaderboard", refuse)
    html = page.draw("sums", "people")
    assert "No votes on sums yet." in html
    assert texts.EMPTY_LINK in html


def test_unknown_kind_of_votes_is_refused(page: LeaderboardPage) -> None:
    for unknown in ("some", [1], {}, None):
        assert "valid: people, programs" in page.draw("", unknown)


def test_negative_ratings_have_a_minus_sign() -> None:
    rows = [replace(ROWS[0], rating=-20.4, rating_lower=-300.0, rating_upper=250.0)]
    for html in (forest(rows), table(rows)):
        assert "−300" in html
        assert "-300" not in html


def test_names_are_escaped() -> None:
    rows = [replace(row, name="<b>") for row in ROWS[:2]]
    for html in (forest(rows), table(rows), heat_map(rows, [[None, 0.7], [0.3, None]])):
        assert "<b>" not in html


def test_interval_that_reaches_far_does_not_shrink_the_others() -> None:
    far = replace(ROWS[0], rating=1300.0, rating_lower=1200.0, rating_upper=4000.0)
    near = replace(ROWS[1], rating=900.0, rating_lower=850.0, rating_upper=950.0)
    html = forest([far, near])
    assert ">2000<" not in html
    assert "right:0.00%" in html
    assert "4000" in html  # in words


def test_scale_has_few_round_ticks() -> None:
    assert scale([931.0, 1068.0]) == [900.0, 950.0, 1000.0, 1050.0, 1100.0]
    assert len(scale([-4e6, 4e6])) <= 8


def test_shared_first_word_is_dropped() -> None:
    assert shortened(["pocket-galpaca", "pocket-minotaur"]) == ["galpaca", "minotaur"]
    assert shortened(["galpaca", "minotaur"]) == ["galpaca", "minotaur"]


def test_open_page_is_redrawn_only_if_the_board_is_another(page: LeaderboardPage) -> None:
    shown = page.show("", "people")
    digest = shown[page.shown]
    assert page.refresh("", "people", digest) == unchanged(page.board)
    assert page.refresh("", "people", "of an earlier board") == shown
    assert page.refresh("", "nobody", digest)[page.shown] != digest
