"""The line about the store, in each of its states."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from playground.errors import StorageError
from playground.publishing.sync import SyncState
from playground.ui.pages.store_line import store_html, store_words

SYNCED = SyncState("herd/votes", 1234, 0, 125.0, 9000.0, "", (), 60.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Synced to the store on the hub up to vote 1,234, 2 min ago."),
        (
            {"waiting": 1},
            "Synced to the store on the hub up to vote 1,234, 2 min ago; waiting for the next copy: 1 vote.",
        ),
        (
            {"age_s": None, "waiting": 3},
            "Not synced to the store on the hub yet; only on this machine: 3 votes.",
        ),
        (
            {"age_s": 700.0, "waiting": 3},
            "Not synced to the store on the hub for 12 min; only on this machine: 3 votes.",
        ),
        (
            {"error": "no", "waiting": 3},
            "Not synced to the store on the hub for 2 min; only on this machine: 3 votes.",
        ),
    ],
)
def test_the_state_is_a_sentence(changes: dict[str, Any], words: str) -> None:
    assert store_words(replace(SYNCED, **changes)) == words


def test_reasons_are_for_the_operator_only() -> None:
    state = replace(SYNCED, error="the token may not do this.", warnings=("another <playground> writes",))
    arena: Any = SimpleNamespace(journal=SimpleNamespace(sync=state))
    html = store_html(arena, is_operator=True)
    assert all(words in html for words in ("dataset herd/votes.", "may not do this.</p>", "another &lt;playground&gt;"))
    visitors = store_html(arena, is_operator=False)
    assert "herd" not in visitors
    assert "token" not in visitors


def test_without_a_store_there_is_no_line() -> None:
    for journal in (None, SimpleNamespace(sync=None)):
        arena: Any = SimpleNamespace(journal=journal)
        assert store_html(arena, is_operator=True) == ""


def test_a_database_that_cannot_be_read_is_said() -> None:
    class Journal:
        @property
        def sync(self) -> SyncState:
            raise StorageError("/data/playground.db is closed")

    arena: Any = SimpleNamespace(journal=Journal())
    assert "unknown: playground.db is closed" in store_html(arena, is_operator=False)
