"""Take the README's picture from the running app, with a real model in one of three columns.

The real model is the folder that ``python -m tests.support.smollm2`` made; the others are pocket models. Chromium needs
a font with emoji, such as Debian's `fonts-noto-color-emoji`.

Usage: python -m tests.support.picture FOLDER
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.conftest import start_app, stop_app
from tests.support.browsing import launch_browser, visiting
from tests.support.paths import ROOT

PICTURE = ROOT / "docs" / "pictures" / "compare.png"
INSTRUCTION = "What is an alpaca? Answer in a short list."
POCKET = ("pocket-minotaur", "pocket-orca-mini")
CARD = """
repo = "{repo}"
name = "SmolLM2 135M Instruct"
dtype = "float32"
[sampling]
do_sample = true
temperature = 0.2
top_k = 50
top_p = 0.9
max_new_tokens = 80
"""
COLOURS = 128
PATIENCE_S = 1800


def take(repo: Path) -> None:
    """Compare the real model with pocket models, blind; write the page as it waits for the vote."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        cards = Path(folder) / "cards"
        cards.mkdir()
        (cards / "smollm2.toml").write_text(CARD.format(repo=repo.resolve()), "utf-8")
        models = ",".join(("smollm2", *POCKET))
        patient = {"PLAYGROUND_DEADLINE_S": str(PATIENCE_S)}
        app = start_app(Path(folder), "--models", models, "--cards", str(cards), **patient)
        try:
            with visiting(launch_browser(playwright), app.url, color_scheme="light") as visitor:
                visitor.open().compare(INSTRUCTION, columns=len(models.split(",")))
                save(visitor.reaches("open", PATIENCE_S).page)
                print(*(visitor.answer(side) for side in "abc"), sep="\n---\n")
        finally:
            stop_app(app)


def save(page: Page) -> None:
    """Write the page in a palette, which makes a fifth of the bytes."""
    page.mouse.move(0, 0)
    page.wait_for_function("document.getAnimations().every(animation => animation.playState !== 'running')")
    with Image.open(BytesIO(page.screenshot())) as shown:
        shown.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
