"""Assemble the pages into one `gr.Blocks`, and give the options to launch it.

Boundary: opens nothing and starts nothing; the content of a page is in its own module.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from inspect import Parameter, signature
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from playground.arena.arena import Arena
from playground.arena.terms import read_terms
from playground.ui import texts
from playground.ui.api import add_api
from playground.ui.gradio_patches import built_at_launch
from playground.ui.head import ASSETS, head
from playground.ui.http.asgi import Scope
from playground.ui.http.board_files import EXPORT, BoardFiles
from playground.ui.http.calls import Endpoint, GradioEndpoints
from playground.ui.http.database_copy import DatabaseCopy
from playground.ui.http.downloads import ROUTES, DownloadRoutes
from playground.ui.http.gate import CallGate
from playground.ui.http.health import HealthRoute
from playground.ui.http.limits import RateLimits
from playground.ui.http.middleware import PageMiddleware, read_frame_ancestors
from playground.ui.http.operator import HUB_ROUTES, NOBODY, PATH, OperatorAccess, OperatorGate, operator_status
from playground.ui.http.page_head import PageHead
from playground.ui.http.panel import PanelEntry
from playground.ui.http.password import PasswordGate
from playground.ui.http.proxies import ForwardedHeaders, Proxies
from playground.ui.http.rate import RateRoutes
from playground.ui.http.root_path import StripRootPath
from playground.ui.http.speaking import Speaking
from playground.ui.http.turnstile import Turnstile
from playground.ui.http.vote import VoteRoute
from playground.ui.linked_page import Page, foot_html, header_html, operator_links_html
from playground.ui.pages.about import build_about
from playground.ui.pages.compare.page import ComparePage
from playground.ui.pages.data.page import DataPage
from playground.ui.pages.leaderboard.page import LeaderboardPage
from playground.ui.pages.models.page import ModelsPage
from playground.ui.pages.my_data import MyDataPage
from playground.ui.pages.operator.page import OperatorPage
from playground.ui.pages.rate.page import build_rate
from playground.ui.pages.terms import build_terms
from playground.ui.rendering import escape
from playground.ui.texts import previews
from playground.ui.texts.language import Language, read_languages, said
from playground.ui.theme import page_theme
from playground.ui.translation import translated
from playground.ui.wiring import AT_ONCE, Updates

NO_PROXIES = Proxies()
CHIP_EVERY_S = 2.0
"""Interval of updates of the line about the models, while one is loading."""
SWITCHED_OFF = ("run_history", "enable_monitoring", "show_error", "ssr_mode", "mcp_server", "pwa")
"""Options of `launch`."""


def build_pages(arena: Arena, turnstile: Turnstile, access: OperatorAccess = NOBODY) -> gr.Blocks:
    """Build all pages over an arena, which need not be open yet; `launch_options` takes the same turnstile."""
    with built_at_launch():
        # Gradio has login routes only if a page has its button; created outside of the page it adds no events.
        button = gr.LoginButton(visible=False) if access.hub_login else None
        with gr.Blocks(title=texts.TITLE, analytics_enabled=False, fill_width=True) as demo:
            add_api(arena, turnstile)  # first, so that events of the page do not take the endpoints' names
            _build_page(PAGES[0], arena, demo)
            if button is not None:
                button.render()
        for page in PAGES[1:]:
            with demo.route(page.name, f"/{page.path}"):
                _build_page(page, arena, demo)
    for fn in demo.fns.values():
        fn.preprocess = False  # handlers check their input; Gradio would log what was typed
    return demo


def launch_options(
    arena: Arena,
    turnstile: Turnstile,
    access: OperatorAccess = NOBODY,
    proxies: Proxies = NO_PROXIES,
    root_path: str = "",
    app_token: str = "",
    space_id: str = "",
    languages: Sequence[Language] | None = None,
) -> dict[str, Any]:
    """Return the arguments of `launch`.

    Args:
        app_token: commands on this machine that send it get a copy of the database; empty: none do.
        space_id: owner and name of the Space that this is, whose address links to battles and their previews have.
        languages: of the pages beside English; those with a catalog if None.

    Raises:
        InvalidValue: a setting of the page's HTTP side is invalid.
    """
    languages = read_languages() if languages is None else languages
    heads = partial(_heads, space_id)
    translations = translated(languages, lambda: build_pages(arena, turnstile, access), heads)
    outer = [
        Middleware(ForwardedHeaders, proxies=proxies),
        Middleware(StripRootPath),
        Middleware(Speaking, languages=languages),
    ]
    titled = {f"/{page.path}": page.preview for page in PAGES}
    files = [Middleware(DownloadRoutes, arena=arena), Middleware(BoardFiles, arena=arena)]
    page_head = Middleware(PageHead, previews=titled, heads=heads(), space_id=space_id, translations=translations)
    return {
        "theme": page_theme(),
        "root_path": root_path,
        "app_kwargs": {"middleware": [*outer, *_gates(arena, turnstile, access, app_token), *files, page_head]},
        "favicon_path": ASSETS / "icon.svg",
        "footer_links": [],
        **dict.fromkeys(SWITCHED_OFF, False),
    }


def _heads(space_id: str) -> dict[str, str]:
    """Return the scripts and styles of each page by its path, in the present language."""
    return {f"/{page.path}": head(page.parts, space_id) for page in PAGES}


def _gates(arena: Arena, turnstile: Turnstile, access: OperatorAccess, app_token: str) -> list[Middleware]:
    """Return what decides, in this order, whether a request reaches the pages."""
    password, frames = arena.settings.password, read_frame_ancestors(arena.settings.frame_ancestors)
    limits = RateLimits(arena.settings)
    return [
        Middleware(PageMiddleware, frame_ancestors=frames),
        Middleware(HealthRoute, arena=arena),
        *([Middleware(DatabaseCopy, arena=arena, token=app_token)] if app_token else []),
        *([Middleware(PasswordGate, password=password)] if password else []),
        Middleware(OperatorGate, access=access),
        Middleware(VoteRoute, arena=arena, limits=limits),
        Middleware(RateRoutes, arena=arena, limits=limits),
        Middleware(PanelEntry, arena=arena, limits=limits),
        Middleware(
            CallGate,
            limits=limits,
            turnstile=turnstile,
            endpoints=_served,
            pages=[*_addresses(access), *ROUTES, EXPORT, *(HUB_ROUTES if access.hub_login else ())],
        ),
    ]


def _addresses(access: OperatorAccess) -> list[str]:
    """Return the addresses of the pages; the operator's only if somebody can be the operator."""
    return [f"/{page.path}" for page in PAGES if access.is_open or not page.for_operator]


def _served(scope: Scope) -> GradioEndpoints:
    """Return the endpoints of the app that answers a request."""
    return endpoints_of(scope["app"].get_blocks())


@lru_cache(1)
def endpoints_of(demo: gr.Blocks) -> GradioEndpoints:
    """Return the events of the pages and the functions of the API."""
    return GradioEndpoints.of(
        Endpoint(index, str(fn.api_name or fn.name), len(fn.inputs), _parameters(fn) if not fn.targets else None)
        for index, fn in demo.fns.items()
        if fn.fn is not None  # else it runs in the browser only
    )


def _parameters(fn: Any) -> dict[str, bool]:
    """Return the parameters of an API function, by name: True if required. The request is not one."""
    parameters = list(signature(fn.fn).parameters.values())[: len(fn.inputs)]
    return {parameter.name: parameter.default is Parameter.empty for parameter in parameters}


def _build_page(page: Page, arena: Arena, demo: gr.Blocks) -> None:
    gr.Navbar(visible=False)
    with gr.Row(elem_id="top"):
        gr.HTML(header_html(page, PAGES, arena), elem_id="header", apply_default_css=False)
        operator = gr.HTML(elem_id="operator-link", apply_default_css=False)
        chip = gr.HTML(elem_id="chip", apply_default_css=False)
        until_loaded = gr.Timer(CHIP_EVERY_S)

    def draw(request: gr.Request) -> Updates:
        link = operator_links_html(page, PAGES, arena) if operator_status(request).is_operator else ""
        return {chip: _chip(arena), operator: link, until_loaded: gr.Timer(active=arena.models.is_loading)}

    for listen in (demo.load, until_loaded.tick):
        listen(draw, None, [chip, operator, until_loaded], **AT_ONCE)
    page.build(arena, demo)
    gr.HTML(foot_html(page, PAGES), elem_id="foot", apply_default_css=False)


_ANSWERS = ("answers.css", "votebar.css", "answer_text.css", "folding.js", "tools.js", "keys.js")
_COMPOSER = ("composer.css", "starters.js", "draft.js", "recall.js")
_BATTLE = ("battle.js", "history.js", "ranking.js", "guess.js")
_TABLES = "leaderboard.css"
PAGES = (
    Page(
        texts.PAGE_COMPARE,
        previews.COMPARE,
        "",
        lambda arena, demo: ComparePage(arena).wire(demo),
        "answers",
        (*_ANSWERS, *_COMPOSER, *_BATTLE),
    ),
    Page(
        texts.PAGE_RATE,
        previews.RATE,
        "rate",
        lambda arena, demo: build_rate(),
        "answers",
        (*_ANSWERS, "rate.css", "rate_criteria.js", "rate_view.js", "rate_write.js", "rate.js"),
        is_linked=lambda arena: arena.settings.rate == "public",
    ),
    Page(
        texts.PAGE_LEADERBOARD,
        previews.LEADERBOARD,
        "leaderboard",
        lambda arena, demo: LeaderboardPage(arena).wire(demo),
        "board",
        (_TABLES, "views.js", "leaderboard.js"),
    ),
    Page(
        texts.PAGE_MODELS,
        previews.MODELS,
        "models",
        lambda arena, demo: ModelsPage(arena).wire(demo),
        "models-list",
        ("models.css", _TABLES, "tools.js", "models.js"),
    ),
    Page(
        texts.PAGE_DATA,
        previews.DATA,
        "data",
        lambda arena, demo: DataPage(arena).wire(demo),
        "data-formats",
        ("data.css", "own.css", _TABLES, "views.js", "data.js"),
        is_linked=lambda arena: arena.settings.data == "public",
        operator_finds=True,
    ),
    Page(
        texts.PAGE_MY_DATA,
        previews.MY_DATA,
        "yours",
        lambda arena, demo: MyDataPage(arena).wire(demo),
        "my-data-list",
        ("own.css",),
        in_header=False,
    ),
    Page(
        texts.PAGE_TERMS,
        previews.TERMS,
        "terms",
        lambda arena, demo: build_terms(read_terms(), arena.settings.contact),
        "terms",
        ("own.css",),
        in_header=False,
    ),
    Page(
        texts.PAGE_ABOUT,
        previews.ABOUT,
        "about",
        lambda arena, demo: build_about(demo),
        "about-page",
        ("own.css",),
        in_header=False,
    ),
    Page(
        texts.PAGE_OPERATOR,
        previews.OPERATOR,
        PATH.lstrip("/"),
        lambda arena, demo: OperatorPage(arena).wire(demo),
        "operator-list",
        ("operator.css", _TABLES),
        in_header=False,
        for_operator=True,
    ),
)
"""Every page, the start page first."""


def _chip(arena: Arena) -> str:
    sources, separator, saved = said(arena.sources_line()).rpartition(" · ")
    where = f"<span class='saved'>{separator}{escape(saved)}</span>" if separator else escape(saved)
    chip = f"<span class='chip'>{escape(sources)}{where}</span>"
    if not arena.read_only:
        return chip
    return f"{chip}<p id='read-only' role='note'>{escape(texts.READ_ONLY.format(reason=arena.read_only))}</p>"
