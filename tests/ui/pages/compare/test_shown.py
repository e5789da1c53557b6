"""Data that the page's script sends."""

from __future__ import annotations

from typing import Any

import pytest

from playground.errors import InvalidValue
from playground.ui.pages.compare.shown import Shown


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("0" * 32, "unknown data"),
        ({"owner": "me"}, "unknown data"),
        ({"battle": 7}, "battle"),
        ({"battle": "0" * 101}, "at most 100"),
        ({"revision": -1}, "revision"),
        ({"step": True}, "step"),
        ({"step": 2**31}, "step"),
        ({"said": ["x"]}, "said"),
        ({"turn": -1}, "turn"),
        ({"order": 2**31}, "order"),
    ],
    ids=str,
)
def test_malformed_data_is_refused(sent: Any, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        Shown.read(sent)


def test_no_data_means_no_battle() -> None:
    assert Shown.read(None) == Shown.read({}) == Shown()
