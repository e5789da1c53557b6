"""Benchmark 13: times that a visitor sees in a browser, compared between versions of the playground.

Run ``python benchmarks/in_browser.py [--rounds 20] [--checkout PATH …]``. Measures first word after Compare, saved
after a vote, next battle after Enter, in blind battles of two pocket models in Chromium. `--checkout`, which may be
repeated, names the versions. Each has its own app with a new database and one tab that stays open; in every round each
version has one battle, in turn. The clock is the page's: from the click or key to the frame that shows the change.

Boundary: drives the page by ids that every version has; needs Playwright and Chromium (`CHROMIUM` names another one).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.page_loads import playground
from benchmarks.rounds import machine, print_row, spread
from benchmarks.served import ROOT

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
ENVIRON = {
    "PLAYGROUND_MODELS": "pocket-openalpaca,pocket-minotaur",
    "PLAYGROUND_COMPARES_PER_MINUTE": "0",
    "PLAYGROUND_VOTES_PER_MINUTE": "0",
    "PLAYGROUND_UNDO_S": "60",
}
QUESTIONS = (
    "Explain what a river is.",
    "What is an alpaca? How is it different from a llama?",
    "Why is the sky blue?",
    "List three colours.",
    "Write a haiku about the sea.",
    "What is rust?",
    "Explain photosynthesis to a child.",
    "How do I prepare for an exam?",
)
READ_S = 1.5
"""From open to the vote: some versions ignore earlier votes."""
PATIENCE_MS = 120_000

FIRST_WORD = "first word after Compare"
COMPLETE = "answers complete after Compare"
SAVED = "saved after a vote"
NEXT = "next battle after Enter"
MOMENTS = (FIRST_WORD, COMPLETE, SAVED, NEXT)

WORD_SHOWN = "() => ['a', 'b'].some(side => document.getElementById('answer-' + side)?.innerText.trim())"
PHASE_IS = "() => document.body.dataset.phase === '{phase}'"
OLD_IS_GONE = "() => document.body.dataset.phase !== 'revealed'"
ARM = """([name, event, condition]) => {
  const reached = eval(condition);
  (window.moments ??= {})[name] = new Promise((resolve) => {
    document.addEventListener(event, (pressed) => {
      const look = () => reached() ? resolve(performance.now() - pressed.timeStamp) : requestAnimationFrame(look);
      requestAnimationFrame(look);
    }, { capture: true, once: true });
  });
}"""
"""Start a clock at the next event of a kind and stop it in the first frame in which the condition holds."""


@dataclass(slots=True)
class Rater:
    """A rater who judges battles in a tab of one version."""

    name: str
    page: Page
    waits_ms: dict[str, list[float]] = field(default_factory=lambda: {moment: [] for moment in MOMENTS})
    void: int = 0

    def judge(self, question: str) -> None:
        """Judge one battle, from an empty composer to the next."""
        self.page.bring_to_front()
        self.page.locator("#instruction textarea").fill(question)
        self._arm(FIRST_WORD, "click", WORD_SHOWN)
        self._arm(COMPLETE, "click", PHASE_IS.format(phase="open"))
        self.page.locator("#compare").click()
        self.page.wait_for_selector("body[data-phase=open], body[data-phase=void]", state="attached")
        if self.page.evaluate("document.body.dataset.phase") == "void":  # for example equal answers
            self.void += 1
            self._start_anew()
            return
        self._read(FIRST_WORD)
        self._read(COMPLETE)
        time.sleep(READ_S)
        self._press("a", SAVED, PHASE_IS.format(phase="voted"))
        self.page.keyboard.press("r")
        self.page.wait_for_selector("body[data-phase=revealed]", state="attached")
        self._press("Enter", NEXT, OLD_IS_GONE)
        if self.page.evaluate("document.body.dataset.phase") != "compose":  # this version starts the next one by itself
            self._start_anew()

    def _start_anew(self) -> None:
        self.page.goto(self.page.url.split("?")[0])
        self.page.wait_for_selector("body[data-phase=compose]", state="attached")

    def _press(self, key: str, moment: str, condition: str) -> None:
        self.page.evaluate("document.activeElement?.blur()")
        self._arm(moment, "keydown", condition)
        self.page.keyboard.press(key)
        self._read(moment)

    def _arm(self, moment: str, event: str, condition: str) -> None:
        self.page.evaluate(ARM, [moment, event, condition])

    def _read(self, moment: str) -> None:
        self.waits_ms[moment].append(float(self.page.evaluate("name => window.moments[name]", moment)))


@contextmanager
def rater(browser: Browser, name: str, checkout: Path, folder: Path) -> Iterator[Rater]:
    """Yield a rater on the page of a version whose models are loaded."""
    with playground(name, checkout, folder, **ENVIRON) as app:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{app.port}/")
        page.wait_for_selector("body[data-phase=compose]", state="attached")
        yield Rater(name, page)
        context.close()


def show(raters: Sequence[Rater]) -> None:
    """Print the medians, and by how much each version is slower than the first."""
    first = raters[0]
    print_row(["median (range), s", *(each.name for each in raters), *(f"{r.name}, later by" for r in raters[1:])])
    print_row(["---"] * (2 * len(raters)))
    for moment in MOMENTS:
        cells = [spread([wait / 1000 for wait in each.waits_ms[moment]], 3) for each in raters]
        later = [_later_s(each.waits_ms[moment], first.waits_ms[moment]) for each in raters[1:]]
        print_row([moment, *cells, *(f"{seconds:+.3f}" for seconds in later)])
    print_row(["void", *(str(each.void) for each in raters), *([""] * (len(raters) - 1))])


def _later_s(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return (statistics.median(ours) - statistics.median(theirs)) / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--checkout", type=Path, action="append", help="a version of the playground (this one)")
    parser.add_argument("--quick", action="store_true", help="one round, to see that it works")
    chosen = parser.parse_args()
    rounds = 1 if chosen.quick else chosen.rounds
    checkouts = [path.resolve() for path in chosen.checkout or [ROOT]]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        browser: Any = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS]
        )
        raters = [
            stack.enter_context(rater(browser, checkout.name, checkout, Path(folder) / str(number)))
            for number, checkout in enumerate(checkouts)
        ]
        for each in raters:
            each.judge(QUESTIONS[-1])  # the first battle warms the caches
            each.waits_ms, each.void = {moment: [] for moment in MOMENTS}, 0
        for number in range(rounds):
            for each in raters if number % 2 else reversed(raters):
                each.judge(QUESTIONS[number % len(QUESTIONS)])
        print(machine(rounds, "gradio", "playwright"))
        show(raters)
    return 0


if __name__ == "__main__":
    sys.exit(main())
