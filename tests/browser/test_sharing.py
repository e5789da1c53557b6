"""Links to battles: copied, and followed by guests, who vote blind on the same answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import StubPage
from tests.support.browsing import Visitor, violations, visiting

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def visitor(browser: Browser, stub: StubPage) -> Iterator[Visitor]:
    """A visitor who looks at a revealed battle, which no guest can change."""
    with visiting(browser, stub.url, permissions=["clipboard-read", "clipboard-write"]) as visitor:
        visitor.open().compare(columns=3).reaches("open").press("a").reaches("voted").press("r")
        yield visitor.reaches("revealed")


@pytest.fixture
def guest(browser: Browser, visitor: Visitor) -> Iterator[Visitor]:
    with visiting(browser, visitor.url) as guest:
        yield guest.open(f"/?battle={visitor.battle_id}").reaches("shared")


def test_link_is_copied_and_on_a_space_leads_to_the_hub(visitor: Visitor) -> None:
    before = visitor.page.url
    visitor.page.get_by_role("button", name="copy link").click()
    expect(visitor.page.locator("#vote-hint [role=status]")).to_contain_text("Link copied.")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == f"{visitor.url}/?battle={visitor.battle_id}"
    assert visitor.page.url == before
    # On a Space the page stands in a frame, and the link leads to the hub.
    visitor.page.evaluate(
        "document.getElementById('link-words').textContent = "
        "JSON.stringify({ base: 'https://huggingface.co/spaces/org/arena', copied: 'Link copied.' })"
    )
    visitor.page.get_by_role("button", name="copy link").click()
    visitor.page.wait_for_function(
        "async (link) => await navigator.clipboard.readText() === link",
        arg=f"https://huggingface.co/spaces/org/arena?battle={visitor.battle_id}",
    )


def test_battle_in_memory_has_no_link(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url) as visitor:
        visitor.open().page.get_by_label("do not store").check()
        visitor.compare().reaches("open").press("a").reaches("voted").press("r").reaches("revealed")
        expect(visitor.page.get_by_role("button", name="copy link")).to_have_count(0)


def test_guest_votes_blind_and_sees_the_models_afterwards(guest: Visitor, visitor: Visitor, stub: StubPage) -> None:
    assert guest.columns_shown == 3
    assert "soft wool" in guest.answer("a")
    assert guest.page.locator(".side:visible .who b").count() == 0
    expect(guest.page.locator("#vote-a")).to_be_hidden()
    expect(guest.page.locator("#compare")).to_be_hidden()  # "Compare again" would ask for another vote
    expect(guest.page.locator("#vote-words")).not_to_contain_text("The vote")
    guest.press("Enter").reaches("open")
    assert guest.battle_id not in ("", visitor.battle_id)
    assert guest.page.locator(".side:visible .who b").count() == 0
    guest.press("b").reaches("voted").press("r").reaches("revealed")
    assert guest.page.locator(".side:visible .who b").count() == 3
    assert stub.arena._battles[visitor.battle_id].choice == "a"
    assert stub.arena._battles[guest.battle_id].choice == "b"


def test_guest_may_see_the_models_without_a_vote(guest: Visitor, visitor: Visitor) -> None:
    guest.page.get_by_role("button", name="Show the models").click()
    guest.reaches("revealed")
    assert guest.battle_id == visitor.battle_id
    assert guest.page.locator(".side:visible .who b").count() == 3
    expect(guest.page.locator("#vote-words")).to_contain_text("The vote went to A")
    guest.page.evaluate("document.getElementById('again').click()")
    guest.page.wait_for_timeout(800)
    assert guest.phase == "revealed"
    guest.reload().reaches("revealed")
    expect(guest.page.locator("#vote-words")).to_contain_text("The vote went to A")


def test_link_beside_the_outcome_shows_the_models(browser: Browser, visitor: Visitor) -> None:
    """Who has read the outcome on the Data page would not vote blind."""
    with visiting(browser, visitor.url) as reader:
        reader.open(f"/?battle={visitor.battle_id}&look=1").reaches("revealed")
        reader.reload().reaches("revealed")


def test_guest_sees_nothing_of_a_battle_that_is_not_revealed(browser: Browser, stub: StubPage) -> None:
    with visiting(browser, stub.url) as visitor, visiting(browser, stub.url) as guest:
        visitor.open().compare().reaches("open")
        with stub.time.held():
            visitor.press("a").reaches("voted")
            guest.open(f"/?battle={visitor.battle_id}").reaches("compose")
            expect(guest.page.locator("#status.error")).to_contain_text("belongs to somebody else")
            assert guest.columns_shown == 0


def test_axe_finds_nothing_on_a_shared_battle(browser: Browser, visitor: Visitor) -> None:
    with visiting(browser, visitor.url, reduced_motion="reduce") as guest:
        guest.open(f"/?battle={visitor.battle_id}").reaches("shared")
        guest.page.keyboard.press("?")
        expect(guest.page.get_by_role("dialog", name="Keys")).to_be_visible()
        assert violations(guest.page) == []
