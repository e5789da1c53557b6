"""Model and visitor text made safe to show: Markdown that cannot leave its box, escaped HTML.

Boundary: pure functions on strings; knows nothing of Gradio or battles. What is stored and copied is the exact
text; only what is drawn goes through here. The browser's sanitizer, `contain` in the style sheet and the
Content-Security-Policy stand behind this, not in place of it.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

LATEX_DELIMITERS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
]
"""Never a single ``$``: answers speak of prices."""

LANGUAGES = frozenset(
    [
        "bash",
        "c",
        "cpp",
        "css",
        "diff",
        "go",
        "html",
        "java",
        "javascript",
        "js",
        "json",
        "latex",
        "php",
        "py",
        "python",
        "rust",
        "sh",
        "sql",
        "ts",
        "xml",
        "yaml",
    ]
)
"""Fence languages that are passed on; others (``mermaid`` draws, loads code and can fail) become plain code."""

_TEMPLATE_CHARACTERS = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;", "\\": "&#92;"})
_FENCE = re.compile(r"^(?P<lead>[ \t]*(?:>[ \t]?|(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
_LIST_ITEM = re.compile(r"^[ \t]*(?:>[ \t]?)*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_BACKTICKS = re.compile(r"\\.|`+", re.DOTALL)
_IMAGE = re.compile(r"!\[")
_LINK = re.compile(r"\](?=\((?!\s*<?(?:https?://|mailto:)))", re.IGNORECASE)
_DEFINITION = re.compile(r"^([ \t>]*)\[(?=[^\]\n]*\]:)", re.MULTILINE)
_PLACEHOLDER = re.compile(r"%%%LATEX_BLOCK_")
_WIDEST_TEXT_INDENT = 3
"""Columns a line may be indented before Markdown takes it as code."""


def escape(text: str) -> str:
    """`text` for HTML that is put into a template: markup, and what templates evaluate, become entities."""
    return html.escape(text, quote=True).translate(_TEMPLATE_CHARACTERS)


def answer_markdown(text: str) -> str:
    """`text` as Markdown in which no markup, image or foreign link scheme is left, code untouched.

    Grows by appending as `text` grows, but where a later character completes a code span or a link.
    """
    scanner = _Scanner()
    for line in text.split("\n"):
        scanner.feed(line)
    return _PLACEHOLDER.sub("%%\u200b%LATEX_BLOCK_", scanner.finish())


@dataclass(slots=True)
class _Fence:
    """An open code fence: its character run, and whether it stands inside a list item or a quote."""

    ticks: str
    in_list: bool
    in_quote: bool

    def closed_by(self, line: str) -> bool:
        run = line.lstrip(" \t>").rstrip()
        return len(run) >= len(self.ticks) and set(run) == {self.ticks[0]}

    def left_by(self, line: str) -> bool:
        """Whether `line` ends the list item or quote, and the fence with it."""
        if self.in_quote:
            return not line.lstrip().startswith(">")
        return self.in_list and bool(line.strip()) and not line[0].isspace()


class _Scanner:
    """Splits lines into code, passed through, and prose, made safe a paragraph at a time."""

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
        """The line as it opens a fence, its language made harmless; None when it opens none."""
        match = _FENCE.match(line)
        if match is None or (match["ticks"][0] == "`" and "`" in match["info"]):
            return None
        lead, nested = match["lead"], self._in_list or bool(match["lead"].strip())
        if not nested and _width(lead) > _WIDEST_TEXT_INDENT:
            return None
        in_list = (self._in_list and bool(lead)) or bool(_LIST_ITEM.match(lead))
        self._fence = _Fence(match["ticks"], in_list=in_list, in_quote=lead.lstrip().startswith(">"))
        words = match["info"].split()
        language = words[0].lower() if words and words[0].lower() in LANGUAGES else ""
        return f"{lead}{match['ticks']}{language}"

    def _is_indented_code(self, line: str) -> bool:
        indented = bool(line.strip()) and _width(line) > _WIDEST_TEXT_INDENT
        return indented and (self._after_blank or self._indented) and not self._in_list

    def _flush(self) -> None:
        if self._prose:
            self._done.append(_safe_prose("\n".join(self._prose)))
            self._prose = []


def _width(line: str) -> int:
    """Columns of white space that `line` begins with, a tab to the next multiple of four."""
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
    """One paragraph with everything outside its code spans made safe."""
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
    """Text without code: no markup can begin, no image, no link but to the web or by mail."""
    text = text.replace("\\<", "<").replace("<", "&lt;")
    text = _IMAGE.sub("!&#91;", text)
    text = _LINK.sub("&#93;", text)
    return _DEFINITION.sub(r"\1&#91;", text)
