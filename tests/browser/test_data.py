"""The Data page in Chromium over the real program: filters in the address, a look inside, files, who may see it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.ui.texts.data import CONTAINERS
from tests.conftest import OPERATOR_TOKEN, LiveApp, start_app, stop_app, without_models
from tests.support.browsing import DESKTOP, PHONE, Visitor, violations, visiting
from tests.support.judged_playground import fill
from tests.support.paths import ROOT

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """A public playground below a path, with 45 judged battles."""
    folder = tmp_path_factory.mktemp("data")
    fill(folder)
    app = start_app(folder, *without_models(folder), PLAYGROUND_DATA="public", GRADIO_ROOT_PATH="/play")
    yield app
    stop_app(app)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """A playground whose data is the operator's."""
    folder = tmp_path_factory.mktemp("kept")
    fill(folder, count=3)
    app = start_app(folder, *without_models(folder))
    yield app
    stop_app(app)


@pytest.fixture
def visitor(browser: Browser, app: LiveApp) -> Iterator[Visitor]:
    with visiting(browser, f"{app.url}/play") as visitor:
        yield visitor
        assert visitor.hosts == {urlsplit(app.url).netloc}


def at_data(visitor: Visitor, query: str = "") -> Page:
    visitor.page.goto(f"{visitor.url}/data{query}")
    expect(visitor.page.locator("#data-lead h1")).to_have_text("Data")
    expect(visitor.page.locator("#data-said")).to_have_attribute("data-query", query)
    return visitor.page


def asked(page: Page) -> dict[str, str]:
    """Return the query of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def titles(page: Page) -> list[str]:
    return page.locator("#data-battles .own a").all_inner_texts()


def test_filter_in_the_address_shows_the_same_view_again(browser: Browser, app: LiveApp, visitor: Visitor) -> None:
    page = at_data(visitor)
    expect(page.locator("#data-lead")).to_contain_text("45 judged battles.")
    page.get_by_label("Words").fill("city")
    page.get_by_label("Model", exact=True).fill("pocket-galpaca")
    page.get_by_label("Outcome").select_option("tie")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#data-lead")).to_contain_text("4 judged battles with these filters.")
    assert asked(page) == {"words": "city", "models": "pocket-galpaca", "winner": "tie"}
    assert urlsplit(page.url).path == "/play/data"
    before = titles(page)
    assert len(before) == 4
    assert all("a city at night" in title for title in before)
    with visiting(browser, f"{app.url}/play") as other:
        again = other.page
        again.goto(page.url)
        expect(again.locator("#data-battles .own a")).to_have_count(4)
        assert titles(again) == before
        expect(again.get_by_label("Words")).to_have_value("city")
        expect(again.get_by_label("Outcome")).to_have_value("tie")
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#data-lead")).to_contain_text("45 judged battles.")
    expect(page.get_by_label("Words")).to_have_value("")
    page.go_back()
    expect(page.locator("#data-lead")).to_contain_text("4 judged battles with these filters.")
    expect(page.get_by_label("Words")).to_have_value("city")


def test_keyboard_filters_looks_inside_and_pages(visitor: Visitor) -> None:
    page = at_data(visitor)
    page.get_by_label("Words").fill("haiku")
    page.keyboard.press("Enter")
    expect(page.locator("#data-lead")).to_contain_text("45 judged battles with these filters.")
    look = page.get_by_role("link", name="Look inside pairs")
    look.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-format=pairs] .inside")).to_contain_text("45 rows, about")
    expect(page.get_by_role("link", name="Close pairs")).to_be_focused()
    expect(page.get_by_role("group", name="First rows of pairs")).to_have_attribute("tabindex", "0")
    page.get_by_role("link", name="Older battles").press("Enter")
    expect(page.get_by_role("heading", name="Judged battles")).to_be_focused()
    expect(page.locator("#data-battles .own li").first).to_contain_text("haiku 24")
    assert {"words", "format", "before"} == set(asked(page))
    page.get_by_role("link", name="Older battles").press("Enter")
    expect(page.locator("#data-battles .own li").first).to_contain_text("haiku 4")
    expect(page.get_by_role("link", name="Older battles")).to_have_count(0)
    page.get_by_role("link", name="Newest battles").press("Enter")
    expect(page.locator("#data-battles .own li").first).to_contain_text("haiku 44")


def test_listed_battle_opens(visitor: Visitor) -> None:
    page = at_data(visitor, "?words=haiku+44")
    page.locator("#data-battles .own a").click()
    visitor.reaches("revealed")  # the list has told the outcome
    assert visitor.battle_id == f"{44:032x}"
    expect(page.locator("#column-a .who b")).to_be_visible()


@pytest.mark.parametrize("container", ["jsonl", "csv"])
def test_downloaded_file_has_the_rows_of_the_command(
    visitor: Visitor, app: LiveApp, tmp_path: Path, container: str
) -> None:
    page = at_data(visitor, "?words=sea&license=commercial")
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download votes as {CONTAINERS[container]}", exact=True).click()
    expect(page.locator("#data-progress-words")).to_contain_text("Done: ")
    assert download.value.suggested_filename.startswith("playground-votes-commercial-20")
    assert download.value.suggested_filename.endswith(f".{container}")
    downloaded, own = Path(download.value.path()).read_bytes(), tmp_path / f"own.{container}"
    command = ["export", "votes", str(own), "--db", str(app.db), "--anonymous", "--words", "sea", "--commercial"]
    subprocess.run([sys.executable, "-m", "playground", *command], cwd=ROOT, check=True, capture_output=True)
    assert downloaded == own.read_bytes()
    assert b"Write haiku 0 about the sea" in downloaded
    with page.expect_download() as manifest:
        page.get_by_role("link", name="Manifest").click()
    document = json.loads(Path(manifest.value.path()).read_text("utf-8"))
    assert document["filter"] == {"words": "sea", "license": "commercial"}
    assert hashlib.sha256(downloaded).hexdigest() in json.dumps(document)
    page.get_by_role("group", name="Download").get_by_role("button").click()
    expect(page.locator("#data-progress")).to_be_hidden()


def test_licenses_apart_are_two_files(visitor: Visitor) -> None:
    page = at_data(visitor)
    page.get_by_label("Licenses").select_option("apart")
    page.get_by_role("button", name="Apply").click()
    rows = []
    for part in ("commercial use", "other rows"):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download votes as JSONL: {part}").click()
        expect(page.locator("#data-progress-words")).to_contain_text("Done: ")
        rows.append(len(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert rows == [15, 30]


def test_refused_file_is_explained_on_the_page(visitor: Visitor) -> None:
    page = at_data(visitor)
    page.get_by_role("link", name="Download llm-comparator as JSON").click()
    expect(page.locator("#data-progress-words")).to_contain_text("about two models")
    expect(page.locator("#data-lead h1")).to_have_text("Data")


def test_stranger_is_refused_and_the_operator_is_not(browser: Browser, kept: LiveApp) -> None:
    with visiting(browser, kept.url) as visitor:
        page = at_data(visitor)
        expect(page.locator("#data-lead")).to_contain_text("Here only the operator sees it.")
        assert page.locator("#data-form, .formats, .own").count() == 0
        reply = page.request.get(f"{kept.url}/data/export?format=votes")
        assert (reply.status, "keeps the data of everybody" in reply.text()) == (403, True)
        page.get_by_role("link", name="My data").first.click()
        expect(page).to_have_url(f"{kept.url}/yours")
        page.goto(f"{kept.url}/operator?token={OPERATOR_TOKEN}")
        page = at_data(visitor)
        expect(page.locator("#data-battles .own a")).to_have_count(3)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download votes as JSONL", exact=True).click()
        assert len(Path(download.value.path()).read_text("utf-8").splitlines()) == 3


def test_page_fits_and_axe_finds_nothing(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, f"{app.url}/play", reduced_motion="reduce") as visitor:
        page = at_data(visitor, "?format=votes&origin=person")
        expect(page.locator("[data-format=votes] table")).to_be_visible()
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            assert not visitor.scrolls_sideways
        with page.expect_download():
            page.get_by_role("link", name="Download pairs as CSV").click()
        expect(page.locator("#data-progress-words")).to_contain_text("Done: ")
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)
            assert not visitor.scrolls_sideways
            assert violations(page) == [], size
