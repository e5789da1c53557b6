"""The report as one HTML document, complete without a network.

Boundary: a `Report` in, a string out. The policy in its head forbids every request, and every script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playground import ui
from playground.report import texts
from playground.report.about import about, left_out
from playground.report.again import again
from playground.report.criteria import criteria
from playground.report.examples import examples
from playground.report.report import Report
from playground.report.votes import battles_document, votes
from playground.ui import colours
from playground.ui.pages.leaderboard.analyses import analyses_html
from playground.ui.pages.leaderboard.blinding import blinding_html
from playground.ui.pages.leaderboard.board import boxes_html, lead_html
from playground.ui.rendering import escape

ASSETS = Path(__file__).parent / "assets"
PAGE_ASSETS = Path(ui.__file__).parent / "assets"
SCRIPTS = ("rating", "again", "votes")
"""In this order."""
COLOURS: Mapping[str, tuple[str, str]] = {
    "body-background-fill": colours.PAPER,
    "card": colours.CARD,
    "quiet": colours.QUIET,
    "ink": colours.INK,
    "soft": colours.SOFT,
    "line": colours.LINE,
    "field-line": colours.FIELD_LINE,
    "focus": colours.FOCUS,
}
"""Variables of the style sheets, on light and on dark."""
PARTS: Mapping[str, Callable[[Report], str]] = {
    "criteria": criteria,
    "again": again,
    "examples": examples,
    "votes": votes,
    "about": about,
}
"""The parts below the board, by id."""


def document(report: Report) -> str:
    """Return the document."""
    scripts = ["\n" + _text(ASSETS / f"{name}.js") for name in SCRIPTS]
    data = {"report-tallies": report.tallies.as_document(), "report-battles": battles_document(report)}
    blocks = "".join(f"<script type='application/json' id='{id}'>{_json(value)}</script>" for id, value in data.items())
    title = escape(report.asked.title)
    return (
        f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>{_policy(scripts)}"
        f"<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta name='color-scheme' content='light dark'><title>{title}</title><style>{_styles()}</style></head>"
        f"<body><a class='skip' href='#board'>{escape(texts.TITLES['board'])}</a>{_main(report, title)}"
        f"{blocks}{''.join(f'<script>{script}</script>' for script in scripts)}</body></html>\n"
    )


def _main(report: Report, title: str) -> str:
    made = escape(texts.MADE.format(day=report.asked.now[:10]))
    has_board = bool(report.view.rows)
    has = {"criteria": bool(report.criteria), "again": has_board, "examples": has_board}
    drawn = {id: draw(report) for id, draw in PARTS.items() if has.get(id, True)}
    links = "".join(f"<a href='#{id}'>{escape(texts.TITLES[id])}</a>" for id in drawn)
    parts = "".join(
        f"<section class='part' id='{id}' aria-labelledby='{id}-title'><h2 id='{id}-title'>{escape(texts.TITLES[id])}"
        f"</h2>{inside}</section>"
        for id, inside in drawn.items()
    )
    board = f"{boxes_html(report.view)}{analyses_html(report.analyses)}" if has_board else ""
    return (
        f"<main id='board' tabindex='-1'><p class='made soft'><b>{title}</b> · {made}</p>{lead_html(report.view)}"
        f"<nav aria-label='{escape(texts.CONTENTS)}'>{links}</nav>{board}"
        f"<div class='boxes'>{left_out(report)}{_blinding(report)}</div>"
        f"<p class='basis'>{escape(report.view.board.basis)}</p>{parts}</main>"
    )


def _blinding(report: Report) -> str:
    if report.blinding is None:
        return ""
    note = f"<p class='soft'>{escape(texts.BLINDING_NOTE)}</p>" if report.asked.options.filtered else ""
    return f"<div>{blinding_html(report.blinding, report.view.cards)}{note}</div>"


def _policy(scripts: list[str]) -> str:
    """Return the Content-Security-Policy: scripts by their hashes, and nothing from anywhere."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    rules = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">'


def _styles() -> str:
    def variables(which: int) -> str:
        return "".join(f"--{name}:{pair[which]};" for name, pair in COLOURS.items())

    font = f"--font:{colours.FONT};"
    dark = f"@media screen and (prefers-color-scheme: dark){{:root{{{variables(1)}}}}}"
    sheets = _text(PAGE_ASSETS / "leaderboard.css") + _text(ASSETS / "report.css")
    return f":root{{{variables(0)}{font}}}{dark}\n{sheets}"


def _json(value: Any) -> str:
    """Return JSON that may stand in a script element, whatever its texts are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _text(path: Path) -> str:
    return path.read_text("utf-8")
