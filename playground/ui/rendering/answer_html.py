"""Draw an answer as HTML on the server, for pages that do not draw Markdown themselves.

Boundary: pure; a string in, HTML out. What may be in it is decided by `markdown`; formulas stay as they are written.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from playground.ui.rendering.markdown import MOST_NESTED, answer_markdown

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


def answer_html(text: str) -> str:
    """Return an answer as HTML without markup of its own, images, scripts, and link schemes other than web and mail."""
    return str(_renderer().render(answer_markdown(text)))


@lru_cache(1)
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 50 ms of a start, for the first answer

    return MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MOST_NESTED}).enable("table")
