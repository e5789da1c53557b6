"""The Operator page of a running app: who sees it, and forged events."""

from __future__ import annotations

import json
import urllib.request

import httpx2 as httpx
import pytest

from playground.ui.http.operator import HEADER
from playground.ui.texts import operator as texts
from tests.conftest import OPERATOR_TOKEN, LiveApp
from tests.support.page_events import event_of, send

OPERATOR = {HEADER: OPERATOR_TOKEN}


def battle_of(app: LiveApp) -> str:
    """Return the id of a new battle of a program."""
    body = {"instruction": "What is the capital of France?", "models": ["pocket-orca-mini", "pocket-galpaca"]}
    base = f"{app.url}/gradio_api/call/v2/compare"
    with httpx.Client(timeout=60) as client:
        event = client.post(base, json=body).json()["event_id"]
        stream = client.get(f"{base}/{event}").text
    return str(json.loads(stream.strip().splitlines()[-1].removeprefix("data: "))[0]["battle_id"])


@pytest.mark.parametrize(
    "headers",
    [{}, {"X_Forwarded_For": "127.0.0.1"}, {"Host": "rebound.example"}, {"Cookie": "playground_operator=0"}],
    ids=str,
)
@pytest.mark.parametrize("do", ["hide", "show", "dismiss"])
def test_forged_decision_is_refused(live_app: LiveApp, do: str, headers: dict[str, str]) -> None:
    forged = {"do": do, "battle": "f" * 32}
    reply = send(live_app, "operator-list", "click", "", event_data=forged, **headers)
    assert texts.NOT_YOURS in reply


def test_decision_of_another_origin_is_refused(live_app: LiveApp) -> None:
    sent = {
        "fn_index": event_of(live_app, "operator-list", "click"),
        "data": [""],
        "session_hash": "abc",
        "event_data": {"do": "hide", "battle": "f" * 32},
    }
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
        reply = httpx.post(f"{live_app.url}/gradio_api/run/x", json=sent, headers={**OPERATOR, **headers}, timeout=60)
        assert reply.status_code == 403


def test_program_with_the_token_hides_a_battle_from_the_api(live_app: LiveApp) -> None:
    battle_id = battle_of(live_app)
    base = f"{live_app.url}/gradio_api/call/v2/vote"

    def vote() -> dict[str, object]:
        with httpx.Client(timeout=60) as client:
            event = client.post(base, json={"battle_id": battle_id, "choice": "tie"}).json()["event_id"]
            text = client.get(f"{base}/{event}").text
        found: dict[str, object] = json.loads(text.strip().splitlines()[-1].removeprefix("data: "))[0]
        return found

    def decide(do: str) -> str:
        return send(live_app, "operator-list", "click", "", event_data={"do": do, "battle": battle_id}, **OPERATOR)

    assert "Hidden: nobody but you" in decide("hide")
    assert vote() == {"accepted": False, "reason": "hidden"}
    assert "Shown again" in decide("show")
    assert vote()["accepted"] is True


def test_page_is_the_operators_and_others_are_asked_for_the_token(live_app: LiveApp) -> None:
    with httpx.Client(base_url=live_app.url, timeout=60) as client:
        asked = client.get("/operator")
        assert (asked.status_code, "Become the operator" in asked.text) == (200, True)
        assert client.get("/operator", params={"token": OPERATOR_TOKEN}).status_code == 303
        shown = client.get("/operator")
        assert (shown.status_code, "window.gradio_config" in shown.text) == (200, True)
        client.post("/operator", data={"sign_out": "1"})
        assert "Become the operator" in client.get("/operator").text


def test_health_counts_new_reports(live_app: LiveApp) -> None:
    with urllib.request.urlopen(f"{live_app.url}/health", timeout=60) as reply:
        assert json.load(reply)["reports"]["new"] >= 0
