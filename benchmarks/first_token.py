"""Time from a fresh checkout and the README's command to the first streamed token on screen.

Run ``python benchmarks/first_token.py [--rounds 3]`` in the tests' environment (it drives Chromium, named by
CHROMIUM). Each round checks out the committed files into a new folder, creates a virtual environment, installs, starts
the app, opens the page, types an instruction and waits for the first letter of an answer. The installation depends on
the network and the package cache; the later steps do not. There is no peer.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
INSTRUCTION = "What is an alpaca?"
STEPS = ("installed", "page served", "first token on screen", "all answers complete")


def checkout(folder: Path) -> None:
    """Write the committed files into `folder`."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "x"], cwd=folder, input=archive, check=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_page(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the app ended with status {process.returncode} before it served a page")


def fresh_start() -> dict[str, float]:
    """Run all steps; return the seconds from the command to each."""
    folder = Path(tempfile.mkdtemp(prefix="first-token-"))
    seconds: dict[str, float] = {}
    process: subprocess.Popen[bytes] | None = None
    try:
        checkout(folder)
        port = free_port()
        began = time.perf_counter()
        install = "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt"
        subprocess.run(["bash", "-c", install], cwd=folder, check=True, capture_output=True)
        seconds["installed"] = time.perf_counter() - began
        process = subprocess.Popen(
            [".venv/bin/python", "app.py", "--port", str(port)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}/"
        wait_for_page(url, process)
        seconds["page served"] = time.perf_counter() - began
        use_page(url, began, seconds)
    finally:
        if process is not None:
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder)
    return seconds


def use_page(url: str, began: float, seconds: dict[str, float]) -> None:
    """Open the page and compare, as fast as the page allows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        page = browser.new_page()
        page.goto(url)
        page.locator("#instruction textarea").fill(INSTRUCTION)
        page.locator("#instruction textarea").press("Control+Enter")
        page.wait_for_function("['a', 'b'].some(s => document.querySelector(`#answer-${s}`)?.innerText.trim())")
        seconds["first token on screen"] = time.perf_counter() - began
        page.locator("#vote-a:enabled").wait_for(timeout=60_000)
        seconds["all answers complete"] = time.perf_counter() - began
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = [fresh_start() for _ in range(parser.parse_args().rounds)]
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}; {len(rounds)} rounds")
    print("| step | seconds from the command: median (range) | after the step before |")
    print("|---|---|---|")
    before = [0.0] * len(rounds)
    for step in STEPS:
        at = [one[step] for one in rounds]
        gap = statistics.median(a - b for a, b in zip(at, before, strict=True))
        print(f"| {step} | {statistics.median(at):.1f} ({min(at):.1f}–{max(at):.1f}) | {gap:.1f} |")
        before = at


if __name__ == "__main__":
    main()
