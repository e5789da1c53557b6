"""Serve the playground: ``python app.py``, at port 7860.

`build` makes the page and opens nothing; `main` opens the database and the models, and serves until it is stopped.
Both import Gradio themselves: `serve` prepares the process first.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import logging
import os
import secrets
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from playground.errors import CannotServe, PlaygroundError
from playground.settings import Settings
from playground.settings_sources import add_flags, read_settings
from playground.ui.http.address import bypass_proxy, check_address
from playground.ui.http.open_files import allow_files, check_files, log_seldom

if TYPE_CHECKING:
    import gradio as gr

INTERRUPTED = 130
SHUTDOWN_S = 1
"""The time that open streams have after the server is told to stop; uvicorn would wait for their clients."""


def build(settings: Settings) -> gr.Blocks:
    """Return the page over an arena that is not open yet."""
    from playground.arena.arena import Arena
    from playground.ui.http.turnstile import Turnstile
    from playground.ui.site import build_pages

    return build_pages(Arena(settings), Turnstile())


def main(argv: list[str] | None = None) -> int:
    """Serve the page until interrupted; return the exit status."""
    parser = argparse.ArgumentParser("app.py", description="Compare open instruction models side by side.")
    add_flags(parser)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for library in ("httpx", "httpx2"):  # a line for each request says nothing
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        return serve(read_settings(vars(parser.parse_args(argv)), os.environ))
    except (PlaygroundError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the page is up; later Gradio ends with it
        return INTERRUPTED


def serve(settings: Settings) -> int:
    """Open the arena and serve its page; models load meanwhile.

    Raises:
        PlaygroundError: the address, a card, a template or the database cannot be used.
    """
    gc.disable()  # what Gradio's import allocates is never garbage: saves 0.5 of 2.6 s of CPU until the page is served
    _prepare(settings)
    from playground.arena.arena import Arena
    from playground.ui import gradio_patches
    from playground.ui.http.operator import operator_access, operator_notice
    from playground.ui.http.proxies import leave_headers_to_us, read_proxies
    from playground.ui.http.root_path import read_root_path, read_space_id
    from playground.ui.http.turnstile import Turnstile
    from playground.ui.site import build_pages, launch_options

    proxies, root_path = read_proxies(os.environ, settings.share), read_root_path(os.environ)
    leave_headers_to_us(os.environ)
    gradio_patches.skip_statistics(os.environ)
    arena = Arena(settings)
    access = operator_access(settings, os.environ)
    turnstile, app_token = Turnstile(), secrets.token_urlsafe(32) if settings.db_mounted else ""
    page = build_pages(arena, turnstile, access)
    signal.signal(signal.SIGTERM, _interrupt)
    arena.open()
    try:
        with _told_to_commands(settings, app_token):
            gradio_patches.guard_connections(proxies)
            gradio_patches.forget_space(page)
            options = launch_options(arena, turnstile, access, proxies, root_path, app_token, read_space_id(os.environ))
            _launch(page, settings, options)
            print(operator_notice(access, settings.host, settings.port, page.root_path), end="", flush=True)
            gradio_patches.slow_polling_down(page)
            gradio_patches.shrink_sessions(page)
            page.server.config.timeout_graceful_shutdown = SHUTDOWN_S
            gc.freeze()  # a collection of everything takes 0.4 ms instead of 150 to 220, for which a visitor would wait
            gc.enable()
            page.block_thread()
    finally:
        arena.close()
    return 0


def _prepare(settings: Settings) -> None:
    log_seldom()
    allow_files()
    check_files()
    check_address(settings.host, settings.port)
    bypass_proxy(os.environ, settings.host)


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


def _told_to_commands(settings: Settings, token: str) -> AbstractContextManager[None]:
    """Tell commands on this machine how to ask for the database, if this process holds it alone."""
    from playground.storage.database.running_app import RunningApp, announced
    from playground.ui.http.root_path import base_url

    if not token:
        return nullcontext()
    return announced(settings.db, RunningApp(base_url(settings.host, settings.port, ""), token))


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def end(status: int) -> NoReturn:
    """End the process, without waiting for threads that a silent hub keeps: everything to be saved is by now."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    end(main())
