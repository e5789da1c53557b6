"""Links between the pages: which of them visitors and the operator get."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from playground.settings import Settings
from playground.ui.linked_page import header_html, operator_links_html
from playground.ui.site import PAGES


@pytest.mark.parametrize(("data", "for_visitors"), [("public", True), ("operator", False)])
def test_data_is_linked_for_those_who_may_see_it(data: str, for_visitors: bool) -> None:
    counts = SimpleNamespace(counts=lambda: SimpleNamespace(reports=2))
    arena: Any = SimpleNamespace(settings=Settings(data=data), moderation=counts)
    assert ("./data" in links(header_html(PAGES[0], PAGES, arena))) == for_visitors
    operators = ["./operator"] if for_visitors else ["./operator", "./data"]
    assert links(operator_links_html(PAGES[0], PAGES, arena)) == operators


def links(html: str) -> list[str]:
    return re.findall(r"href='([^']*)'", html)
