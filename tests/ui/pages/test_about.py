"""The About page: its sections, and addresses that fit the place where it runs."""

from __future__ import annotations

import re
from datetime import date

from playground.ui.pages.about import about_html

DAY = date(2026, 11, 30)


def test_page_has_its_sections() -> None:
    titles = re.findall("<h2>(.*?)</h2>", about_html("http://127.0.0.1:7860", "", DAY))
    assert titles == ["What it is for", "How the ranking is made", "Source", "For programs", "How to cite"]


def test_addresses_are_where_the_visitor_is() -> None:
    page = about_html("https://example.org/play", "", DAY)
    assert "Client(&quot;https://example.org/play&quot;" in page
    assert "https://example.org/play (accessed 2026-11-30)" in page
    assert "huggingface.co" not in page


def test_addresses_of_a_space_are_the_hubs() -> None:
    page = about_html("https://ada-playground.hf.space", "ada/playground", DAY)
    assert "Client(&quot;ada/playground&quot;" in page
    assert "https://huggingface.co/spaces/ada/playground (accessed 2026-11-30)" in page
    assert "href='https://huggingface.co/spaces/ada/playground/tree/main'" in page
    assert "hf.space" not in page


def test_page_evaluates_nothing() -> None:
    page = about_html("https://${x}.example", "", DAY)
    assert not set(re.sub("<[^>]*>", "", page)) & set("<>{}$`\\")
