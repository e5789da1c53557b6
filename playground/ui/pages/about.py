"""The About page: what the playground is for, how the ranking is made, its source, its API, how to cite it.

Boundary: words and addresses; knows no arena.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import gradio as gr

from playground import __version__
from playground.ui.http.page_head import HUB, own_address, space_of
from playground.ui.rendering import escape, page_head, with_link
from playground.ui.texts import PAGE_ABOUT, PAGE_LEADERBOARD
from playground.ui.texts import about as texts
from playground.ui.wiring import AT_ONCE


def build_about(demo: gr.Blocks) -> None:
    """Lay the page out, and draw it with the address that its visitor came to."""
    gr.HTML(page_head(PAGE_ABOUT, texts.LEAD), elem_id="about-lead", apply_default_css=False)
    page = gr.HTML(elem_id="about-page", apply_default_css=False)

    def draw(request: gr.Request) -> str:
        scope = request.request.scope
        return about_html(own_address(scope), space_of(scope), datetime.now(UTC).date())

    demo.load(draw, None, [page], **AT_ONCE)


def about_html(base: str, space_id: str, day: date) -> str:
    """Return the page; `base` is the address of the start page, which a Space has at the hub too."""
    address = f"{HUB}/spaces/{space_id}" if space_id else base
    leaderboard = with_link(texts.RANKING_LINK, f"<a href='./leaderboard'>{escape(PAGE_LEADERBOARD)}</a>")
    source = [_paragraph(texts.SOURCE_WORDS.format(version=__version__))]
    if space_id:
        files = escape(f"{address}/tree/main")
        link = f"<a href='{files}'>{files}</a>"
        source.append(f"<p>{with_link(texts.SOURCE_LINK, link)}</p>")
    example = texts.API_EXAMPLE.format(address=space_id or base)
    citation = texts.CITATION.format(version=__version__, address=address, day=day.isoformat())
    return "".join(
        (
            _section(texts.PURPOSE, map(_paragraph, texts.PURPOSE_WORDS)),
            _section(texts.RANKING, [*map(_paragraph, texts.RANKING_WORDS), f"<p>{leaderboard}</p>"]),
            _section(texts.SOURCE, source),
            _section(texts.API, [_paragraph(texts.API_WORDS), _literal(texts.API_LABEL, example)]),
            _section(texts.CITE, [_paragraph(texts.CITE_WORDS), _literal(texts.CITE_LABEL, citation)]),
        )
    )


def _section(title: str, parts: Iterable[str]) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _paragraph(words: str) -> str:
    return f"<p>{escape(words)}</p>"


def _literal(label: str, text: str) -> str:
    """Return text to copy, which a keyboard can scroll."""
    return f"<pre tabindex='0' role='region' aria-label='{escape(label)}'>{escape(text)}</pre>"
