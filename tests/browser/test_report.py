"""A report in Chromium, opened as a file with the network off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.publishing.publishing import every_kind
from tests.report.reports import (
    CATEGORIES,
    database,
    hostile_votes,
    many_votes,
    ratings_without,
    reported,
)
from tests.support.browsing import DESKTOP, PHONE
from tests.support.cast import House
from tests.support.judged import GALPACA, MAMBA, MINOTAUR, OPENALPACA, ORCA

pytestmark = pytest.mark.browser

MORE = 1e-6  # points
RATINGS = (
    "[...document.querySelectorAll('#again-rows tr')].map((row) => [row.cells[0].textContent, row.dataset.rating])"
)
WIDTH = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("report"), many_votes, hostile_votes, every_kind)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab without a network, in which an error, a dialog or a request fails the test."""
    context = browser.new_context(viewport=DESKTOP, offline=True)  # type: ignore[arg-type]
    tab, complaints = context.new_page(), list[str]()
    tab.on("request", lambda request: complaints.append(request.url) if not request.url.startswith("file:") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    yield tab
    context.close()
    assert complaints == []


def opened(page: Page, db: Path, *flags: str) -> Page:
    reported(db, *flags)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(db.with_name("report.html").as_uri())
    expect(page.locator("#again-said")).to_contain_text("as in the report")
    assert len(requests) == 1, "the document itself"
    return page


NAMES = {
    "Pocket Galpaca": GALPACA,
    "Pocket orca-mini": ORCA,
    "Pocket mamba-gpt": MAMBA,
    "Pocket Minotaur": MINOTAUR,
    "Pocket OpenAlpaca": OPENALPACA,
}


def rated(page: Page) -> dict[str, float]:
    return {NAMES[name]: float(rating) for name, rating in page.evaluate(RATINGS) if rating}


def agree(page: Page, expected: dict[str, float]) -> None:
    found = rated(page)
    assert found.keys() == expected.keys()
    assert max(abs(found[model] - rating) for model, rating in expected.items()) < MORE
    order = [NAMES[name] for name, rating in page.evaluate(RATINGS) if rating]
    assert order == sorted(found, key=lambda model: -found[model])


def test_browser_rates_as_the_program_does(page: Page, db: Path) -> None:
    opened(page, db)
    agree(page, ratings_without(db))
    page.get_by_role("checkbox", name="Pocket mamba-gpt").uncheck()
    agree(page, ratings_without(db, [MAMBA]))
    page.get_by_role("checkbox", name="maths").uncheck()
    agree(page, ratings_without(db, [MAMBA], ["maths"]))
    page.get_by_role("radio", name="left out").check()
    agree(page, ratings_without(db, [MAMBA], ["maths"], "omit"))
    page.get_by_role("button", name="As in the report").click()
    expect(page.locator("#again-said")).to_contain_text("as in the report")
    agree(page, ratings_without(db))


@pytest.mark.parametrize("seed", [11, 12])
def test_other_boards_agree_too(page: Page, tmp_path: Path, seed: int) -> None:
    def votes(home: House) -> None:
        many_votes(home, 40, raters=3 + 60 * (seed % 2), seed=seed)

    db = database(tmp_path, votes)
    opened(page, db, "--both-bad", "omit")
    agree(page, ratings_without(db, both_bad="omit"))
    page.get_by_role("checkbox", name="Pocket orca-mini").uncheck()
    page.get_by_role("checkbox", name="other instructions").uncheck()
    agree(page, ratings_without(db, [ORCA], [CATEGORIES[-1]], "omit"))
    for name in list(NAMES)[:4]:
        page.get_by_role("checkbox", name=name).uncheck()
    assert rated(page) == {}
    expect(page.locator("#again-said")).to_have_text("0 votes rated.")


def test_search_finds_words_and_draws_hostile_texts_as_texts(page: Page, db: Path) -> None:
    opened(page, db)
    battles, said = page.locator("#votes-list > li"), page.locator("#votes-said")
    expect(battles).to_have_count(20)
    page.get_by_role("button", name="Show more").click()
    expect(battles).to_have_count(40)
    assert page.evaluate("[...document.querySelectorAll('#votes-list > li')].indexOf(document.activeElement)") == 20
    page.get_by_label("Words in instruction or answers").fill("HERD llamas")
    expect(said).to_have_text("No battle fits. Fewer words find more.")
    page.get_by_label("Words in instruction or answers").fill("herd alert(1)")
    expect(battles).to_have_count(1)
    expect(battles).to_contain_text("<script>alert(1)</script><img src=x onerror=alert(1)>")
    assert page.title() == "Playground"
    assert page.locator("main img, main form form, main iframe").count() == 0
    page.get_by_label("Words in instruction or answers").fill("")
    page.get_by_label("Outcome").select_option("both_bad")
    expect(said).not_to_contain_text("20 of")
    outcomes = battles.locator(".facts").all_inner_texts()
    assert outcomes
    assert all(facts.startswith("all bad") for facts in outcomes)


def test_report_has_no_faults_at_any_width_and_scheme(page: Page, db: Path) -> None:
    opened(page, db)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    for viewport in (DESKTOP, PHONE):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        assert page.evaluate(WIDTH) <= 0, "nothing scrolls sideways but tables in their boxes"
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = Axe().run(page).response["violations"]
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], (viewport, scheme)


def test_keyboard_reaches_the_parts(page: Page, db: Path) -> None:
    opened(page, db)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Ranking")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Rate again")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox").first).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#again-said")).not_to_contain_text("as in the report")


def test_paper_is_white_and_has_no_controls(page: Page, db: Path) -> None:
    opened(page, db)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 250, 248)"
    for hidden in ("#again-form", "#votes-form", "#votes-more", "nav"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#examples details:not([open]) .battle").first).to_be_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_report_reads_without_scripts(browser: Browser, db: Path) -> None:
    reported(db)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(db.with_name("report.html").as_uri())
    expect(page.locator("#forest")).to_be_visible()
    expect(page.locator("#votes noscript p")).to_have_text("This part needs JavaScript, which is switched off here.")
    expect(page.locator("#votes-form, #again-form, #votes-more")).to_have_count(3)
    for control in page.locator("#votes-form, #again-form, #votes-more").all():
        expect(control).to_be_hidden()
    context.close()
