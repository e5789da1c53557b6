"""Small pages beside Gradio's: one secret to type, or one sentence. They work without scripts.

Boundary: HTML and posted fields; knows neither what the secret opens nor who may have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl

from playground.ui import colours
from playground.ui.http.asgi import Receive, read_body
from playground.ui.rendering import escape
from playground.ui.texts.language import present

MAX_FORM_BYTES = 10_000
MAX_FIELDS = 10
_COLOURS = {
    "ink": colours.INK,
    "paper": colours.PAPER,
    "card": colours.CARD,
    "soft": colours.SOFT,
    "line": colours.LINE,
    "field": colours.FIELD_LINE,
    "warn": colours.WARN,
    "focus": colours.FOCUS,
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
    """Return a whole page in the present language; `body` is HTML."""
    drawn = {f"{name}_{mode}": pair[i] for name, pair in _COLOURS.items() for i, mode in enumerate(("light", "dark"))}
    template = Template((Path(__file__).parents[1] / "assets" / "form.html").read_text("utf-8"))
    language = present()
    speech = {"lang": escape(language.tag), "dir": language.direction}
    return template.substitute(title=escape(title), body=body, font=colours.FONT, **speech, **drawn)


async def read_form(receive: Receive) -> dict[str, str]:
    """Return the fields of a posted form; none if it is too long or cannot be read."""
    body = await read_body(receive) or b""
    if len(body) > MAX_FORM_BYTES:
        return {}
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return {}
