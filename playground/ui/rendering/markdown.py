"""Make an answer safe to draw as Markdown: code is kept, prose is rewritten a paragraph at a time.

The result is Markdown for the page, not HTML: it grows at its end while an answer is written, so that a stream sends
what was added. HTML would change at its end with every word, and be sent again as a whole.

Boundary: pure functions on strings. markdown-it tells blocks apart; the page's own parser draws them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from playground.ui.rendering.mathematics import WITHOUT_MARKS, formula_at
from playground.ui.rendering.prose import safe_prose

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

MOST_NESTED = 20
"""Levels of lists and quotes that are told apart. What is deeper counts as prose."""

LANGUAGES: Mapping[str, str] = {
    alias: name
    for name, aliases in {
        "bash": "sh shell console zsh",
        "c": "h c++ cpp cc cxx hpp",  # Gradio's own C++ fails if no C was drawn before, and the whole answer with it
        "css": "",
        "go": "golang",
        "html": "htm svg vue",
        "java": "c# cs csharp kotlin kt scala",  # which the page has not; most words are the same
        "javascript": "js jsx mjs node",
        "json": "jsonc json5 jsonl",
        "latex": "tex",
        "php": "",
        "python": "py python3 pycon",
        "rust": "rs",
        "sql": "mysql postgresql sqlite",
        "typescript": "ts tsx",
        "xml": "",
        "yaml": "yml",
    }.items()
    for alias in (name, *aliases.split())
}
"""The page's names of languages, by those of code fences; any other is plain code (``mermaid`` would load code)."""

_LINE_END = re.compile("\r\n?")
_CELL_END = re.compile(r"(?<!\\)\|")


def answer_markdown(text: str) -> str:
    """Return `text` as Markdown without markup, images and link schemes other than web and mail; code is untouched.

    The result of a growing text grows by appending, except where a character completes a code span, a formula or a
    link.
    """
    text = _LINE_END.sub("\n", text.translate(WITHOUT_MARKS)).replace("%%%LATEX_BLOCK_", "%%\u200b%LATEX_BLOCK_")
    lines, done, start = text.split("\n"), list[str](), 0
    for token in _parser().parse(text):
        rewrite = _BLOCKS.get(token.type)
        if rewrite is None or token.map is None or token.map[0] < start:  # a container, or a cell of a table
            continue
        begin, end = token.map
        done += map(safe_prose, lines[start:begin])
        done += rewrite(lines[begin:end], token)
        start = end
    return "\n".join([*done, *map(safe_prose, lines[start:])])


@lru_cache(1)
def _parser() -> MarkdownIt:
    """Return a parser of blocks alone. Markup and definitions of links are prose, since `safe_prose` escapes them."""
    from markdown_it import MarkdownIt  # 50 ms of a start, for the first answer

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MOST_NESTED})
    parser.enable("table").disable("reference")
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.block.ruler.before("fence", "formula", _formula, {"alt": ["paragraph", "blockquote", "list"]})
    return parser


def _formula(state: StateBlock, start: int, last: int, silent: bool) -> bool:
    """Take a display formula alone on its lines as a block, before its ``+`` and ``=`` become lists and headings."""
    begin = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not state.src.startswith(("$$", "\\["), begin):
        return False
    formula = formula_at(state.src, begin)
    if formula is None or state.src[formula.end :].partition("\n")[0].strip():
        return False
    end = start + state.src.count("\n", begin, formula.end) + 1
    inside = range(start + 1, min(end, last))
    if end > last or any(state.src[state.bMarks[line] - 1] != "\n" for line in inside):  # the marks of a quote
        return False
    if not silent:
        state.line = end
        state.push("formula", "", 0).map = [start, end]
    return True


def _code(lines: Sequence[str], token: Token) -> Sequence[str]:
    return lines


def _fence(lines: Sequence[str], token: Token) -> Sequence[str]:
    """Name the language as the page knows it."""
    lead, ticks, _ = lines[0].partition(token.markup)
    words = token.info.split()
    return [f"{lead}{ticks}{LANGUAGES.get(words[0].lower(), '') if words else ''}", *lines[1:]]


def _paragraph(lines: Sequence[str], token: Token) -> Sequence[str]:
    return [safe_prose("\n".join(lines))]


def _table(lines: Sequence[str], token: Token) -> Sequence[str]:
    """Rewrite each cell by itself: no code span reaches from one into another."""
    return ["|".join(safe_prose(cell) for cell in _CELL_END.split(line)) for line in lines]


_BLOCKS: Mapping[str, Callable[[Sequence[str], Token], Sequence[str]]] = {
    "fence": _fence,
    "code_block": _code,
    "table_open": _table,
    "inline": _paragraph,
    "formula": _paragraph,
}
"""By markdown-it's type of token."""
