"""Escape text for HTML, and put it into the pieces of HTML that several pages have.

Texts of the pages are said in the present language.

Boundary: functions on strings.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

from playground.ui.texts.language import said

_TEMPLATE_CHARACTERS = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;", "\\": "&#92;"})


def escape(text: str) -> str:
    """Escape `text` for HTML in Gradio's templates: markup, and characters that templates evaluate."""
    return html.escape(said(text), quote=True).translate(_TEMPLATE_CHARACTERS)


def with_link(text: str, link: str) -> str:
    """Return `text` escaped, with the HTML of a link at its ``{link}``."""
    return link.join(escape(part) for part in said(text).split("{link}"))


def page_head(title: str, lead: str) -> str:
    """Return the heading of a page and the line below it."""
    return f"<h1>{escape(title)}</h1><p class='lead'>{escape(lead)}</p>"


def live_region(element_id: str, text: str, is_error: bool = False, data: Mapping[str, object] = {}) -> str:
    """Return a line that screen readers announce when it changes; `data` become ``data-`` attributes."""
    attributes = "".join(f" data-{name}='{escape(str(value))}'" for name, value in data.items())
    kind = "error" if is_error else "said"
    return f"<div id='{element_id}' role='status' aria-live='polite' class='{kind}'{attributes}>{escape(text)}</div>"
