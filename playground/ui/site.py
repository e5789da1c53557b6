"""The rooms assembled into one `gr.Blocks`, and how it is launched.

Boundary: `build_pages` opens nothing and starts nothing; what a room holds is in the room's own file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from playground.arena.arena import Arena
from playground.arena.terms import read_terms
from playground.ui import texts
from playground.ui.api import add_api
from playground.ui.http.asgi import Scope
from playground.ui.http.calls import Endpoint, Endpoints
from playground.ui.http.gate import CallGate
from playground.ui.http.health import HealthRoute
from playground.ui.http.limits import Limits
from playground.ui.http.middleware import PageMiddleware
from playground.ui.http.operator import HUB_ROUTES, NOBODY, OperatorAccess, OperatorGate
from playground.ui.http.password import PasswordGate
from playground.ui.http.proxies import ForwardedHeaders, Proxies
from playground.ui.http.root_path import StripRootPath
from playground.ui.http.turnstile import Turnstile
from playground.ui.pages.compare.page import ComparePage
from playground.ui.pages.leaderboard import LeaderboardRoom
from playground.ui.pages.models.page import ModelsRoom
from playground.ui.pages.my_data import YoursRoom
from playground.ui.pages.terms import build_terms
from playground.ui.rendering import escape
from playground.ui.theme import page_theme

ASSETS = Path(__file__).parent / "assets"
NO_PROXIES = Proxies()
CHIP_EVERY_S = 2.0
"""How often the chip is drawn anew while models are being loaded."""


@dataclass(frozen=True, slots=True)
class Room:
    """One page with an address of its own."""

    name: str
    path: str  # "" is the start page
    build: Callable[[Arena, gr.Blocks], None]
    has_heading: bool = True  # of the first level; otherwise one is given that is not seen
    main: str = "answers"  # id of what a keyboard may skip to
    in_header: bool = True  # otherwise linked at the foot of every page


def build_pages(arena: Arena, access: OperatorAccess = NOBODY, turnstile: Turnstile | None = None) -> gr.Blocks:
    """All rooms over one arena, which need not be open yet."""
    # Gradio has the routes of a login only where a page has its button. Made out here it brings no events of its own.
    button = gr.LoginButton(visible=False) if access.hub_login else None
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, fill_width=True) as demo:
        add_api(arena, turnstile or Turnstile())  # first: an endpoint's name is taken by whoever comes first
        _build_room(ROOMS[0], arena, demo)
        if button is not None:
            button.render()
    for room in ROOMS[1:]:
        with demo.route(room.name, f"/{room.path}"):
            _build_room(room, arena, demo)
    for fn in demo.fns.values():
        fn.preprocess = False  # handlers check what they get; Gradio would write what was typed into the log
    return demo


def launch_options(
    arena: Arena,
    access: OperatorAccess = NOBODY,
    proxies: Proxies = NO_PROXIES,
    root_path: str = "",
    turnstile: Turnstile | None = None,
) -> dict[str, Any]:
    """What `launch` has to be told for the page to look and behave as designed."""
    password = arena.settings.password
    return {
        "theme": page_theme(),
        "root_path": root_path,
        "head": f"<link rel='icon' href='./favicon.ico'><style>{_text('style.css')}</style>"
        f"<script type='application/json' id='connection-words'>{json.dumps(dict(texts.CONNECTION))}</script>"
        f"<script>{_text('connection.js')}</script>"
        f"<script>{_text('battle.js')}</script><script>{_text('keys.js')}</script><script>{_text('models.js')}</script>",
        "app_kwargs": {
            "middleware": [
                Middleware(ForwardedHeaders, proxies=proxies),
                Middleware(StripRootPath),
                Middleware(PageMiddleware),
                Middleware(HealthRoute, arena=arena),
                *([Middleware(PasswordGate, password=password)] if password else []),
                Middleware(OperatorGate, access=access),
                Middleware(
                    CallGate,
                    limits=Limits(arena.settings),
                    turnstile=turnstile or Turnstile(),
                    endpoints=_served,
                    rooms=[*(f"/{room.path}" for room in ROOMS), *(HUB_ROUTES if access.hub_login else ())],
                ),
            ]
        },
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "mcp_server": False,
        "pwa": False,
    }


def _served(scope: Scope) -> Endpoints:
    """The endpoints of the page that answers a request."""
    return endpoints_of(scope["app"].get_blocks())


@lru_cache(1)
def endpoints_of(demo: gr.Blocks) -> Endpoints:
    """Every event of a page and every function of its API."""
    return Endpoints.of(
        Endpoint(index, str(fn.api_name or fn.name), len(fn.inputs), _parameters(fn) if not fn.targets else None)
        for index, fn in demo.fns.items()
        if fn.fn is not None  # else it is the browser's alone
    )


def _parameters(fn: Any) -> dict[str, bool]:
    """Of a function of the API: name, and whether it has to be given; a request is no parameter."""
    parameters = list(signature(fn.fn).parameters.values())[: len(fn.inputs)]
    return {parameter.name: parameter.default is Parameter.empty for parameter in parameters}


def _text(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")


def _build_room(room: Room, arena: Arena, demo: gr.Blocks) -> None:
    gr.Navbar(visible=False)
    with gr.Row(elem_id="top"):
        gr.HTML(_header(room), elem_id="header", apply_default_css=False)
        chip = gr.HTML(elem_id="chip", apply_default_css=False)
        until_loaded = gr.Timer(CHIP_EVERY_S)
    for listen in (demo.load, until_loaded.tick):
        listen(
            lambda: {chip: _chip(arena), until_loaded: gr.Timer(active=arena.models.is_loading)},
            None,
            [chip, until_loaded],
            show_progress="hidden",
            api_visibility="private",
            queue=False,
        )
    room.build(arena, demo)
    gr.HTML(_foot(room), elem_id="foot", apply_default_css=False)


def _build_compare(arena: Arena, demo: gr.Blocks) -> None:
    ComparePage(arena).wire(demo)


def _build_leaderboard(arena: Arena, demo: gr.Blocks) -> None:
    LeaderboardRoom(arena).wire(demo)


def _build_models(arena: Arena, demo: gr.Blocks) -> None:
    ModelsRoom(arena).wire(demo)


def _build_yours(arena: Arena, demo: gr.Blocks) -> None:
    YoursRoom(arena).wire(demo)


def _build_terms(arena: Arena, demo: gr.Blocks) -> None:
    build_terms(read_terms())


ROOMS = (
    Room(texts.COMPARE_ROOM, "", _build_compare, has_heading=False),
    Room(texts.LEADERBOARD_ROOM, "leaderboard", _build_leaderboard, main="board"),
    Room(texts.MODELS_ROOM, "models", _build_models, main="models-list"),
    Room(texts.YOURS_ROOM, "yours", _build_yours, main="yours-list", in_header=False),
    Room(texts.TERMS_ROOM, "terms", _build_terms, main="terms", in_header=False),
)
"""A room can be reached when it stands here."""


def _chip(arena: Arena) -> str:
    chip = f"<span class='chip'>{escape(arena.sources_line())}</span>"
    if not arena.read_only:
        return chip
    return f"{chip}<p id='read-only' role='note'>{escape(texts.READ_ONLY.format(reason=arena.read_only))}</p>"


def _header(here: Room) -> str:
    """Name and rooms; addresses are relative, so that they also work below another site's path."""
    links = _links(here, [room for room in ROOMS if room.in_header])
    skip = texts.SKIP if here.main == "answers" else texts.SKIP_TO_CONTENT
    heading = f"<h1 class='unread'>{escape(here.name)}</h1>" if not here.has_heading else ""
    return (
        f"<header><a class='skip' href='#{here.main}'>{escape(skip)}</a>"
        f"<a class='brand' href='./'>{escape(texts.TITLE)}</a>"
        f"<nav aria-label='{escape(texts.ROOMS)}'>{links}</nav></header>{heading}"
    )


def _foot(here: Room) -> str:
    links = _links(here, [room for room in ROOMS if not room.in_header])
    return f"<nav aria-label='{escape(texts.MORE_ROOMS)}'>{links}</nav>"


def _links(here: Room, rooms: Sequence[Room]) -> str:
    return "".join(
        f"<a href='./{room.path}'{' aria-current=page' if room is here else ''}>{escape(room.name)}</a>"
        for room in rooms
    )
