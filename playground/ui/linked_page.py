"""A page with an address of its own, and the links between pages.

Boundary: HTML and a record; the pages themselves are listed in `site`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import PlaygroundError
from playground.messages import Message
from playground.ui import texts
from playground.ui.http.page_head import LinkPreview
from playground.ui.rendering import escape
from playground.ui.texts import operator as operator_texts
from playground.ui.texts import previews


@dataclass(frozen=True, slots=True)
class Page:
    """A page with an address of its own."""

    name: str
    description: str
    path: str  # "" is the start page
    build: Callable[[Arena, gr.Blocks], None]
    main: str  # id of the content, to which a keyboard may skip
    parts: tuple[str, ...] = ()  # its style sheets and scripts in `assets`, beside those of every page
    in_header: bool = True  # or else linked at the foot of every page
    for_operator: bool = False  # or else linked in the header, for the operator only
    is_linked: Callable[[Arena], bool] = lambda arena: True  # or else only who has the address finds it
    operator_finds: bool = False  # a page without a link is linked for the operator

    @property
    def preview(self) -> LinkPreview:
        """The title of a browser's tab, and the preview of a link."""
        title = Message(previews.PAGE_TITLE, page=self.name) if self.path else previews.START_TITLE
        return LinkPreview(title, self.description)


def header_html(here: Page, pages: Sequence[Page], arena: Arena) -> str:
    """Return the name of the playground and the links of the header, and the heading that only screen readers meet."""
    links = links_html(here, [page for page in pages if page.in_header and page.is_linked(arena)])
    is_start = not here.path
    skip = texts.SKIP_TO_ANSWERS if is_start else texts.SKIP_TO_CONTENT
    heading = f"<h1 class='unread'>{escape(here.name)}</h1>" if is_start else ""  # other pages show one
    return (
        f"<header><a class='skip' href='#{here.main}'>{escape(skip)}</a>"
        f"<a class='brand' href='./'>{escape(texts.TITLE)}</a>"
        f"<nav aria-label='{escape(texts.PAGES)}'>{links}</nav></header>{heading}"
    )


def foot_html(here: Page, pages: Sequence[Page]) -> str:
    """Return the links of the foot."""
    links = links_html(here, [page for page in pages if not page.in_header and not page.for_operator])
    return f"<nav aria-label='{escape(texts.MORE_PAGES)}'>{links}</nav>"


def links_html(here: Page, pages: Sequence[Page]) -> str:
    """Return links to pages."""
    return "".join(_link(here, page, page.name) for page in pages)


def _link(here: Page, page: Page, words: str) -> str:
    """Return a link whose address is relative, so that it works below any path."""
    current = " aria-current=page" if page is here else ""
    return f"<a href='./{page.path}'{current}>{escape(words)}</a>"


def operator_links_html(here: Page, pages: Sequence[Page], arena: Arena) -> str:
    """Return the operator's links: pages that visitors get no link to, and their own with the number of new reports."""
    try:
        words = operator_texts.link(arena.moderation.counts().reports)
    except PlaygroundError:  # the page says why
        words = operator_texts.LINK
    hidden = links_html(here, [page for page in pages if page.operator_finds and not page.is_linked(arena)])
    own = "".join(_link(here, page, words) for page in pages if page.for_operator)
    return f"<nav aria-label='{escape(operator_texts.LINK_LABEL)}'>{own}{hidden}</nav>"
