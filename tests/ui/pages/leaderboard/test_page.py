"""The Leaderboard page: filters and what they draw."""

from __future__ import annotations

import gradio as gr
import pytest

from playground.errors import InvalidValue
from playground.ratings.policy import CountingPolicy
from playground.settings import Settings
from playground.ui.pages.leaderboard.page import LeaderboardPage, _policy
from playground.ui.texts import leaderboard as texts
from playground.ui.wiring import unchanged
from tests.support.stub_arena import StubArena


@pytest.fixture(scope="module")
def page() -> LeaderboardPage:
    with gr.Blocks():
        return LeaderboardPage(StubArena(Settings()))  # type: ignore[arg-type]


@pytest.mark.parametrize("view", list(texts.EMPTY_VIEWS))
def test_empty_board_has_advice_for_its_kind_of_votes(page: LeaderboardPage, view: str) -> None:
    html, _ = page.draw("", view)
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
    html, parts = page.draw("sums", "people")
    assert "No votes on sums yet." in html
    assert texts.EMPTY_LINK in html
    assert parts == ""


def test_unknown_kind_of_votes_is_refused(page: LeaderboardPage) -> None:
    for unknown in ("some", [1], {}, None):
        assert "valid: people, programs" in page.draw("", unknown)[0]


def test_open_page_is_redrawn_only_if_the_board_is_another(page: LeaderboardPage) -> None:
    shown = page.show("", "people")
    digest = shown[page.shown]
    assert page.refresh("", "people", digest) == unchanged(page.parts)
    assert page.refresh("", "people", "of an earlier board") == shown
    assert page.refresh("", "nobody", digest)[page.shown] != digest
