"""The page: ``python app.py`` serves it at port 7860.

`build` makes the page and opens nothing; `main` opens the database and the models, and serves until it is stopped.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from types import FrameType

import gradio as gr

from playground.arena import Arena
from playground.errors import PlaygroundError
from playground.settings import Settings, add_flags, read_settings
from playground.ui.pages import build_pages, launch_options


def build(settings: Settings) -> gr.Blocks:
    """The page over an arena that is not open yet."""
    return build_pages(Arena(settings))


def main(argv: list[str] | None = None) -> int:
    """Serve the page until interrupted; returns the exit status."""
    parser = argparse.ArgumentParser("app.py", description="Compare open instruction models side by side.")
    add_flags(parser)
    # Gradio sums up its past events after every event, for a monitor that is switched off here
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = read_settings(vars(parser.parse_args(argv)), os.environ)
        arena = Arena(settings)
        page = build_pages(arena)
        arena.open()
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        page.launch(server_name=settings.host, server_port=settings.port, share=settings.share, **launch_options(arena))
    finally:
        arena.close()
    return 0


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
