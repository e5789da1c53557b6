"""The Data page as HTML: filters, formats, battles."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest

from playground.exchange import FORMATS, LeftOut
from playground.records import BattleRow
from playground.records.filters import FILTER_NAMES, VoteFilter
from playground.ui.data_address import DataAddress, read_address
from playground.ui.pages.data.battles import battles_html, facts
from playground.ui.pages.data.filters import Offered, form_html
from playground.ui.pages.data.formats import Inside, Kind, cell, facts_html, formats_html
from playground.ui.texts import data as texts

OFFERED = Offered(("pocket-galpaca", "pocket-minotaur"), ("code", "creative"))
VOTES = Kind("votes", "Everything.", ("jsonl", "csv"))
HOSTILE = "<img src=x onerror=alert(1)> ${1+1} '\""
ROW = BattleRow(
    cursor="2026-11-20T19:00:00 v1",
    battle_id="ab" * 16,
    vote_id="v1",
    created_at="2026-11-20T19:00:00.000+00:00",
    start="Write  a\nhaiku",
    category="creative",
    models=("pocket-minotaur", "pocket-galpaca"),
    winner="pocket-galpaca",
    reasons=("clear", "length"),
    origin="person",
    blind=True,
)


def hrefs(html: str, of: str) -> list[dict[str, str]]:
    """Return the queries of links to an address."""
    found = re.findall(rf"href='\./{of}\?([^']*)'", html)
    return [dict(parse_qsl(query.replace("&amp;", "&"))) for query in found]


def fields_of(html: str) -> dict[str, str]:
    """Return the values that the form would send."""
    inputs = re.findall(r"<input[^>]* name='([^']*)' type='\w+' value='([^']*)'", html)
    selects = re.findall(r"<select[^>]* name='([^']*)'>.*?</select>", html)
    chosen = re.findall(r"<select[^>]* name='([^']*)'>(?:(?!</select>).)*<option value='([^']*)' selected>", html)
    assert len(selects) == len(set(selects))
    sent: dict[str, str] = {}
    for name, value in [*inputs, *chosen]:
        if value:
            sent[name] = f"{sent[name]},{value}" if name in sent else value
    checked = re.findall(r"name='(\w+)' value='1' checked", html)
    return sent | dict.fromkeys(checked, "1")


@pytest.mark.parametrize(
    "address",
    [
        DataAddress(),
        DataAddress(VoteFilter(origin="judge", mode="open", pairs="chosen", sampling="changed", imported="only")),
        DataAddress(VoteFilter(models="pocket-galpaca,pocket-minotaur", winner="tie", reason="clear", words="a b")),
        DataAddress(VoteFilter(category="code", since="2026-11-01", until="2026-11-29"), counted_only=True, apart=True),
        DataAddress(VoteFilter(license="other", rater="ada", winner="of-a-file", category="imported"), ids=True),
    ],
)
def test_form_sends_the_address_that_it_was_drawn_for(address: DataAddress) -> None:
    assert read_address(fields_of(form_html(address, OFFERED, True)), is_operator=True) == address


def test_every_condition_has_a_field_for_the_operator() -> None:
    named = set(re.findall(r" name='(\w+)'", form_html(DataAddress(), OFFERED, True)))
    assert named == {*FILTER_NAMES, "counted", "ids"} - {"study"}  # of commands and the API
    others = set(re.findall(r" name='(\w+)'", form_html(DataAddress(), OFFERED, False)))
    assert named - others == {"rater", "ids"}


def test_more_filters_are_open_if_one_of_them_is_set() -> None:
    assert "<details id='data-more'>" in form_html(DataAddress(VoteFilter(words="sea")), OFFERED, False)
    assert "<details id='data-more' open>" in form_html(DataAddress(VoteFilter(origin="person")), OFFERED, False)


def test_files_have_the_filters_and_no_place_in_the_list() -> None:
    address = DataAddress(VoteFilter(origin="person"), counted_only=True, format="pairs", before="x y")
    files = hrefs(formats_html([VOTES], address, None, False), "data/export")
    expected = {"origin": "person", "counted": "1", "format": "votes"}
    assert files == [expected | {"container": "jsonl"}, expected | {"container": "csv"}]


def test_licenses_apart_are_two_files_each() -> None:
    files = hrefs(formats_html([VOTES], DataAddress(apart=True), None, False), "data/export")
    assert [(file["container"], file["license"]) for file in files] == [
        (container, license) for container in ("jsonl", "csv") for license in ("commercial", "other")
    ]


def test_open_format_shows_all_that_it_leaves_out() -> None:
    left_out = (LeftOut("erased", 1, "vote", "the rater had the words erased", ""),)
    inside = Inside(3, 2_100_000, 1, left_out, ("vote_id", "text"), ({"vote_id": "v1", "text": HOSTILE},))
    html = formats_html([VOTES], DataAddress(format="votes"), inside, False)
    for words in (
        "3 rows, about 2.1 MB as JSONL.",
        "1 vote left out: the rater had the words erased.",
        "Licenses: 1 row for commercial use, 2 rows non-commercial or unknown.",
        "First rows of votes",
        "tabindex='0'",
    ):
        assert words in html
    assert "<img" not in html
    assert "${" not in html
    assert "href='./data' data-view data-focus='look-votes' aria-label='Close votes'" in html
    assert hrefs(formats_html([VOTES], DataAddress(), None, False), "data") == [{"format": "votes"}]


@pytest.mark.parametrize("reason", ["unknown_license", "hidden"])
def test_advice_for_the_operator_is_given_to_the_operator_alone(reason: str) -> None:
    inside = Inside(3, 10, 3, (LeftOut(reason, 1, "vote", "some words", "fill in the card"),))
    assert "some words (fill in the card)." in facts_html(VOTES, inside, True)
    assert "some words." in facts_html(VOTES, inside, False)
    other = Inside(3, 10, 3, (LeftOut("filter", 1, "vote", "some words", "change the filter"),))
    assert "some words (change the filter)." in facts_html(VOTES, other, False)


def test_rows_without_license_trouble_and_no_rows_say_so() -> None:
    assert texts.ALL_COMMERCIAL in facts_html(VOTES, Inside(2, 10, 2), False)
    assert facts_html(VOTES, Inside(0, 0, 0), False) == f"<p>{texts.INSIDE_NONE}</p>"
    assert "models=A,B" in facts_html(VOTES, Inside(0, 0, 0, error="give two models=A,B"), False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (True, "true"), (["a", "ü"], '["a", "ü"]'), ("a\n b", "a b"), ("x" * 200, f"{'x' * 120}…")],
)
def test_value_is_one_short_line(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_every_format_has_a_purpose() -> None:
    assert set(texts.PURPOSES) == set(FORMATS)


def test_battle_shows_outcome_reasons_and_time() -> None:
    html = battles_html([ROW], DataAddress(), has_older=False)
    assert f"<a href='./?battle={'ab' * 16}&amp;look=1'>Write a haiku</a>" in html
    assert facts(ROW) == (
        "pocket-galpaca won against pocket-minotaur · because: clear, the right length · creative · "
        "2026-11-20 19:00 UTC"
    )
    assert "Older" not in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"winner": "tie"}, "a tie between pocket-minotaur, pocket-galpaca"),
        ({"winner": "both_bad"}, "all bad: pocket-minotaur, pocket-galpaca"),
        ({"winner": "pocket-galpaca>pocket-minotaur=m"}, "ranked: pocket-galpaca > pocket-minotaur = m"),
        ({"models": ("m", "m"), "winner": "m"}, "m won against m"),
        ({"origin": "program"}, "programs"),
        ({"blind": False}, "open"),
        ({"reasons": ("of a file",)}, "because: of a file"),
    ],
)
def test_other_battles_are_told_apart(changes: dict[str, object], words: str) -> None:
    assert words in facts(ROW._replace(**changes))  # type: ignore[arg-type]


def test_list_links_to_older_and_newest_battles_of_the_same_filters() -> None:
    address = DataAddress(VoteFilter(words="sea"), before="a b")
    links = hrefs(battles_html([ROW], address, has_older=True), "data")
    assert links == [{"words": "sea"}, {"words": "sea", "before": ROW.cursor}]


def test_hostile_text_is_escaped() -> None:
    row = ROW._replace(start=HOSTILE, category=HOSTILE, models=(HOSTILE, HOSTILE), winner=HOSTILE)
    address = DataAddress(VoteFilter(words=HOSTILE, category=HOSTILE, reason=HOSTILE), before=HOSTILE)
    for html in (battles_html([row], address, True), form_html(address, Offered((HOSTILE,), ()), True)):
        assert "<img" not in html
        assert "${" not in html
    assert texts.NO_TEXT in battles_html([ROW._replace(start=" ")], address, False)
