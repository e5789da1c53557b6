"""The Models page: cards, states, the operator, forged events."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.arena.listing import model_rows
from playground.catalog.catalog import Catalog, without_folders
from playground.ratings.leaderboard import build_leaderboard
from playground.records import ModelCard, ModelStatus
from playground.ui.http.operator import HEADER, OperatorAccess, OperatorStatus
from playground.ui.pages.models.model_card import (
    Entry,
    card_html,
    check_words,
    license_words,
    list_html,
    state_words,
    states_html,
    turns_are_taken,
)
from playground.ui.pages.models.page import operator_html
from playground.ui.rendering import escape
from playground.ui.texts import models as texts
from tests.conftest import OPERATOR_TOKEN, LiveApp
from tests.support.stub_arena import HOSTILE, made_up_votes, make_cards

CARDS = make_cards()
CARD = CARDS[0]
OPERATOR = {HEADER: OPERATOR_TOKEN}


def entry(state: str = "ready", card: ModelCard = CARD, answers: bool = True, **status: Any) -> Entry:
    return Entry(card, ModelStatus(card.id, state, **status), answers)


# Cards


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (entry("off"), "not loaded; loads when it is asked"),
        (entry("off", answers=False), "not loaded"),
        (entry("queued", detail="its process was killed"), "waiting to be loaded"),
        (entry("loading", eta_s=11.6), "loading, about 12 s"),
        (entry("loading", eta_s=300), "loading, about 5 min"),
        (entry("loading"), "loading…"),
        (entry("ready", device="cpu", load_s=0.42), "ready on this CPU, loaded in 0.4 s"),
        (entry("ready", device="cuda:0 NVIDIA H200", load_s=14), "ready on cuda:0 NVIDIA H200, loaded in 14 s"),
        (entry("failed", detail="its weights are cut short"), "could not be loaded: its weights are cut short"),
    ],
)
def test_state_has_a_text(shown: Entry, words: str) -> None:
    assert state_words(shown) == words


@pytest.mark.parametrize("state", ["off", "queued", "loading", "ready"])
def test_card_does_not_show_what_a_battle_does(state: str) -> None:
    quiet = [entry(state, eta_s=3.0, device="cpu", load_s=1.0)]
    busy = [entry(state, eta_s=3.0, device="cpu", load_s=1.0, running=3, waiting=2)]
    assert states_html(busy) == states_html(quiet)
    assert list_html(busy, manages=True) == list_html(quiet, manages=True)


def test_models_that_take_turns_all_look_the_same() -> None:
    drawn = {
        (states_html([shown]), list_html([shown], manages=True))
        for state in ("off", "queued", "loading", "ready")
        for up in [entry(state, eta_s=2.0, device="cuda:0", load_s=1.0, detail=state)]
        for shown in [replace(up, takes_turns=True)]
    }
    assert len(drawn) == 1


def test_models_take_turns_if_one_does() -> None:
    whole, waits = ModelStatus("a", "ready"), ModelStatus("b", "asleep", takes_turns=True)
    assert not turns_are_taken([whole])
    assert turns_are_taken([whole, waits])


def test_ready_model_has_passed_its_checks() -> None:
    assert check_words(entry("loading")) == texts.UNCHECKED
    assert check_words(entry("ready")) == texts.CHECKED
    note = "answers one visitor at a time: its rows differ"
    assert check_words(entry("ready", detail=note)).endswith(". Answers one visitor at a time: its rows differ")


@pytest.mark.parametrize(
    ("license", "words"),
    [
        ("Apache-2.0", "Apache-2.0"),
        ("CC-BY-NC-4.0", "CC-BY-NC-4.0: not for commercial use"),
        ("CC BY-NC-SA", "CC BY-NC-SA: not for commercial use"),
        ("unknown", "unknown: commercial use is unclear"),
        ("llama3", "llama3: commercial use is unclear"),
    ],
)
def test_restrictive_license_is_explained(license: str, words: str) -> None:
    assert license_words(license) == words


def test_every_card_shows_its_facts_and_how_to_fetch_it() -> None:
    for card in Catalog.load().cards.values():
        html = card_html(Entry(card, ModelStatus(card.id, "off"), answers=False, files="missing"), manages=True)
        told = (card.id, card.license, card.template, card.dtype, f"{card.context_length:,} tokens", card.description)
        for words in (*told, *card.limitations, *card.notes, *card.metrics):
            assert escape(words) in html, (card.id, words)
        assert "data-do=" not in html, "what is not here cannot be loaded"
        is_folder = Path(card.repo).is_absolute()
        assert (f"<code>python -m playground fetch {card.id}</code>" in html) is not is_folder
        assert str(Path(card.repo).parent) not in html or not is_folder


def test_rating_is_shown_beside_published_figures() -> None:
    votes = made_up_votes(480)
    rows = {row.model: row for row in build_leaderboard(votes, {c.id: c for c in CARDS}).rows}
    few = {row.model: row for row in build_leaderboard(votes[:20], {c.id: c for c in CARDS}).rows}
    card = replace(CARD, metrics={"MMLU": 25.3})
    row = rows[card.id]
    rated = f"{row.rating:.0f} ({row.rating_lower:.0f} to {row.rating_upper:.0f}) after {row.battles} battles"
    for rating, words in ((row, rated), (few[card.id], "too few battles for a rating"), (None, "no votes yet")):
        html = card_html(replace(entry(card=card), rating=rating), manages=False)
        assert words in html
        assert "MMLU 25.3" in html


@pytest.mark.parametrize(
    ("shown", "do"),
    [
        (entry("off"), "load"),
        (entry("failed"), "load"),
        (entry("queued"), "unload"),
        (entry("loading"), "unload"),
        (entry("ready"), "unload"),
        (replace(entry("off"), files="incomplete"), None),
        (replace(entry("off"), files="elsewhere"), "load"),
    ],
)
def test_only_the_operator_has_a_button_that_can_work(shown: Entry, do: str | None) -> None:
    assert ("data-do" in card_html(shown, manages=True)) is (do is not None)
    assert do is None or f"data-do='{do}'" in card_html(shown, manages=True)
    assert "data-do" not in card_html(shown, manages=False)


def test_card_texts_are_escaped() -> None:
    card = replace(
        CARD,
        **dict.fromkeys(("id", "name", "repo", "revision", "license", "architecture", "dtype", "template"), HOSTILE),
        **dict.fromkeys(("description", "stands_in_for"), HOSTILE),
        limitations=(HOSTILE,),
        notes=(HOSTILE,),
        metrics={HOSTILE: 1.0},
        sampling_source=HOSTILE,
    )
    for files in ("here", "missing"):
        shown = replace(entry("failed", card, detail=HOSTILE), files=files)
        for html in (list_html([shown], manages=True), states_html([shown])):
            for piece in ("<script", "<img", "<b>", "<form", "<div style", "onerror=alert(1)>", "${", "`"):
                assert piece not in html


def test_folders_of_this_machine_are_hidden(tmp_path: Path) -> None:
    folder = tmp_path / "models of mine" / "mine"
    card = replace(CARD, repo=str(folder))
    failed = ModelStatus(card.id, "failed", f"{card.name}: {folder}/config.json is not JSON; see {tmp_path}/hub/log")
    html = list_html([Entry(card, failed, answers=True, files="missing")], manages=True)
    for words in (html, json.dumps(model_rows([card], [failed]))):
        assert "mine/config.json is not JSON" in words
        assert str(tmp_path) not in words


def test_text_without_a_folder_is_unchanged() -> None:
    words = "needs 3 GB / 2 GB are free; see https://example.org/a/b or org/name, temperature 0.7/1.0"
    assert without_folders(words, CARD) == words


# The operator


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


# Forged events


def event_of(app: LiveApp, component: str, event: str) -> int:
    """Return the number of a component's event, from the page's public configuration."""
    with urllib.request.urlopen(f"{app.url}/config", timeout=60) as reply:
        config = json.load(reply)
    ids = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
    found = [
        d["id"] for d in config["dependencies"] if [component, event] in [[ids.get(t[0]), t[1]] for t in d["targets"]]
    ]
    assert len(found) == 1
    return int(found[0])


def send(app: LiveApp, component: str, event: str, *data: Any, event_data: Any = None, **headers: str) -> str:
    """Send a forged event; return the reply as text."""
    sent = {
        "fn_index": event_of(app, component, event),
        "data": list(data),
        "session_hash": "forged",
        "event_data": event_data,
    }
    request = urllib.request.Request(
        f"{app.url}/gradio_api/run/predict",
        json.dumps(sent).encode(),
        {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return str(json.dumps(json.load(reply)["data"], ensure_ascii=False))


def states(app: LiveApp) -> dict[str, str]:
    request = urllib.request.Request(
        f"{app.url}/gradio_api/run/models", b'{"data": []}', {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return {row["id"]: row["state"] for row in json.load(reply)["data"][0]}


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
