"""The Rate page in a browser: a rater with a keyboard, a lost connection, a reload, screens of every size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect
from starlette.middleware import Middleware

from playground.settings import Settings
from tests.browser.test_keyboard import CYRILLIC, strike
from tests.browser.test_layout import IN_SIGHT, LYING, ZOOMED
from tests.browser.test_words import left
from tests.support.browsing import DESKTOP, PHONE, Visitor, violations, visiting
from tests.support.patience import wait_until
from tests.support.pseudo import TAG, pseudo_language
from tests.support.rate_stub import RateStub, RateStubRoutes
from tests.support.serving import address_of, serving
from tests.support.stub_arena import StubArena

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTE = "#vote-note"
TABLET = {"width": 768, "height": 1024}
HOLD_MS = 1050
"""A press within the first second of a battle is no vote on it."""


@dataclass
class Rating:
    """A rater on the page, and the battles that are offered."""

    visitor: Visitor
    stub: RateStub

    @property
    def page(self) -> Page:
        return self.visitor.page

    @property
    def task(self) -> Locator:
        return self.page.locator("#rate-instruction .md")

    def open(self, address: str = "/rate") -> Rating:
        self.page.goto(self.visitor.url + address)
        return self.rates()

    def rates(self) -> Rating:
        """Wait for a battle that may be judged."""
        self.page.wait_for_selector("#rate[data-state=rating]")
        self.page.wait_for_timeout(HOLD_MS)
        return self

    def judge(self, *keys: str) -> list[str]:
        """Press keys, each on another battle; return the instructions, that of the last battle at the end."""
        seen = [self.task.inner_text()]
        for key in keys:
            self.page.keyboard.press(key)
            expect(self.task).not_to_have_text(seen[-1])
            seen.append(self.task.inner_text())
            self.page.wait_for_timeout(HOLD_MS)
        return seen

    def open_ahead(self, address: str = "/rate") -> Rating:
        """Open the page, and wait until two more battles are loaded."""
        with self.page.expect_response(lambda response: response.url.endswith("/next") and has_two(response)) as third:
            self.open(address)
        third.value.finished()
        return self

    def stored(self, *choices: str) -> None:
        """Wait for the votes, and check that there are no others."""
        wait_until(lambda: len(self.stub.votes) >= len(choices))
        assert self.stub.choices == list(choices)


def has_two(response: Response) -> bool:
    return len(response.request.post_data_json["have"]) == 2


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, RateStub]]:
    stub = RateStub()
    arena = StubArena(Settings(compares_per_minute=0, votes_per_minute=0, views_per_minute=0))
    with serving(arena, [pseudo_language()], outer=[Middleware(RateStubRoutes, stub=stub)]) as page:
        yield address_of(page), stub


@pytest.fixture
def rating(browser: Browser, site: tuple[str, RateStub]) -> Iterator[Rating]:
    url, stub = site
    stub.reset()
    with visiting(browser, url, reduced_motion="reduce") as visitor:
        yield Rating(visitor, stub)


def test_ten_battles_by_keyboard_alone(rating: Rating) -> None:
    seen = rating.open().judge("a", "b", "t", "n", "ArrowLeft", "ArrowRight", "a")
    assert len(set(seen)) == 8, "every battle came once"
    expect(rating.page.locator("#answer-a")).to_be_focused()
    rating.page.keyboard.press("2")
    expect(rating.page.locator("[data-reason=complete]")).to_have_attribute("aria-pressed", "true")
    strike(rating.visitor, CYRILLIC["b"], "KeyB")
    expect(rating.task).not_to_have_text(seen[-1])
    rating.page.wait_for_timeout(HOLD_MS)
    rating.judge("t", "n")
    rating.stored("a", "b", "tie", "both_bad", "a", "b", "a", "b", "tie", "both_bad")
    assert [vote.get("reasons") for vote in rating.stub.votes[6:9]] == [None, ["complete"], None]
    assert all(vote["decision_ms"] > 0 for vote in rating.stub.votes)
    expect(rating.page.locator("#rate-progress")).to_have_text("10 today")
    rating.page.keyboard.press("?")
    rating.page.keyboard.press("a")  # the list has the keyboard
    rating.page.keyboard.press("Escape")
    rating.page.locator("#rate-keys-on").click()
    rating.page.keyboard.press("a")  # and keys are off
    rating.page.locator("#rate-keys-on").click()
    rating.judge("b")
    assert rating.stub.choices[10:] == ["b"]


def test_battle_that_was_hidden_is_skipped(rating: Rating) -> None:
    rating.open_ahead()
    rating.stub.gone |= {f"{number:032x}" for number in (1, 2)}
    rating.page.keyboard.press("a")
    expect(rating.task).to_contain_text("3.")
    expect(rating.page.locator("#rate-said")).to_have_text(
        "The battle before cannot be shown any more; this is another one."
    )
    rating.page.wait_for_timeout(HOLD_MS)
    rating.page.keyboard.press("b")
    expect(rating.task).to_contain_text("4.")
    assert [vote["battle"][-1] for vote in rating.stub.votes] == ["0", "3"]


def test_differences_are_marked_on_request(rating: Rating) -> None:
    page, marks = rating.open().page, rating.page.locator("#answers mark")
    button = page.locator("#rate-differs")
    assert marks.count() == 0
    page.keyboard.press("d")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(marks.first).to_be_visible()
    expect(page.locator("#answer-a .md")).to_be_hidden()
    assert page.locator("#answer-b .marked").inner_text() == "Alpaca: wool. Llama: loads."
    page.set_viewport_size(PHONE)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    rating.judge("a")
    expect(marks.first).to_be_visible()  # of the next battle too
    page.keyboard.press("d")
    expect(page.locator("#answer-a .md")).to_be_visible()
    expect(marks.first).to_be_hidden()


def test_raw_and_differences_release_each_other(rating: Rating) -> None:
    page = rating.open().page
    raw, differs = page.locator("#rate-raw"), page.locator("#rate-differs")
    differs.click()
    expect(page.locator("#answer-a .marked")).to_be_visible()
    raw.click()
    expect(differs).to_have_attribute("aria-pressed", "false")
    expect(raw).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#answer-a .plain-text")).to_be_visible()
    expect(page.locator("#answer-a .marked")).to_be_hidden()
    differs.click()
    expect(raw).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#answer-a .marked")).to_be_visible()
    differs.click()
    expect(page.locator("#answer-a .md")).to_be_visible()  # neither is on


AT_ONCE = """() => {
  const task = document.getElementById('rate-task'), first = task.innerText;
  new MutationObserver((_, watching) => {
    if (task.innerText === first) return;
    watching.disconnect();
    const press = new KeyboardEvent('keydown', { key: 'a', code: 'KeyA', bubbles: true });
    setTimeout(() => document.body.dispatchEvent(press));
  }).observe(task, { childList: true, characterData: true, subtree: true });
}"""
"""Vote again as soon as the next battle is shown: no call from outside is sure to come within its first second."""


def test_vote_that_does_not_count_is_said_in_words(rating: Rating) -> None:
    rating.open()
    rating.page.evaluate(AT_ONCE)
    rating.page.keyboard.press("a")
    said = rating.page.locator("#rate-said")
    expect(said).to_have_text("Not yet: a vote in the first second does not count. Vote again.")
    rating.page.wait_for_timeout(HOLD_MS)
    rating.stored("a")
    rating.stub.why_not = "decided in under 1 s"
    rating.judge("b")
    expect(said).to_have_text("Your last vote is saved, but not counted: decided in under 1 s.")
    rating.stored("a", "b")


def test_undo_skip_and_a_refused_vote(rating: Rating) -> None:
    first, second = rating.open().judge("a")
    rating.page.keyboard.press("u")
    expect(rating.task).to_have_text(first)
    rating.page.wait_for_timeout(HOLD_MS)
    assert rating.judge("b") == [first, second]
    skipped, third = rating.judge("s")
    assert skipped == second
    assert third not in (first, second)
    rating.judge("t")
    rating.stored("a", "undo", "b", "tie")
    rating.stub.vote_refusal = "It was open for too long."
    rating.judge("a")
    expect(rating.page.locator(NOTE)).to_have_text("Your vote (A) was not saved: It was open for too long.")
    rating.stub.vote_refusal = ""
    rating.judge("b")
    rating.stored("a", "undo", "b", "tie", "b")


def test_votes_wait_for_the_connection_and_are_sent_once(rating: Rating) -> None:
    rating.open_ahead().page.context.set_offline(True)
    rating.judge("a", "b")
    expect(rating.page.locator(NOTE)).to_have_text(
        "Votes that are kept here: 2. They are sent when the server is back."
    )
    rating.page.keyboard.press("t")
    expect(rating.page.locator("#rate-end h2")).to_have_text("The next battle comes when the server is back.")
    rating.page.keyboard.press("u")  # a vote that waits is taken back here
    rating.rates().page.keyboard.press("n")
    expect(rating.page.locator(NOTE)).to_contain_text("3")
    rating.page.context.set_offline(False)
    rating.rates()
    expect(rating.page.locator(NOTE)).to_have_text("The votes that waited are saved.")
    rating.judge("a")
    rating.stored("a", "b", "both_bad", "a")


def test_reload_goes_on_and_sends_what_waited(rating: Rating) -> None:
    rating.open("/rate?study=s&key=secret")
    assert rating.page.url.endswith("/rate?study=s")
    first = rating.task.inner_text()
    expect(rating.open_ahead("/rate?study=s").task).to_have_text(first)
    assert {(asked["study"], asked["key"]) for asked in rating.stub.asked} == {("s", "secret")}
    rating.page.context.set_offline(True)
    _, second = rating.judge("b")
    assert rating.stub.votes == []
    rating.page.goto("about:blank")
    rating.page.context.set_offline(False)
    expect(rating.open("/rate?study=s").task).to_have_text(second)
    rating.stored("b")


def test_study_asks_for_more(rating: Rating) -> None:
    rating.stub.reset(count=2, of=2, strength=True)
    page = rating.open().page
    page.keyboard.press("1")
    rating.judge("Shift+A")
    expect(page.locator("#rate-progress")).to_have_text("1 of 2, about 1 min left")
    page.keyboard.press("3")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#rate-end")).to_contain_text("That was all for now. Thank you!")
    expect(page.locator("#rate-end h2")).to_be_focused()
    rating.stored("a", "b")
    asked = [(vote["strength"], vote["reasons"]) for vote in rating.stub.votes]
    assert asked == [("much", ["correct"]), ("slightly", ["clear"])]
    page.keyboard.press("u")
    rating.rates()
    rating.stored("a", "b", "undo")


def test_every_size_scheme_and_state_is_accessible(rating: Rating) -> None:
    page = rating.open().page
    assert violations(page) == []
    for size in (PHONE, LYING, ZOOMED, TABLET, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        rating.judge("s")
        assert not rating.visitor.scrolls_sideways
        for button in ("vote-a", "vote-tie", "vote-bad", "skip", "undo"):
            expect(page.locator(f"#{button}")).to_be_in_viewport(ratio=1)
        if size in (PHONE, LYING, ZOOMED):
            assert page.evaluate(IN_SIGHT) >= 0.5, size
        if size in (PHONE, LYING):
            assert violations(page) == []
    assert len(page.locator("#answer-a p, #answer-b p").evaluate_all("all => all.filter((p) => p.dir === 'auto')")) == 2
    page.locator("#rate-raw").click()
    expect(page.locator("#answer-a .plain-text")).to_be_visible()
    expect(page.locator("#answer-a .md")).to_be_hidden()
    rating.stub.refusal = "Nobody has such a link."
    page.reload()
    expect(page.locator("#rate-end")).to_contain_text("Nobody has such a link.")
    assert violations(page) == []


def test_long_answers_are_cut_on_a_phone_and_scroll_together_elsewhere(rating: Rating) -> None:
    page = rating.open().page
    rating.judge("s", "s")  # to the answer of 20,000 characters
    page.evaluate("document.querySelector('#answer-a').scrollTop = 1e6")
    ends = "box => box.scrollTop + box.clientHeight >= box.scrollHeight - 2"
    wait_until(lambda: page.locator("#answer-b").evaluate(ends))
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    button, answer = page.locator("#column-a [data-whole]"), page.locator("#answer-a")
    expect(button).to_be_visible()
    height = answer.bounding_box()["height"]  # type: ignore[index]
    assert height < PHONE["height"]
    button.click()
    assert answer.bounding_box()["height"] > 4 * height  # type: ignore[index]
    rating.judge("a")
    assert answer.bounding_box()["height"] < PHONE["height"]  # type: ignore[index]


def test_no_word_is_left(browser: Browser, site: tuple[str, RateStub]) -> None:
    url, stub = site
    choices = ({"id": "a", "words": "Á"}, {"id": "b", "words": "Ɓ"})
    criterion = {"id": "help", "question": "Ħéłþ?", "choices": choices, "required": False, "reason": "required"}
    stub.reset(count=2, of=2, strength=True, question="Ŵħíçħ?", why_none="Ñóñé.", criteria=(criterion,))
    with visiting(browser, url, locale=TAG) as visitor:
        rating, page = Rating(visitor, stub).open(), visitor.page
        answers = page.locator("#answer-a, #answer-b")
        found = left(visitor) - set(answers.all_inner_texts())
        for _ in range(2):
            page.keyboard.press("1")  # answers, and waits for the reason
            page.keyboard.press("Enter")
            page.keyboard.press("a")
            expect(page.locator("#rate-said")).not_to_be_empty()
            page.keyboard.type("Ŵħý.")
            page.keyboard.press("Enter")
            page.keyboard.press("1")
            found |= left(visitor) - set(answers.all_inner_texts())
            page.keyboard.press("a")
            page.wait_for_timeout(HOLD_MS)
        expect(page.locator("#undo-last")).to_be_visible()
        found |= left(visitor)
        page.keyboard.press("u")
        found |= left(rating.rates().visitor) - set(answers.all_inner_texts())
        assert found == set()
