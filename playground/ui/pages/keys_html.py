"""The keys of a page, as HTML: a line of the most used ones, and the list of all that ``?`` opens.

Boundary: strings from texts; `keys.js` acts on the keys.
"""

from __future__ import annotations

from collections.abc import Iterable

from playground.ui.rendering import escape
from playground.ui.texts import keys as texts


def keys_html(legend: Iterable[tuple[str, str]], keys: Iterable[tuple[str, str]]) -> str:
    """Return the line and the list; both are pairs of keys and their action."""
    line = "".join(f"<span><kbd>{escape(key)}</kbd> {escape(text)}</span>" for key, text in legend)
    rows = "".join(f"<dt><kbd>{escape(key)}</kbd></dt><dd>{escape(text)}</dd>" for key, text in keys)
    title, close = escape(texts.TITLE), escape(texts.CLOSE)
    button = f"<button type='button' class='tool' data-tool='keys' aria-haspopup='dialog'>{escape(texts.ALL)}</button>"
    return (
        f"{line}{button}<dialog id='keys' aria-labelledby='keys-title'><h2 id='keys-title'>{title}</h2><dl>{rows}</dl>"
        f"<form method='dialog'><button class='tool'>{close}</button></form></dialog>"
    )
