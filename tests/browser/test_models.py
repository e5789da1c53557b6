"""The Models page in Chromium over the real program: load, unload, add a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Request, expect

from tests.conftest import OPERATOR_TOKEN, LiveApp, start_app, stop_app
from tests.support.browsing import DESKTOP, PHONE, Visitor, violations, visiting
from tests.support.chats import small_llama

pytestmark = pytest.mark.browser

LOADING_MS = 120_000
GALPACA = "pocket-galpaca"
BROKEN = """buttons => buttons.filter((button) => {
  const words = document.createRange();
  words.selectNodeContents(button);
  return new Set([...words.getClientRects()].map((line) => line.top)).size > 1;
}).map((button) => button.textContent)"""
"""The buttons whose words stand in more than one line."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """Start a playground for tests that load and unload."""
    app = start_app(tmp_path_factory.mktemp("models"))
    yield app
    stop_app(app)


@pytest.fixture
def visitor(browser: Browser, app: LiveApp) -> Iterator[Visitor]:
    with visiting(browser, app.url) as visitor:
        yield at_models(visitor)


def at_models(visitor: Visitor, is_operator: bool = True) -> Visitor:
    """Open the page with the whole line-up loaded."""
    if is_operator:
        visitor.page.goto(f"{visitor.url}/operator?token={OPERATOR_TOKEN}")
    visitor.page.goto(f"{visitor.url}/models")
    expect(visitor.page.locator(".model").first).to_be_visible()
    expect(visitor.page.locator(".model[data-state=queued], .model[data-state=loading]")).to_have_count(
        0, timeout=LOADING_MS
    )
    return visitor


def model(visitor: Visitor, model_id: str) -> Locator:
    return visitor.page.locator(f".model[data-model='{model_id}']")


def reaches(card: Locator, state: str) -> None:
    expect(card).to_have_attribute("data-state", state, timeout=LOADING_MS)


def add(visitor: Visitor, name: str) -> None:
    field = visitor.page.get_by_label("Add a model by name")
    field.fill(name)
    field.press("Enter")


def test_keyboard_unloads_and_loads_while_details_stay_open(visitor: Visitor) -> None:
    card = model(visitor, GALPACA)
    reaches(card, "ready")
    expect(card.locator(".state")).to_contain_text("ready on this CPU, loaded in")
    card.locator("summary").press("Enter")
    expect(card.locator(".checked")).to_contain_text("passed: nothing missing")
    card.get_by_role("button", name="Unload").press("Enter")
    reaches(card, "off")
    expect(visitor.page.locator("#models-words")).to_contain_text("Pocket Galpaca is unloaded")
    expect(card.locator(".checked")).to_contain_text("not yet")
    button = card.get_by_role("button", name="Load Pocket Galpaca", exact=True)
    expect(button).to_be_focused()
    button.press("Enter")
    reaches(card, "ready")
    expect(card.get_by_role("button", name="Unload")).to_be_focused()
    expect(card.locator("details")).to_have_attribute("open", "")


def test_page_sends_nothing_while_no_model_is_loading(browser: Browser, app: LiveApp) -> None:
    asked: list[str] = []

    def posted_within(visitor: Visitor, milliseconds: int) -> list[str]:
        """Record the page's requests for a while; a request of the test comes last, as a check."""
        asked.clear()
        visitor.page.clock.fast_forward(milliseconds)
        visitor.page.evaluate("fetch('/last', { method: 'POST' })")
        *others, last = asked
        assert last.endswith("/last")
        return others

    def note(request: Request) -> None:
        asked.extend([request.url] if request.method == "POST" else [])

    with visiting(browser, app.url) as visitor:
        visitor.page.clock.install()
        visitor.page.on("request", note)
        card = model(at_models(visitor), GALPACA)
        card.get_by_role("button", name="Unload").click()
        reaches(card, "off")
        assert not all(posted_within(visitor, 1_000) for _ in range(30))
        assert posted_within(visitor, 600_000) == []
        card.get_by_role("button", name="Load").click()
        expect(visitor.page.locator("#models-words")).to_contain_text("was asked to load")


def test_added_folder_answers_after_a_reload(browser: Browser, app: LiveApp, tmp_path: Path) -> None:
    folder = small_llama(tmp_path / "Small-Llama")
    with visiting(browser, app.url) as compare, visiting(browser, app.url) as visitor:
        compare.open()
        at_models(visitor)
        model(visitor, GALPACA).locator("summary").click()
        add(visitor, str(folder))
        expect(visitor.page.locator("#models-words")).to_contain_text("Small-Llama was added")
        card = model(visitor, "small-llama")
        reaches(card, "ready")
        expect(model(visitor, GALPACA).locator("details")).to_have_attribute("open", "")
        card.locator("summary").click()
        expect(card).to_contain_text("on this machine")
        visitor.page.get_by_label("Add a model by name").fill("")
        assert str(tmp_path) not in visitor.page.content()

        compare.reload()
        compare.page.locator("#settings > button").click()
        compare.page.locator("#who-chooses label").nth(1).click()
        compare.page.locator("#model-1 input").click()
        compare.page.get_by_role("option", name="Small-Llama").click()
        compare.compare(mode="open").reaches("open", timeout_s=120)
        expect(compare.column("a").locator(".who b")).to_have_text("Small-Llama")
        assert visitor.hosts | compare.hosts == {app.url.removeprefix("http://")}


def test_unusable_folder_is_refused(visitor: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "Mute-Llama"
    shutil.copytree(small_llama(tmp_path / "Small-Llama"), folder)
    for path in folder.glob("*.jinja"):
        path.unlink()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    before = visitor.page.locator(".model").count()
    add(visitor, str(folder))
    expect(visitor.page.locator("#models-words.error")).to_contain_text("it has no chat template")
    expect(visitor.page.get_by_label("Add a model by name")).to_have_value(str(folder))
    assert visitor.page.locator(".model").count() == before


def test_fetch_command_can_be_copied(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, app.url, permissions=["clipboard-read", "clipboard-write"]) as visitor:
        card = model(at_models(visitor), "orca-mini-13b")
        expect(card.get_by_role("button", name="Load")).to_have_count(0)
        card.get_by_role("button", name="Copy the command").click()
        copied = visitor.page.evaluate("navigator.clipboard.readText()")
        assert copied == "python -m playground fetch orca-mini-13b"


def test_visitors_have_no_controls(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, app.url) as visitor:
        at_models(visitor, is_operator=False)
        reaches(model(visitor, "pocket-minotaur"), "ready")
        assert visitor.page.locator("[data-do]:visible, #models-add:visible").count() == 0


def test_phone_does_not_scroll_sideways(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, app.url, viewport=PHONE) as visitor:
        for summary in at_models(visitor).page.locator(".model summary").all():
            summary.click()
        expect(visitor.page.locator(".model details[open]")).to_have_count(visitor.page.locator(".model").count())
        assert not visitor.scrolls_sideways
        buttons = visitor.page.locator(".model :is(.tool, .act):visible")
        assert buttons.evaluate_all(BROKEN) == []


def test_axe_finds_nothing_with_all_details_open(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, app.url, reduced_motion="reduce") as visitor:
        for summary in at_models(visitor).page.locator(".model summary").all():
            summary.click()
        add(visitor, "pocket-alpaca")
        expect(visitor.page.locator("#models-words.error")).to_contain_text("unknown model")
        for size in (DESKTOP, PHONE):
            visitor.page.set_viewport_size(size)
            assert violations(visitor.page) == [], size


def test_operator_has_a_file_answered(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(f"{visitor.url}/operator")
    expect(page.locator("#answers-models input:checked")).not_to_have_count(0)
    for name in page.locator("#answers-models label").all()[1:]:
        name.click()
    file = {"name": "fruits.jsonl", "mimeType": "", "buffer": b'{"prompt": "Name a fruit."}\n{"prompt": ""}\n'}
    page.locator("#answers-file input").set_input_files([file])  # type: ignore[list-item]
    said = page.locator("#answers-words")
    expect(said).to_contain_text("fruits.jsonl: 1 instruction; instruction from 'prompt'. Left out: 1 row")
    expect(page.locator("#answers-troubles li")).to_have_count(1)
    assert violations(page) == []
    page.get_by_role("button", name="Write the answers").click()
    expect(said).to_have_text("1 answer written, 0 already there, 0 failed.", timeout=LOADING_MS)
    page.get_by_role("button", name="Write the answers").click()
    expect(said).to_have_text("0 answers written, 1 already there, 0 failed.")
