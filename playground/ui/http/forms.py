"""Small pages of our own beside Gradio's: one secret to type, or one sentence. They work without scripts.

Boundary: pure ASGI; knows neither what the secret opens nor who may have it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl

from playground.ui import theme
from playground.ui.http.middleware import Receive, Scope, Send, headers_of
from playground.ui.rendering import escape

MAX_FORM_BYTES = 10_000
MAX_FIELDS = 10
NEVER_STORED = (
    (b"cache-control", b"no-store"),
    (b"vary", b"Cookie, Authorization, Accept"),
)
"""Headers of every reply that shows or takes a secret."""
NO_REFERRER = (b"referrer-policy", b"no-referrer")
"""Not for a page with a form: a browser then posts it with the Origin "null", as another site's."""
_PAIRS = {
    "ink": theme.INK,
    "paper": theme.PAPER,
    "card": theme.CARD,
    "soft": theme.SOFT,
    "line": theme.LINE,
    "field": theme.FIELD_LINE,
    "warn": theme.WARN,
    "focus": theme.FOCUS,
}


@dataclass(frozen=True, slots=True)
class SecretForm:
    """A form with one field; posts to `action`."""

    title: str
    lead: str
    label: str
    button: str
    action: str
    name: str = "password"
    hidden: Mapping[str, str] = field(default_factory=dict)

    def html(self, error: str = "", more: str = "") -> str:
        """Return the page, with an error above the field; `more` is HTML below the form."""
        told = f"<p class='error' role='alert' id='error'>{escape(error)}</p>" if error else ""
        described = " aria-describedby='error' aria-invalid='true'" if error else ""
        kept = "".join(f"<input type='hidden' name='{escape(n)}' value='{escape(v)}'>" for n, v in self.hidden.items())
        return page_html(
            self.title,
            f"<p>{escape(self.lead)}</p><form method='post' action='{escape(self.action)}'>{told}{kept}"
            f"<label for='secret'>{escape(self.label)}</label>"
            f"<input id='secret' name='{escape(self.name)}' type='password' autocomplete='current-password' required "
            f"autofocus{described}><button>{escape(self.button)}</button></form>{more}",
        )


def page_html(title: str, body: str) -> str:
    """Return a whole page; `body` is HTML."""
    colours = {f"{name}_{mode}": pair[i] for name, pair in _PAIRS.items() for i, mode in enumerate(("light", "dark"))}
    template = Template((Path(__file__).parents[1] / "assets" / "form.html").read_text("utf-8"))
    return template.substitute(title=escape(title), body=body, font=theme.FONT, **colours)


def is_browser(scope: Scope) -> bool:
    """Return whether the sender shows pages to a person."""
    return "text/html" in headers_of(scope).get("accept", "")


async def read_form(receive: Receive) -> dict[str, str]:
    """Return the fields of a form that was posted; none where it is too long or cannot be read."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return {}
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) > MAX_FORM_BYTES:
        return {}
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return {}


async def reply_page(
    scope: Scope, send: Send, status: int, page: str, more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Answer with a page; a HEAD request gets its headers."""
    await _reply(scope, send, status, "text/html; charset=utf-8", page, more)


async def reply_json(
    scope: Scope, send: Send, status: int, document: Mapping[str, object], more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Answer a program."""
    await _reply(scope, send, status, "application/json", json.dumps(document), more)


async def reply_elsewhere(scope: Scope, send: Send, location: str, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send a browser on to another address, with GET."""
    await _reply(scope, send, 303, "text/plain", "", [(b"location", location.encode("latin-1")), NO_REFERRER, *more])


async def _reply(
    scope: Scope, send: Send, status: int, kind: str, text: str, more: Iterable[tuple[bytes, bytes]]
) -> None:
    body = text.encode()
    size = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", kind.encode()), size, *NEVER_STORED, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
