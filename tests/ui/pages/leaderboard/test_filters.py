"""The form of the board's filters."""

from __future__ import annotations

import re

from playground.ui.board_address import CONDITIONS, NAMES, read_board_address
from playground.ui.pages.leaderboard.filters import form_html, words_of
from playground.ui.query import read_query
from playground.ui.texts import leaderboard as texts


def form_of(query: str) -> str:
    return form_html(read_board_address(read_query(query)), ["code", "list"])


def test_every_filter_of_the_address_is_a_field_or_kept() -> None:
    query = "&".join(f"{name}=1" for name in NAMES)
    assert set(re.findall(r"name='(\w+)'", form_of(query))) == set(NAMES)


def test_form_has_the_values_of_the_address() -> None:
    html = form_of("category=list&since=2026-11-01&mine=1")
    assert "<option value='list' selected>" in html
    assert "value='2026-11-01'" in html
    assert "name='mine' value='1' checked" in html


def test_value_that_is_not_offered_is_kept_and_escaped() -> None:
    assert "<option value='&lt;b&gt;' selected>" in form_of("category=<b>")


def test_set_filters_are_named_and_can_be_left() -> None:
    address = read_board_address({"origin": "program", "count_all": "1"})
    assert words_of(address) == "Votes of: programs · quick, flagged and repeated votes too"
    assert texts.CLEAR in form_html(address, [])
    assert words_of(read_board_address({})) == texts.DEFAULT_BOARD
    assert texts.CLEAR not in form_of("")


def test_every_condition_has_words() -> None:
    assert set(CONDITIONS) <= set(texts.LABELS)
