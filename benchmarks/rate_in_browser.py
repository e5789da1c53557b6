"""Measure the next battle on the page Rate in Chromium: 100,000 stored battles, and a study of 100,000 battles.

Run ``python benchmarks/rate_in_browser.py [--battles 100000] [--votes 100]``. A rater votes by key, as soon as the page
takes votes; the clock is the page's, from the key to the frame that shows the next instruction. Also printed is the CPU
time of the server for each vote, with all requests that the page makes for it. The databases are those of
``next_battle.py``; there is no peer.

Boundary: drives the page by the ids of its elements; needs Playwright and Chromium (`CHROMIUM` names another one).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.in_browser import ARM, CHROMIUM, CHROMIUM_FLAGS, PATIENCE_MS
from benchmarks.next_battle import CASES, PORT, STUDY, WARM_UP, Case
from benchmarks.page_served import cpu_seconds
from benchmarks.rounds import machine, print_row
from benchmarks.served import served
from playground.storage.database.store import Store

HOLD_MS = 1050
"""The page takes a vote a second after it has shown the battle."""
INSTRUCTION = "#rate-instruction .md"
IS_NEXT = f"() => ![null, {{old}}].includes(document.querySelector('{INSTRUCTION}')?.innerText ?? null)"


def next_ms(page: Page) -> float:
    """Vote by key; return the milliseconds until the next instruction is drawn."""
    page.wait_for_timeout(HOLD_MS)
    old = json.dumps(page.locator(INSTRUCTION).inner_text())
    page.evaluate(ARM, ["next", "keydown", IS_NEXT.format(old=old)])
    page.keyboard.press("a")
    return float(page.evaluate("window.moments.next"))


def judged(browser: Browser, key: str | None, votes: int, pid: int) -> Iterator[tuple[float, float]]:
    """Yield milliseconds until the next battle, and the server's CPU seconds so far."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    link = "" if key is None else f"?study={STUDY}&key={key}"
    page.goto(f"http://127.0.0.1:{PORT}/rate{link}")
    page.wait_for_selector("#rate[data-state=rating]")
    for _ in range(votes):
        yield next_ms(page), cpu_seconds(pid)
    page.context.close()


def measure(case: Case, number: int, votes: int, browser: Browser) -> None:
    """Print the row of a case."""
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "playground.db"
        with Store(db) as store:
            key = case.lay_out(store, number)
        with served(db, PORT, PLAYGROUND_MODELS="none") as process:
            found = list(judged(browser, key, WARM_UP + votes, process.pid))
    waits_ms = [wait for wait, _ in found[WARM_UP:]]
    cpu_ms = 1000 * (found[-1][1] - found[WARM_UP - 1][1]) / votes
    late = sorted(waits_ms)[int(len(waits_ms) * 0.95)]
    figures = (statistics.median(waits_ms), late, max(waits_ms), cpu_ms)
    print_row([case.name, *(f"{figure:,.0f}" for figure in figures)])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--battles", type=int, default=100_000)
    parser.add_argument("--votes", type=int, default=100, help="measured in each case")
    parser.add_argument("--case", type=int, choices=range(1, len(CASES) + 1), help="only this one")
    parser.add_argument("--quick", action="store_true", help="three votes in a small study, to see that it works")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.battles, chosen.votes, chosen.case = 60, 3, 4
    print(machine(1, "gradio", "playwright"))
    print(f"{chosen.battles:,} battles, {chosen.votes} votes\n", flush=True)
    print_row(["", "next battle: median, ms", "95 %, ms", "longest, ms", "server's CPU for each vote, ms"])
    print_row(["---"] * 5)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS])
        for number, case in enumerate(CASES, start=1):
            if chosen.case in (None, number):
                measure(case, chosen.battles, chosen.votes, browser)


if __name__ == "__main__":
    main()
