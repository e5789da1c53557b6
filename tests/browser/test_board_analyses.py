"""The analyses of a board in Chromium: every box of real ones, on a desktop and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from playground.ratings.analyses import Analyses, analyse
from playground.ratings.board import LeaderboardOptions
from playground.ratings.board_rules import DEFAULT_RULES, BoardRules
from playground.ratings.chosen import Chosen
from playground.ratings.leaderboard import NO_FILTER
from playground.ratings.policy import CountingPolicy
from playground.ratings.repeats import SharedRows, rater_agreement
from playground.ratings.stored_styles import PairStyles
from playground.records import VoteFilter
from playground.settings import Settings
from tests.support.browsing import PHONE, violations, visiting
from tests.support.judged import judged_votes
from tests.support.serving import address_of, serving
from tests.support.stub_arena import StubArena, made_up_votes

pytestmark = pytest.mark.browser

BOXES = ("history", "style", "carrying", "stability", "agreement")


class AnalysedArena(StubArena):
    """An arena whose board has real analyses of made-up votes of twelve days."""

    def analyses(
        self,
        filter: VoteFilter = NO_FILTER,
        policy: CountingPolicy = CountingPolicy(),  # noqa: B008  # frozen
        rules: BoardRules = DEFAULT_RULES,
        is_operator: bool = False,
    ) -> Analyses:
        pairs = [
            replace(pair, created_at=f"2026-11-{n * 12 // 480 + 1:02}T12:00:00.000+00:00")
            for n, pair in enumerate(made_up_votes(480))
        ]
        chosen = Chosen.of(
            judged_votes(pairs), {card.id: card for card in self.line_up}, options=LeaderboardOptions(policy=policy)
        )
        board, rng = chosen.board(), np.random.default_rng(1)
        rows = len(board.table.first)
        styles = PairStyles(rng.integers(1, 60, (rows, 5)), rng.integers(1, 60, (rows, 5)), np.ones(rows, dtype=bool))
        none = np.zeros(0, dtype=np.int64)
        agreement = rater_agreement(chosen, board, SharedRows(none, none, none, none), policy)
        days = 20261101 + np.arange(rows) * 12 // rows
        return analyse(chosen, board, styles, lambda found: [f"{row:032x}" for row in found], agreement, days)


@pytest.fixture(scope="module")
def analysed_url() -> Iterator[str]:
    with serving(AnalysedArena(Settings())) as pages:
        yield address_of(pages)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_boxes_of_analyses(browser: Browser, analysed_url: str, scheme: str) -> None:
    with visiting(browser, analysed_url, color_scheme=scheme, reduced_motion="reduce") as visitor:
        page = visitor.open("/leaderboard").page
        for box in BOXES:
            expect(page.locator(f".box-{box}")).to_be_visible()
        page.locator("#board-history summary").click()
        page.locator("#board-sides summary").click()
        assert violations(page) == []


def test_ratings_over_time_fit_a_phone(browser: Browser, analysed_url: str) -> None:
    with visiting(browser, analysed_url, PHONE) as visitor:
        page = visitor.open("/leaderboard").page
        plots = page.locator(".box-history figure svg.history")
        expect(plots).to_have_count(5)
        assert all(200 < plot.bounding_box()["width"] < 390 for plot in plots.all())  # type: ignore[index]
        page.locator("#board-history summary").click()
        expect(page.locator("#board-history tbody tr")).to_have_count(11)  # after the first day no model has 30 battles
        assert not visitor.scrolls_sideways
