"""The Models page: the operator, and forged events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground.ui.http.operator import HEADER, OperatorAccess, OperatorStatus
from playground.ui.pages.models.page import _name, operator_html
from tests.conftest import OPERATOR_TOKEN, LiveApp
from tests.support.page_events import send, states

OPERATOR = {HEADER: OPERATOR_TOKEN}


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (OperatorStatus(True, OperatorAccess("t", is_new=True)), ("You are the operator in this browser.", "Sign out")),
        (
            OperatorStatus(False, OperatorAccess("t", is_new=True)),
            ("open the link that the terminal printed", "./operator"),
        ),
        (OperatorStatus(False, OperatorAccess("t")), ("If you are the operator", "./operator")),
        (
            OperatorStatus(False, OperatorAccess(hub_names=("ada",), hub_login="https://a.hf.space/l")),
            ("_blank", "a.hf.space"),
        ),
    ],
)
def test_page_says_how_to_become_the_operator(standing: OperatorStatus, words: tuple[str, ...]) -> None:
    html = operator_html(standing)
    assert all(piece in html for piece in words), html


def test_page_is_silent_if_nobody_can_be_the_operator() -> None:
    assert operator_html(OperatorStatus()) == ""


@pytest.mark.parametrize(
    "headers",
    [{}, {"X_Forwarded_For": "127.0.0.1"}, {"Host": "rebound.example"}, {"Cookie": "playground_operator=0"}],
    ids=str,
)
@pytest.mark.parametrize("do", ["load", "unload"])
def test_forged_button_press_is_refused(live_app: LiveApp, do: str, headers: dict[str, str]) -> None:
    forged = {"do": do, "model": "pocket-galpaca"}
    reply = send(live_app, "models-list", "click", event_data=forged, **headers)
    assert "Only the operator may load and unload models" in reply
    assert states(live_app)["pocket-galpaca"] in ("queued", "loading", "ready")


def test_visitor_cannot_add_a_model_or_probe_a_folder(live_app: LiveApp, tmp_path: Path) -> None:
    reply = send(live_app, "models-name", "submit", str(tmp_path), X_Forwarded_For="203.0.113.5")
    assert "Only the operator" in reply
    assert str(tmp_path) not in reply


@pytest.mark.parametrize(
    ("event_data", "words"),
    [
        ({"do": "load", "model": "../../etc"}, "unknown model"),
        ({"do": "unload", "model": "orca-mini-13b"}, "orca-mini-13b"),
        ({"do": "load", "model": "orca-mini-13b"}, "python -m playground fetch orca-mini-13b"),
        ({"do": "delete", "model": "pocket-galpaca"}, "can only load"),
        ({"do": "load", "model": ["pocket-galpaca"]}, "can only load"),
        ({"do": ["load"], "model": "pocket-galpaca"}, "can only load"),
        ([1, 2], "can only load"),
        (None, "can only load"),
    ],
    ids=str,
)
def test_event_must_name_a_model_of_the_catalog(live_app: LiveApp, event_data: Any, words: str) -> None:
    before = set(states(live_app))
    assert words in send(live_app, "models-list", "click", event_data=event_data, **OPERATOR)
    assert set(states(live_app)) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Write a card id"),
        ("   ", "Write a card id"),
        ("a\x00b", "Write a card id"),
        ("\ud800", "Write a card id"),
        ("x" * 1001, "Write a card id"),
        (None, "Write a card id"),
        (["pocket-galpaca"], "Write a card id"),
        ("x" * 900, "cannot be read: File name too long"),
        ("pocket-alpaca", "unknown model"),
        ("./no such folder", "there is no such folder"),
        ("org/name", "fetch it first: python -m playground fetch org/name"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_invalid_name_is_explained(live_app: LiveApp, name: Any, words: str) -> None:
    before = set(states(live_app))
    reply = send(live_app, "models-name", "submit", name, **OPERATOR)
    assert words in reply
    assert "Traceback" not in reply
    assert set(states(live_app)) == before


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("org/name", "org/name"),
        (" '/models/My model' ", "/models/My model"),
        ('"/models/a"', "/models/a"),
        ("'it's", "'it's"),
        ("it's", "it's"),
    ],
)
def test_quotes_around_a_pasted_path_are_taken_off(typed: str, name: str) -> None:
    assert _name(typed) == name
