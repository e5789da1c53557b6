"""Every word on the pages comes from `playground.ui.texts`, so that it can be translated.

The pages are served in a made-up language; any plain Latin word left on them was missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.testclient import TestClient

from playground.battles import Moderation
from playground.catalog.catalog import Catalog
from playground.exchange.exports import FORMATS
from playground.records import Instruction
from playground.settings import Settings
from playground.ui.http.asgi import Receive, Scope, Send
from playground.ui.http.password import PasswordGate
from playground.ui.http.speaking import Speaking
from playground.ui.pages.compare.model_settings import SAMPLING
from playground.ui.texts.data import CONTAINERS
from tests.conftest import OPERATOR_TOKEN, without_models
from tests.support.browsing import RATER, SECRET, Visitor, visiting
from tests.support.cast import MODELS, house
from tests.support.pseudo import TAG, pseudo_language
from tests.support.serving import address_of, playground, serving
from tests.support.stub_arena import FAILURE, NAMES, UNDO_S, StubArena

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ELSEWHERE = (
    "script, style, pre, code",
    ".answer .md, .raw textarea, .compared p, #folded p",  # what models and visitors wrote
    "#instruction, #starter-samples, #starter-category, #leaderboard-category option",  # starters, and their categories
    ".model .says, .model .facts, .model details, .card dd, .card li",  # cards, which are data
    ".inside td, .inside th, #data option, .own a",  # rows and names of columns; what visitors wrote
    "#my-data-receipt-own button",  # Gradio's own, in the languages that it has
    "#operator-facts dd:last-child",  # versions
    "#terms",  # one language is agreed to
)
"""Places on the pages whose words are data."""
SEEN = """(elsewhere) => {
    const said = [];
    const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(elsewhere);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (shown(node.parentElement)) said.push(node.data);
    for (const element of document.querySelectorAll("body *:not(input[type=checkbox], input[type=radio])"))
        for (const name of ["aria-label", "title", "placeholder", "alt"])
            if (shown(element) && element.getAttribute(name)) said.push(element.getAttribute(name));
    return [document.title, ...said];
}"""
SHORT = {name.replace("-", " ").split(" ", 1)[-1] for name in NAMES}
KNOWN = {card.name for card in Catalog.load().cards.values()}
KEPT = {*FORMATS, *CONTAINERS.values(), *NAMES, *SHORT, *(name.replace(" ", "-") for name in SHORT), *KNOWN}
KEPT |= {"PNG", "far", "Ctrl ↵", "Esc", "the model's server cannot be reached; the playground keeps trying", FAILURE}
KEPT |= {*SAMPLING, *MODELS, *map(str.title, MODELS), "UTC", "kB", "MB", "GB"}
DATA = re.compile("|".join(re.escape(name) for name in sorted(KEPT, key=len, reverse=True)))
"""Names of formats, containers, models, units, keys and sampling parameters, and stored reasons."""
LICENSES = re.compile(r"\b(Apache-2\.0|CC[ -]BY(-NC)?(-SA)?)\b")
WORD = re.compile(r"(?<![\w/.:-])[A-Za-z]{2,}(?![\w/])")


@dataclass(frozen=True)
class Pseudo:
    """The pages with the made-up language, over a real arena and over a stub."""

    url: str
    stub_url: str
    stub: StubArena


def judge(folder: Path) -> None:
    """Store judged battles of this browser's rater: one reported, one hidden, one without a vote."""
    home = house(folder)
    for number, choice in enumerate(("a", "tie", "both_bad", "b>a", "")):
        home.battle_is_open(f"{number:032x}", owner=RATER, instruction=Instruction("Ááá", "Ééé", "Ííí"))
        if choice:
            home.battles.vote(f"{number:032x}", choice, RATER, final=True, reasons=["clear"], comment="Óóó")
        home.time.pass_s(60)
    home.battles.note(f"{0:032x}", RATER, report_side="a", report="Úúú")
    Moderation(home.battles).hide(f"{1:032x}")
    home.store.close()


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pseudo]:
    folder = tmp_path_factory.mktemp("pseudo")
    judge(folder)
    _, cards, _, models = without_models(folder)
    real = Settings(
        **{"db": folder / "playground.db", "cards": cards, "models": models, "data": "public"},
        operator_token=OPERATOR_TOKEN,
    )
    stub = StubArena(Settings(compares_per_minute=0, views_per_minute=0), chars_per_s=4000.0, loading_s=0.0)
    with playground(real, [pseudo_language()]) as page, serving(stub, [pseudo_language()]) as stub_page:
        yield Pseudo(page.url, address_of(stub_page), stub)


def left(visitor: Visitor) -> set[str]:
    """Return what is seen on the page with plain Latin words, but for what is data."""
    seen = visitor.page.evaluate(SEEN, ", ".join(ELSEWHERE))
    return {text.strip() for text in seen if WORD.search(LICENSES.sub("", DATA.sub("", text)))}


@pytest.mark.parametrize("path", ["/", "/leaderboard", "/models", "/data", "/yours", "/terms", "/about"])
def test_no_word_is_left(browser: Browser, pseudo: Pseudo, path: str) -> None:
    with visiting(browser, pseudo.url, locale=TAG) as visitor:
        visitor.page.goto(pseudo.url + path)
        visitor.page.wait_for_selector("#foot nav")
        visitor.page.wait_for_timeout(1000)
        assert left(visitor) == set()


class Reading:
    """Words that are left, by the state of the page that they stand in."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.found = visitor, dict[str, set[str]]()

    def read(self, state: str, *, ready: str = "") -> None:
        """Read the page once `ready`, a selector, is seen."""
        if ready:
            expect(self.visitor.page.locator(ready).first).to_be_visible()
        if words := left(self.visitor):
            self.found[state] = words


@pytest.fixture
def reading(browser: Browser, pseudo: Pseudo) -> Iterator[Reading]:
    """Read pages of the stub in one tab; fail with the words that are left."""
    with visiting(browser, pseudo.stub_url, locale=TAG, reduced_motion="reduce") as visitor:
        visitor.open()
        reading = Reading(visitor)
        yield reading
        pseudo.stub.time.go_on()
        assert reading.found == {}


def fill(visitor: Visitor, field: str, words: str) -> None:
    """Type into a field and leave it."""
    box = visitor.page.locator(f"{field} :is(input, textarea)")
    box.fill(words)
    box.blur()


def test_no_word_is_left_in_the_composer(reading: Reading, pseudo: Pseudo) -> None:
    visitor, page = reading.visitor, reading.visitor.page
    for box in ("#with-input", "#with-system"):
        page.locator(f"{box} input").check()
    page.locator("#mode label").nth(1).click()
    page.locator("#settings > button").click()
    page.locator("#who-chooses label").nth(1).click()
    reading.read("settings of each model", ready="#own-2")
    for field, words in (("#own-1", "éé"), ("#sampling-temperature", "ññ")):
        fill(visitor, field, words)
        visitor.type("Á")
        page.locator("#compare").click()
        reading.read(f"refused {field}", ready="#status.error")
        fill(visitor, field, "")
        page.reload()
        visitor.arrived()
        page.locator("#settings > button").click()
    page.locator("#instruction textarea").fill("")
    page.locator("#instruction textarea").press("Shift+Enter")
    reading.read("no instruction", ready="#status.error")


def test_no_word_is_left_of_an_open_battle(reading: Reading, pseudo: Pseudo) -> None:
    visitor, page = reading.visitor, reading.visitor.page
    pseudo.stub.time.hold()
    visitor.compare("Á fail:b", columns=4, mode="open").reaches("generating")
    reading.read("generating")
    visitor.unfold().page.locator("#instruction textarea").press("Shift+Enter")
    reading.read("refused while generating", ready="#status.error")
    pseudo.stub.time.go_on()
    visitor.reaches("open")
    reading.read("failed column", ready="#column-b .trouble")
    page.locator("#details-a > button").click()
    page.locator("#differences > button").click()
    reading.read("drawers", ready="#differences .compared")
    page.locator("#head-a [data-tool=raw]").click()
    page.locator("#head-c [data-tool=enlarge]").click()
    reading.read("raw and enlarged")
    page.locator("#head-c [data-tool=enlarge]").click()
    page.locator("[data-press=report-a]").click()
    reading.read("report", ready="#report-send")
    page.locator("#report-send").click()
    reading.read("empty report", ready="#status.error")
    fill(visitor, "#report-words", "éé")
    page.locator("#report-send").click()
    expect(page.locator("#report")).to_be_hidden()
    reading.read("reported")
    visitor.press("?")
    reading.read("all keys", ready="#keys")
    visitor.press("Escape")
    page.locator("#rank").click()
    reading.read("rank them", ready="#rank-save")
    for key in ("c", "=", "a", "d"):
        visitor.press(key)
    reading.read("ranked")
    pseudo.stub.time.hold()
    visitor.press("Enter").reaches("voted")
    reading.read("ranked and saved")
    visitor.press("r").reaches("revealed")
    reading.read("ranks")


def test_no_word_is_left_of_a_blind_battle(reading: Reading, pseudo: Pseudo) -> None:
    visitor, page, time = reading.visitor, reading.visitor.page, pseudo.stub.time
    time.hold()
    visitor.compare("Á fail:c", columns=3).reaches("generating")
    reading.read("generating")
    time.go_on()
    visitor.reaches("open")
    reading.read("failed column", ready="#column-c .trouble")
    for key, words in {"n": "all bad", "t": "tie", "a": "side"}.items():
        time.hold()
        visitor.press(key).reaches("voted")
        reading.read(f"voted {words}")
        if key != "a":
            visitor.press("u").reaches("open")
    page.locator("#reasons label").first.click()
    fill(visitor, "#comment", "éé")
    page.locator("#comment :is(input, textarea)").press("Enter")
    reading.read("judged with reasons")
    visitor.press("r").reaches("revealed")
    reading.read("revealed")
    time.go_on()
    shared = visitor.battle_id
    with visiting(visitor.page.context.browser, visitor.url, locale=TAG) as guest:  # type: ignore[arg-type]
        reading.visitor = guest.open(f"/?battle={shared}").reaches("shared")
        reading.read("shared")
        guest.page.locator("#look").click()
        guest.reaches("revealed")
        reading.read("somebody else's vote")
        pseudo.stub.time.hold()
        visitor.open().compare("É").reaches("generating")
        guest.open(f"/?battle={visitor.battle_id}")
        reading.read("foreign", ready="#status.error")
        pseudo.stub.time.go_on()
    reading.visitor = visitor.reaches("open")


def test_no_word_is_left_of_a_void_or_unstored_battle(reading: Reading, pseudo: Pseudo) -> None:
    visitor, page = reading.visitor, reading.visitor.page
    visitor.compare("Á fail:ab").reaches("void")
    reading.read("void")
    page.locator("#forget input").check()
    visitor.compare("Á").reaches("open")
    battle = pseudo.stub._battles[visitor.battle_id]
    pseudo.stub.time.hold()
    battle.choice, battle.final_s, battle.revision = "b", pseudo.stub.time.now() + UNDO_S, 1  # in another tab
    visitor.press("a").reaches("voted")
    reading.read("voted elsewhere", ready="#status.error")
    visitor.press("r").reaches("revealed")
    reading.read("revealed, not stored")


@pytest.mark.parametrize("path", ["/?battle=ééé", f"/?battle={'0' * 32}"])
def test_no_word_is_left_of_a_battle_that_nobody_has(browser: Browser, pseudo: Pseudo, path: str) -> None:
    with visiting(browser, pseudo.stub_url, locale=TAG) as visitor:
        visitor.open(path)
        expect(visitor.page.locator("#status.error")).to_be_visible()
        assert left(visitor) == set()


def test_no_word_is_left_of_own_data(browser: Browser, pseudo: Pseudo) -> None:
    with visiting(browser, pseudo.url, secret=SECRET, locale=TAG) as visitor:
        reading, page = Reading(visitor), visitor.page
        page.goto(f"{pseudo.url}/yours")
        reading.read("my data", ready=".own a")
        page.locator("#my-data-erase").click()
        reading.read("question", ready="#my-data-question p")
        page.locator("#my-data-keep").click()
        page.locator("#my-data-receipt-show").click()
        fill(visitor, "#my-data-receipt-other", "ééé")
        page.locator("#my-data-open").click()
        reading.read("wrong receipt", ready="#my-data-words.error")
        fill(visitor, "#my-data-receipt-other", "0" * 32)
        page.locator("#my-data-open").click()
        reading.read("empty receipt", ready="#my-data-words:not(.error):not(:empty)")
        for battle in range(5):
            visitor.open(f"/?battle={battle:032x}")
            page.wait_for_selector("body[data-phase]:not([data-phase=compose])", state="attached")
            reading.read(f"battle {battle}")
        assert reading.found == {}


def test_no_word_is_left_of_data(browser: Browser, pseudo: Pseudo) -> None:
    with visiting(browser, pseudo.url, locale=TAG) as visitor:
        reading, page = Reading(visitor), visitor.page
        for query in ("?format=votes", "?format=trl-preference&license=apart", "?words=zzz", "?format=éé"):
            page.goto(f"{pseudo.url}/data{query}")
            page.wait_for_selector("#data-said[data-query]", state="attached")
            for summary in page.locator("#data-filters summary, #data details > summary").all():
                summary.click()
            reading.read(query)
        page.goto(f"{pseudo.url}/data?format=pairs")
        page.locator("[data-download]").first.click()
        reading.read("download", ready="#data-progress")
        assert reading.found == {}


def test_no_word_is_left_for_the_operator(browser: Browser, pseudo: Pseudo) -> None:
    with visiting(browser, pseudo.url, secret=SECRET, locale=TAG) as visitor:
        reading, page = Reading(visitor), visitor.page
        page.goto(f"{pseudo.url}/operator?token=éé")
        reading.read("wrong token", ready="[role=alert]")
        page.goto(f"{pseudo.url}/operator?token={OPERATOR_TOKEN}")
        page.wait_for_selector("#operator-facts dd")
        for summary in page.locator("#operator-list summary").all():
            summary.click()
        reading.read("operator", ready="#operator-list details[open] pre")
        words, battle = page.locator("#operator-words"), "0" * 32
        for asked, ready in (("éé", "#operator-words.error"), (battle, "#operator-list section:nth-of-type(3)")):
            fill(visitor, "#operator-asked", asked)
            page.locator("#operator-look").click()
            reading.read(f"looked up {asked}", ready=ready)
        for do in ("dismiss", "hide", "show"):
            before = words.inner_text()
            page.locator(f"[data-battle='{battle}'] [data-do={do}]").first.click()
            expect(words).not_to_have_text(before)
            reading.read(do)
        page.goto(f"{pseudo.url}/models")
        page.locator("#models-add-button").click()
        reading.read("models", ready="#models-words.error")
        page.goto(f"{pseudo.url}/nowhere")
        reading.read("refused page", ready="p")
        assert reading.found == {}


def test_no_word_is_left_of_the_password_form(browser: Browser, pseudo: Pseudo) -> None:
    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("nobody knows the password")

    client = TestClient(Speaking(PasswordGate(inside, "éé"), [pseudo_language()]))
    asks = {"accept": "text/html", "accept-language": TAG}
    replies = [client.get("/", headers=asks), client.get("/", headers={**asks, "sec-fetch-dest": "iframe"})]
    replies += [client.post("/login", headers=asks, data={"password": "ññ"}) for _ in range(30)]
    with visiting(browser, pseudo.url, locale=TAG) as visitor:
        for reply in {reply.text: reply for reply in replies}.values():
            visitor.page.set_content(reply.text)
            assert left(visitor) == set()
            expect(visitor.page.locator("html")).to_have_attribute("lang", TAG)
    assert {reply.status_code for reply in replies} == {401, 429}


def test_no_word_is_left_of_a_full_leaderboard(browser: Browser, pseudo: Pseudo) -> None:
    with visiting(browser, pseudo.stub_url, locale=TAG) as visitor:
        visitor.open("/leaderboard")
        visitor.page.wait_for_selector(".box-trust p")
        assert left(visitor) == set()


def test_page_is_served_in_the_language_of_the_browser(browser: Browser, pseudo: Pseudo) -> None:
    for locale, tag in ((TAG, TAG), ("de-DE", "en")):
        with visiting(browser, pseudo.url, locale=locale) as visitor:
            for _ in range(2):  # the second time scripts come from the cache, in another order
                expect(visitor.open().page.locator("html")).to_have_attribute("lang", tag)
            assert visitor.page.locator("html").get_attribute("dir") == "ltr"
            assert (visitor.page.locator("#compare").inner_text() == "Compare") is (tag == "en")
