"""Whatever a model writes, its drawing has no markup, loses no text and takes linear time."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from playground.ui.rendering import LATEX_DELIMITERS, answer_markdown
from playground.ui.rendering.prose import safe_prose

MARKS = "".join(str(sign) for delimiters in LATEX_DELIMITERS for sign in (delimiters["left"], delimiters["right"]))
FORMULA = re.compile(f"[{MARKS[::2]}][^{MARKS}]+[{MARKS[1::2]}]")
PIECES = st.sampled_from([
    "<b>", "<!--", "-->", "`", "``", "```", "~~~", "~", "\n", "\n\n", "    ", "\t", "> ", "- ", "1. ", "2) ",
    "# ", "---", "![", "]", "[", "(", ")", "](x)", "](https://e.org)", "]: ", "\\", "$", "$$", "*", "word ",
    " ",
])  # fmt: skip
TEXTS = st.lists(PIECES | st.just("|") | st.text(max_size=3), max_size=40).map("".join)
WEB_AND_MAIL = ("http://", "https://", "mailto:")


def tokens(drawn: str) -> Iterator[Token]:
    """Yield what another parser of Markdown, with HTML, finds outside of formulas."""
    for block in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(drawn):
        yield block
        yield from block.children or ()


@settings(max_examples=60)
@given(TEXTS)
@example("`\n<!--`")
@example("- ```\n <b>")
@example("[x]: `\na ` <b> `")
@example("[- `](a)\n` <b> `")
def test_no_text_becomes_markup_image_or_foreign_link(text: str) -> None:
    for token in tokens(FORMULA.sub("", answer_markdown(text))):
        assert token.type not in ("html_block", "html_inline", "image")
        if token.type == "link_open":
            assert str(token.attrs["href"]).lower().startswith(WEB_AND_MAIL)


@settings(max_examples=50)
@given(TEXTS)
@example(MARKS)
def test_lines_of_code_are_kept(text: str) -> None:
    drawn = answer_markdown(f"```\n{text.replace('`', '')}")
    kept = text.replace("`", "").replace("\r\n", "\n").replace("\r", "\n")
    assert drawn == "```\n" + kept.translate(dict.fromkeys(map(ord, MARKS), "\ufffd"))


@given(st.text(st.characters(exclude_characters="<$~[]\\\r" + MARKS)))
def test_text_without_markup_is_unchanged(text: str) -> None:
    assert answer_markdown(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "字母「漢字」，價格 $5 與 $10；100~200。",
        "👩‍👩‍👧 emoji 🇩🇪 and ~~e\u0301~~",
        "ما هي الألبكة؟ alpaca (لاما) 3~7\n\n- أولا\n- ثانيا",
    ],
)
def test_every_script_keeps_its_characters(text: str) -> None:
    whole = text * (20_000 // len(text))
    assert answer_markdown(whole).replace("&#126;", "~") == whole


ADVERSARIAL = [
    "[", "](", "[x](", "](a_", "](a_'", "[[[]", "](<", "](___", "`", "`_", "$", "$_", "$x", "$$", "$$x",
    "\\(", "\\[", "\\(\\[", "\\[\\(", "\\[x\\)", "~", "![", "![x](", "<", "\\", "\\\\", "\\$", "$\\$", ">_",
    "-_", "-_[", "1._", "|", "#", "_", "https://", "%%%LATEX_BLOCK_", "\n", "1)\n",
]  # fmt: skip
"""An underscore stands for a space."""


@contextmanager
def cpu_limit(limit_s: float) -> Iterator[None]:
    """Interrupt what takes more CPU time by orders of magnitude: a test of quadratic time has to end."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"{limit_s} s of CPU time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_long_prose_of_one_piece_takes_linear_time(piece: str) -> None:
    with cpu_limit(5):  # takes 0.1 s; quadratic time would be half a minute
        safe_prose(piece.replace("_", " ") * (50_000 // len(piece)))


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_long_answer_of_one_piece_takes_linear_time(piece: str) -> None:
    with cpu_limit(5):
        answer_markdown(piece.replace("_", " ") * (20_000 // len(piece)))
