"""Further questions of a study on the Rate page: by digits and clicks, over undo, reload and a lost connection."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_layout import IN_SIGHT, LYING
from tests.browser.test_rate import HOLD_MS, NOTE, Rating, rating, site
from tests.support.browsing import DESKTOP, PHONE, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

__all__ = ["rating", "site"]  # fixtures

WORDS = {"a": "A", "b": "B", "tie": "tie"}
SIDES = [{"id": id, "words": words} for id, words in WORDS.items()]
FACTS = {"id": "facts", "question": "Whose facts are right?", "choices": SIDES, "required": True, "reason": None}
HARM = {
    "id": "harm",
    "question": "Is one of them harmful?",
    "choices": [{"id": "yes", "words": "yes"}, {"id": "no", "words": "no"}],
    "required": False,
    "reason": "required",
}
STYLE = {"id": "style", "question": "Who writes better?", "choices": SIDES, "required": True, "reason": "optional"}
ASKED: tuple[dict[str, Any], ...] = (FACTS, HARM, STYLE)


def opened(rating: Rating, **changes: Any) -> Page:
    rating.stub.reset(criteria=ASKED, **changes)
    return rating.open().page


def criterion(page: Page, id: str) -> Locator:
    return page.locator(f".criterion[data-criterion={id}]")


def checked(page: Page) -> dict[str, str]:
    """Return what is chosen, by criterion."""
    return dict(
        page.locator(".criterion [aria-checked=true]").evaluate_all(
            "all => all.map((one) => [one.closest('.criterion').dataset.criterion, one.dataset.answer])"
        )
    )


def criteria(rating: Rating) -> list[Any]:
    return [vote["criteria"] for vote in rating.stub.votes if vote["choice"] != "undo"]


def test_digits_answer_one_question_after_the_other(rating: Rating) -> None:
    page = opened(rating)
    for key in "203":
        page.keyboard.press(key)
    assert checked(page) == {"facts": "b", "style": "tie"}
    expect(page.locator("#rate-next")).to_have_text("Who writes better? tie")
    page.keyboard.press("3")  # no question is marked: a reason
    rating.judge("a")
    assert checked(page) == {}
    page.keyboard.press("1")
    page.keyboard.press("Backspace")
    page.keyboard.press("2")  # instead
    page.keyboard.press("1")  # waits for the reason
    expect(criterion(page, "harm").locator("input")).to_be_focused()
    page.keyboard.type("It says a name: b.")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    rating.judge("Shift+B")
    rating.stored("a", "b")
    assert criteria(rating) == [
        {"facts": {"choice": "b"}, "style": {"choice": "tie"}},
        {
            "facts": {"choice": "b"},
            "harm": {"choice": "yes", "reason": "It says a name: b."},
            "style": {"choice": "a"},
        },
    ]
    assert rating.stub.votes[0]["reasons"] == ["clear"]


def test_what_is_needed_is_asked_for_before_the_vote(rating: Rating) -> None:
    page, said = opened(rating), rating.page.locator("#rate-said")
    task = rating.task.inner_text()
    page.keyboard.press("a")
    expect(said).to_have_text("Answer this first: Whose facts are right?")
    page.keyboard.press("1")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.keyboard.press("a")
    expect(said).to_have_text("Give a reason first: Is one of them harmful?")
    expect(criterion(page, "harm").locator("input")).to_be_focused()
    criterion(page, "harm").get_by_role("radio").first.click()  # not needed: taken back
    page.keyboard.press("a")
    expect(said).to_have_text("Answer this first: Who writes better?")
    expect(criterion(page, "style")).to_have_attribute("data-marked", "")
    expect(rating.task).to_have_text(task)
    page.keyboard.press("2")
    rating.judge("a")
    rating.stored("a")
    assert criteria(rating) == [{"facts": {"choice": "a"}, "style": {"choice": "b"}}]


def test_answers_survive_a_reload_and_come_back_with_an_undone_vote(rating: Rating) -> None:
    page = opened(rating)
    for key in "301":
        page.keyboard.press(key)
    page.locator(".criterion-reason:visible").fill("Short.")
    page.reload()
    rating.rates()
    assert checked(page) == {"facts": "tie", "style": "a"}
    expect(page.locator(".criterion-reason:visible")).to_have_value("Short.")
    rating.judge("b")
    assert checked(page) == {}
    page.keyboard.press("u")
    rating.rates()
    assert checked(page) == {"facts": "tie", "style": "a"}
    criterion(page, "facts").get_by_role("radio", name="B").click()
    rating.judge("b")
    rating.stored("b", "undo", "b")
    style = {"choice": "a", "reason": "Short."}
    assert criteria(rating) == [
        {"facts": {"choice": "tie"}, "style": style},
        {"facts": {"choice": "b"}, "style": style},
    ]


def test_answers_wait_with_their_vote_for_the_connection(rating: Rating) -> None:
    rating.stub.reset(criteria=(FACTS,))
    page = rating.open_ahead().page
    page.context.set_offline(True)
    for key in "12":
        page.keyboard.press(key)
        rating.judge("a")
    expect(page.locator(NOTE)).to_contain_text("2")
    page.goto("about:blank")
    page.context.set_offline(False)
    rating.open()
    rating.stored("a", "a")
    assert criteria(rating) == [{"facts": {"choice": "a"}}, {"facts": {"choice": "b"}}]


def test_radio_groups_are_one_tab_stop_and_move_by_arrows(rating: Rating) -> None:
    page = opened(rating)
    group = page.get_by_role("radiogroup", name="Whose facts are right?")
    group.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    expect(group.get_by_role("radio", name="B")).to_be_focused()
    expect(group.get_by_role("radio", name="B")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radiogroup", name="harmful").get_by_role("radio").first).to_be_focused()
    assert rating.stub.votes == []


def test_every_size_leaves_room_for_the_answers(rating: Rating) -> None:
    page = opened(rating)
    for size in (DESKTOP, PHONE, LYING):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.wait_for_timeout(HOLD_MS)
        for id, key in (("facts", "1"), ("harm", "0"), ("style", "2")):
            expect(criterion(page, id)).to_have_attribute("data-marked", "")
            for radio in criterion(page, id).get_by_role("radio").all():
                expect(radio).to_be_in_viewport(ratio=1)
            page.keyboard.press(key)
        for button in ("vote-a", "vote-bad", "skip", "undo"):
            expect(page.locator(f"#{button}")).to_be_in_viewport(ratio=1)
        assert not rating.visitor.scrolls_sideways
        assert violations(page) == []
        assert size == DESKTOP or page.evaluate(IN_SIGHT) >= 0.4, size
        rating.judge("a")
