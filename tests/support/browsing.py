"""A visitor in Chromium, with actions and states of the pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from playground.rater_ids import COOKIE, rater_id
from tests.support.stub_arena import ALPACA

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--ignore-certificate-errors",
)
"""Certificates of these tests are self-signed. With the context's own option instead, each request to them fails once
and starts again, and after 32 restarts it fails for good."""
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
PATIENCE_S = 60
SECRET = "ab" * 16
RATER = rater_id(SECRET)

expect.set_options(timeout=PATIENCE_S * 1000)  # the machine may be busy


def launch_browser(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS])


@dataclass
class Visitor:
    """A browser profile with one tab."""

    page: Page
    url: str
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def open(self, path: str = "/") -> Visitor:
        self.page.goto(self.url + path)
        return self.arrived()

    def arrived(self) -> Visitor:
        self.page.wait_for_selector("#status, #board h1", state="attached")
        if self.page.locator("#status").count():
            expect(self.page.locator("#compare:visible, #stop:visible, #folded:visible").first).to_be_visible()
        return self

    def unfold(self) -> Visitor:
        """Open the composer if it is folded."""
        if self.page.locator("body[data-folded]").count():
            self.page.locator("[data-edit]").click()
        return self

    def reload(self) -> Visitor:
        self.page.reload()
        return self.arrived()

    def compare(self, instruction: str = ALPACA, columns: int = 2, mode: str = "blind") -> Visitor:
        self.unfold().page.locator("#columns-count label").nth(columns - 2).click()
        self.page.locator("#mode label").nth(0 if mode == "blind" else 1).click()
        self.type(instruction)
        self.page.locator("#compare").click()
        return self

    def compare_another(self, instruction: str, mode: str = "blind") -> Visitor:
        """Compare beside a battle, whose phase the next one may have too, and wait until the next is shown."""
        last = self.battle_id
        self.compare(instruction, mode=mode)
        address = "new URL(location.href).searchParams.get('battle') || ''"
        self.page.wait_for_function(f"!['', '{last}'].includes({address})")
        return self

    def type(self, instruction: str) -> None:
        self.unfold().page.locator("#instruction textarea").fill(instruction)

    def reaches(self, phase: str, timeout_s: float = PATIENCE_S) -> Visitor:
        """Wait for a phase of the battle; for open ones until they can be voted on."""
        selector = f"body[data-phase={phase}]" + ":not([data-held])" * (phase == "open")
        self.page.wait_for_selector(selector, state="attached", timeout=timeout_s * 1000)
        return self

    def press(self, key: str) -> Visitor:
        """Press a key while nothing is being typed."""
        self.page.evaluate("document.activeElement?.blur()")
        self.page.keyboard.press(key)
        return self

    @property
    def phase(self) -> str:
        return str(self.page.evaluate("document.body.dataset.phase || ''"))

    @property
    def battle_id(self) -> str:
        return str(self.page.evaluate("new URL(location.href).searchParams.get('battle') || ''"))

    @property
    def status(self) -> str:
        return self.page.locator("#status").inner_text()

    def column(self, side: str) -> Any:
        return self.page.locator(f"#column-{side}")

    def answer(self, side: str) -> str:
        return str(self.page.locator(f"#answer-{side}").inner_text())

    @property
    def columns_shown(self) -> int:
        return self.page.locator(".side:visible").count()

    @property
    def scrolls_sideways(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def violations(page: Page) -> list[tuple[str, str, list[str]]]:
    """Return what axe finds in the light and in the dark scheme, which an open page follows."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
        page.wait_for_timeout(300)  # colours fade
        for violation in Axe().run(page).response["violations"]:
            found.append((scheme, violation["id"], [node["html"][:160] for node in violation["nodes"]]))
    return found


@contextmanager
def visiting(
    browser: Browser, url: str, viewport: dict[str, int] | None = None, secret: str | None = None, **context: Any
) -> Iterator[Visitor]:
    """Yield a visitor with a new profile; an error on the page fails the test."""
    profile: BrowserContext = browser.new_context(viewport=viewport or DESKTOP, **context)
    if secret is not None:
        profile.add_cookies([{"name": COOKIE, "value": secret, "url": url}])
    profile.set_default_timeout(PATIENCE_S * 1000)
    visitor = Visitor(profile.new_page(), url)
    try:
        yield visitor
        assert visitor.complaints == []
    finally:
        profile.close()
