"""What Gradio asks of each request before it answers, without what nobody needs here.

Boundary: knows one internal of Gradio and one of FastAPI. Each of Gradio's routes asks whether the visitor has logged
in, on a thread of its own, for which the thread that serves everybody waits twice; nobody logs in here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

UNASKED = "login_check"


def lighten_routes(page: gr.Blocks) -> None:
    """Have a launched page not ask who has logged in; where somebody must, nothing changes."""
    if page.app.auth is None and page.app.auth_dependency is None:
        for dependant in _dependants(page.app.router):
            dependant.dependencies[:] = [asked for asked in dependant.dependencies if not _is_unasked(asked.call)]


def _is_unasked(call: Any) -> bool:
    return getattr(call, "__name__", "") == UNASKED and call.__module__ == gr.routes.__name__


def _dependants(router: Any) -> Iterator[Any]:
    """What each route asks for; of a router inside another one, as it stands there."""
    for route in router.routes:
        contexts = route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]
        found = (getattr(context, "dependant", None) for context in contexts)
        yield from (dependant for dependant in found if dependant is not None)
