"""Model cards as HTML."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.arena.listing import model_rows
from playground.catalog.catalog import Catalog
from playground.catalog.model_folders import without_folders
from playground.records import ModelCard, ModelStatus
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
from playground.ui.rendering import escape
from playground.ui.texts import models as texts
from tests.support.judged import build_leaderboard
from tests.support.stub_arena import HOSTILE, made_up_votes, make_cards

CARDS = make_cards()
CARD = CARDS[0]


def entry(state: str = "ready", card: ModelCard = CARD, answers: bool = True, **status: Any) -> Entry:
    return Entry(card, ModelStatus(card.id, state, **status), answers)


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


def test_card_says_what_was_not_run_and_which_switches_are_set() -> None:
    plain = card_html(entry(), manages=False)
    assert not any(words in plain for words in (texts.UNTESTED, texts.SWITCHES))
    card = replace(CARD, untested=True, chat_template_kwargs={"enable_thinking": False, "effort": "low"})
    html = card_html(entry(card=card), manages=False)
    assert escape(texts.UNTESTED) in html
    assert escape('enable_thinking = false, effort = "low"') in html


def test_card_links_and_says_how_to_cite_the_model() -> None:
    card = replace(CARD, links={"a <paper>": "https://example.org/?a=1&b=2"}, citation="@misc{a, title = {<b>}}\n")
    html = card_html(entry(card=card), manages=False)
    assert "<a href='https://example.org/?a=1&amp;b=2' rel='noopener' target='_blank'>a &lt;paper&gt;</a>" in html
    assert f"<pre class='cite'>{escape(card.citation.strip())}</pre>" in html
    assert "<b>" not in html
    assert texts.CITATION not in card_html(entry(), manages=False)


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


def test_source_links_the_repository_on_the_hub() -> None:
    hub = replace(CARD, repo="org/name", revision="main")
    link = "<a href='https://huggingface.co/org/name' rel='noopener' target='_blank'>org/name</a> @ main"
    assert link in card_html(entry("off", hub), manages=False)
    assert "<a href" not in card_html(entry("off"), manages=False), "a folder is nowhere else"
