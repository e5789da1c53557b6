"""The pages over an arena, served by this process.

Boundary: imports Gradio; for tests that need no process of the program's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from playground.arena.arena import Arena
from playground.settings import Settings
from playground.ui.gradio_patches import shrink_sessions, skip_statistics, slow_polling_down
from playground.ui.http.operator import NOBODY, OperatorAccess
from playground.ui.http.turnstile import Turnstile
from playground.ui.site import build_pages, launch_options
from playground.ui.texts.language import Language
from tests.conftest import free_port
from tests.support.stub_arena import StubArena


@contextmanager
def serving(
    arena: Arena | StubArena,
    languages: Sequence[Language] = (),
    access: OperatorAccess = NOBODY,
    outer: Sequence[Middleware] = (),
    **launch: Any,
) -> Iterator[gr.Blocks]:
    """Serve the pages on a free port as `app.py` does, behind `outer`; `launch` goes to Gradio."""
    skip_statistics(os.environ)
    turnstile = Turnstile()
    page = build_pages(arena, turnstile, access)
    options = launch_options(arena, turnstile, access, languages=languages)
    options["app_kwargs"]["middleware"][:0] = outer
    page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True, **launch, **options)
    slow_polling_down(page)
    shrink_sessions(page)
    yield page
    page.close()


@dataclass(frozen=True)
class Playground:
    """A served page and its database."""

    url: str
    db: Path


@contextmanager
def playground(settings: Settings, languages: Sequence[Language] = ()) -> Iterator[Playground]:
    """Open an arena and serve its pages, with an operator if the settings have a token."""
    arena = Arena(settings)
    arena.open()
    with serving(arena, languages, OperatorAccess(settings.operator_token)) as page:
        yield Playground(address_of(page), settings.db)
    arena.close()


def address_of(page: gr.Blocks) -> str:
    """Return the address of a served page, without a slash at its end."""
    return str(page.local_url).rstrip("/")
