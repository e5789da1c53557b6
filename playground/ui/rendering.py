"""Make text of models and visitors safe to show: escaped HTML, and Markdown that cannot leave its box.

The browser's sanitizer, `contain` in the style sheet and the Content-Security-Policy are further lines of defence.

Boundary: pure functions on strings. Only what is drawn goes through here; stored and copied text stays exact.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

LATEX_DELIMITERS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
]
"""Not a single ``$``, which is more often a price."""

_LANGUAGE = re.compile(
    "bash|c|cpp|css|diff|go|html|java|javascript|js|json|latex|php|py|python|rust|sh|sql|ts|xml|yaml"
)
"""Languages of code fences that are kept; any other becomes plain code (``mermaid`` would load code and draw)."""

_TEMPLATE_CHARACTERS = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;", "\\": "&#92;"})
_FENCE = re.compile(r"^(?P<lead>[ \t]*(?:>[ \t]?|(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
_LIST_ITEM = re.compile(r"^[ \t]*(?:>[ \t]?)*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_BACKTICKS = re.compile(r"\\.|`+", re.DOTALL)
_IMAGE = re.compile(r"!\[")
_LINK = re.compile(r"\](?=\((?!\s*<?(?:https?://|mailto:)))", re.IGNORECASE)
_DEFINITION = re.compile(r"^([ \t>]*)\[(?=[^\]\n]*\]:)", re.MULTILINE)
_PLACEHOLDER = re.compile(r"%%%LATEX_BLOCK_")
_WIDEST_TEXT_INDENT = 3
"""Columns that a line may be indented before Markdown takes it as code."""


def escape(text: str) -> str:
    """Escape `text` for HTML in Gradio's templates: markup, and characters that templates evaluate."""
    return html.escape(text, quote=True).translate(_TEMPLATE_CHARACTERS)


def with_link(text: str, link: str) -> str:
    """Return `text` escaped, with the HTML of a link at its ``{link}``."""
    return link.join(escape(part) for part in text.split("{link}"))


def page_head(title: str, lead: str) -> str:
    """Return the heading of a page and the line below it."""
    return f"<h1>{escape(title)}</h1><p class='lead'>{escape(lead)}</p>"


def live_region(element_id: str, text: str, is_error: bool = False, data: Mapping[str, object] = {}) -> str:
    """Return a line that screen readers announce when it changes; `data` become ``data-`` attributes."""
    attributes = "".join(f" data-{name}='{escape(str(value))}'" for name, value in data.items())
    kind = "error" if is_error else "said"
    return f"<div id='{element_id}' role='status' aria-live='polite' class='{kind}'{attributes}>{escape(text)}</div>"


def answer_markdown(text: str) -> str:
    """Return `text` as Markdown without markup, images and link schemes other than web and mail; code is untouched.

    The result of a growing text grows by appending, except where a character completes a code span or a link.
    """
    scanner = _Scanner()
    for line in text.split("\n"):
        scanner.feed(line)
    return _PLACEHOLDER.sub("%%\u200b%LATEX_BLOCK_", scanner.finish())


@dataclass(slots=True)
class _Fence:
    """An open code fence: its characters, and whether it is inside a list item or a quote."""

    ticks: str
    in_list: bool
    in_quote: bool

    def closed_by(self, line: str) -> bool:
        run = line.lstrip(" \t>").rstrip()
        return len(run) >= len(self.ticks) and set(run) == {self.ticks[0]}

    def left_by(self, line: str) -> bool:
        """Return True if `line` ends the list item or quote, and the fence with it."""
        if self.in_quote:
            return not line.lstrip().startswith(">")
        return self.in_list and bool(line.strip()) and not line[0].isspace()


class _Scanner:
    """Split lines into code, which is kept, and prose, which is made safe a paragraph at a time."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._prose: list[str] = []
        self._fence: _Fence | None = None
        self._in_list = False
        self._after_blank = True  # where indented code may begin
        self._indented = False

    def feed(self, line: str) -> None:
        if self._fence is not None and self._fence.left_by(line) and not self._fence.closed_by(line):
            self._fence = None
        if self._fence is not None:
            if self._fence.closed_by(line):
                self._fence = None
                self._after_blank = True
            self._done.append(line)
        elif (opened := self._opens(line)) is not None:
            self._flush()
            self._done.append(opened)
        elif self._is_indented_code(line):
            self._flush()
            self._indented = True
            self._done.append(line)
        else:
            self._feed_prose(line)

    def finish(self) -> str:
        self._flush()
        return "\n".join(self._done)

    def _feed_prose(self, line: str) -> None:
        blank = not line.strip()
        if _LIST_ITEM.match(line):
            self._in_list = True
        elif not blank and self._after_blank and not line[0].isspace():
            self._in_list = False
        self._indented = self._indented and blank
        self._after_blank = blank
        if blank:
            self._flush()
            self._done.append(line)
        else:
            self._prose.append(line)

    def _opens(self, line: str) -> str | None:
        """Return the line with a safe language if it opens a fence, else None."""
        match = _FENCE.match(line)
        if match is None or (match["ticks"][0] == "`" and "`" in match["info"]):
            return None
        lead, nested = match["lead"], self._in_list or bool(match["lead"].strip())
        if not nested and _width(lead) > _WIDEST_TEXT_INDENT:
            return None
        in_list = (self._in_list and bool(lead)) or bool(_LIST_ITEM.match(lead))
        self._fence = _Fence(match["ticks"], in_list=in_list, in_quote=lead.lstrip().startswith(">"))
        words = match["info"].split()
        language = words[0].lower() if words and _LANGUAGE.fullmatch(words[0].lower()) else ""
        return f"{lead}{match['ticks']}{language}"

    def _is_indented_code(self, line: str) -> bool:
        indented = bool(line.strip()) and _width(line) > _WIDEST_TEXT_INDENT
        return indented and (self._after_blank or self._indented) and not self._in_list

    def _flush(self) -> None:
        if self._prose:
            self._done.append(_safe_prose("\n".join(self._prose)))
            self._prose = []


def _width(line: str) -> int:
    """Return the columns of leading white space; a tab goes to the next multiple of four."""
    columns = 0
    for character in line:
        if character == "\t":
            columns += 4 - columns % 4
        elif character == " ":
            columns += 1
        else:
            break
    return columns


def _safe_prose(text: str) -> str:
    """Make a paragraph safe, except for its code spans."""
    done, start, position = [], 0, 0
    while (match := _BACKTICKS.search(text, position)) is not None:
        position = match.end()
        if match[0].startswith("\\"):
            continue
        run = re.escape(match[0])
        closing = re.compile(rf"(?<!`){run}(?!`)").search(text, position)
        if closing is not None:
            done += [_safe_plain(text[start : match.start()]), text[match.start() : closing.end()]]
            start = position = closing.end()
    return "".join([*done, _safe_plain(text[start:])])


def _safe_plain(text: str) -> str:
    """Disable markup, images, and links other than to the web or mail."""
    text = text.replace("\\<", "<").replace("<", "&lt;")
    text = _IMAGE.sub("!&#91;", text)
    text = _LINK.sub("&#93;", text)
    return _DEFINITION.sub(r"\1&#91;", text)
