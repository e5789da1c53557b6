"""The page: ``python app.py`` serves it at port 7860.

`build` makes the page and opens nothing; `main` opens the database and the models, and serves until it is stopped.
Gradio is imported by these two and not with this file: what imports it decides how (see `main`).
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from playground.errors import CannotServe, PlaygroundError
from playground.settings import Settings, add_flags, read_settings
from playground.ui.http.address import check_address, pass_by_proxy
from playground.ui.http.open_files import OUT_OF_FILES, Seldom, allow_files, check_files

if TYPE_CHECKING:
    import gradio as gr

INTERRUPTED = 130
GOODBYE_S = 1
"""How long open streams may go on once the server is told to stop; uvicorn alone would wait for their visitors."""


def build(settings: Settings) -> gr.Blocks:
    """The page over an arena that is not open yet."""
    from playground.arena.arena import Arena
    from playground.ui.site import build_pages

    return build_pages(Arena(settings))


def main(argv: list[str] | None = None) -> int:
    """Serve the page until interrupted; returns the exit status."""
    parser = argparse.ArgumentParser("app.py", description="Compare open instruction models side by side.")
    add_flags(parser)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for library in ("httpx", "httpx2"):  # a line per request says nothing
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        return serve(read_settings(vars(parser.parse_args(argv)), os.environ))
    except (PlaygroundError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the page is up; later Gradio ends with it
        return INTERRUPTED


def serve(settings: Settings) -> int:
    """Open the arena and serve its page; the models come up meanwhile.

    Raises:
        PlaygroundError: a card, template or the database cannot be used.
    """
    # Nothing of what Gradio's import allocates is ever garbage: looking for it is a sixth of the time to the page.
    gc.disable()
    # numpy's own threads would compete with the models for the processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    logging.getLogger("asyncio").addFilter(Seldom(OUT_OF_FILES))
    allow_files()
    check_files()
    check_address(settings.host, settings.port)
    pass_by_proxy(os.environ, settings.host)
    from playground.arena.arena import Arena
    from playground.ui.gradio_patches import guard_connections, shrink_sessions, slow_polling_down
    from playground.ui.http.operator import base_url, operator_access, operator_url
    from playground.ui.http.proxies import read_proxies, take_from_uvicorn
    from playground.ui.http.root_path import read_root_path
    from playground.ui.http.turnstile import Turnstile
    from playground.ui.site import build_pages, launch_options
    from playground.ui.texts import access as texts

    proxies, root_path = read_proxies(os.environ, settings.share), read_root_path(os.environ)
    take_from_uvicorn(os.environ)
    arena = Arena(settings)
    access = operator_access(settings, os.environ)
    turnstile = Turnstile()
    page = build_pages(arena, access, turnstile)
    signal.signal(signal.SIGTERM, _interrupt)
    arena.open()
    try:
        guard_connections(proxies)
        _launch(page, settings, launch_options(arena, access, proxies, root_path, turnstile))
        slow_polling_down(page)
        shrink_sessions(page)
        if access.token:
            words = texts.OPERATOR_PRINTED if access.is_new else texts.OPERATOR_PRINTED_SET
            base = base_url(settings.host, settings.port, page.root_path)
            print(words.format(url=operator_url(access, base)), flush=True)
        page.server.config.timeout_graceful_shutdown = GOODBYE_S
        gc.freeze()
        gc.enable()
        page.block_thread()
    finally:
        arena.close()
    return 0


def _launch(page: gr.Blocks, settings: Settings, options: dict[str, Any]) -> None:
    try:
        page.launch(
            server_name=settings.host,
            server_port=settings.port,
            share=settings.share,
            prevent_thread_lock=True,
            **options,
        )
    except ValueError as error:  # Gradio cannot reach the page that it serves
        raise CannotServe(str(error)) from error


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
