"""Text of models is drawn without markup, and its code stays as it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ui.rendering import answer_markdown, escape
from tests.support.stub_arena import HOSTILE


@pytest.mark.proves("remote images, javascript: links, script, img, SVG")
@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Plain words, $5 to $7.", "Plain words, $5 to $7."),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        (
            "<svg onload=alert(1)><a href='javascript:alert(1)'/></svg>",
            "&lt;svg onload=alert(1)>&lt;a href='javascript:alert(1)'/>&lt;/svg>",
        ),
        ("![x](data:image/svg+xml,<svg/onload=alert(1)>)", "!&#91;x&#93;(data:image/svg+xml,&lt;svg/onload=alert(1)>)"),
        ("1 < 2 and a<b", "1 &lt; 2 and a&lt;b"),
        ("an escaped \\<b>", "an escaped &lt;b>"),
        ("![x](https://example.org/pixel.png)", "!&#91;x](https://example.org/pixel.png)"),
        ("![x][ref]", "!&#91;x][ref]"),
        ("[web](https://example.org/) [mail](mailto:a@b.c)", "[web](https://example.org/) [mail](mailto:a@b.c)"),
        ("[x](javascript:alert(1))", "[x&#93;(javascript:alert(1))"),
        ("[x](JavaScript:alert(1)) [y](data:text/html,x)", "[x&#93;(JavaScript:alert(1)) [y&#93;(data:text/html,x)"),
        ("[x]( java\tscript:alert(1))", "[x&#93;( java\tscript:alert(1))"),
        ("[x](&#106;avascript:alert(1))", "[x&#93;(&#106;avascript:alert(1))"),
        ("[x]: javascript:alert(1)", "&#91;x]: javascript:alert(1)"),
        ("> [x]: javascript:alert(1)", "> &#91;x]: javascript:alert(1)"),
        ("a `<b>` c <i>", "a `<b>` c &lt;i>"),
        ("a ``<b> ` <i>`` <u>", "a ``<b> ` <i>`` &lt;u>"),
        ("an open ` <b>", "an open ` &lt;b>"),
        ("an escaped \\` <b> `", "an escaped \\` &lt;b> `"),
        ("a span `over\n<lines>` <b>", "a span `over\n<lines>` &lt;b>"),
        ("no span ` over\n\na paragraph ` <b>", "no span ` over\n\na paragraph ` &lt;b>"),
        ("$$a < b$$", "$$a &lt; b$$"),
        ("%%%LATEX_BLOCK_3%%%", "%%\u200b%LATEX_BLOCK_3%%%"),
    ],
)
def test_prose_has_no_markup_images_or_foreign_links(text: str, drawn: str) -> None:
    assert answer_markdown(text) == drawn


@pytest.mark.parametrize(
    "code",
    [
        "```python\ndef f(a):\n\tif a < 1:\n\t\treturn '<b>'\n```",
        "~~~\n<b>![x](y)\n~~~",
        "````html\n```\n<b>\n````",
        "```\n<b> and no end",
        "    indented <b>\n\n    still <i>",
        "\tindented by a tab <b>",
        "1. one\n   ```html\n   <b>\n   ```\n2. two",
        "- ```html\n  <b>\n  ```",
        "> ```html\n> <b>\n> ```",
    ],
)
def test_code_is_unchanged(code: str) -> None:
    assert answer_markdown(code) == code


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("```\nx\n```\n<b>", "```\nx\n```\n&lt;b>"),
        ("words\n    continued <b>", "words\n    continued &lt;b>"),
        ("- item\n\n    continued <b>", "- item\n\n    continued &lt;b>"),
        ("> ```\n> x\nout <b>", "> ```\n> x\nout &lt;b>"),
        ("- ```\n  x\nout <b>", "- ```\n  x\nout &lt;b>"),
        ("text\n\n    ```\n<b>", "text\n\n    ```\n&lt;b>"),
        ("``` not a fence ` \n<b>", "``` not a fence ` \n&lt;b>"),
    ],
)
def test_prose_after_code_is_made_safe(text: str, drawn: str) -> None:
    assert answer_markdown(text) == drawn


@pytest.mark.proves("LaTeX bombs, nested Markdown, giant tables, Mermaid")
@pytest.mark.parametrize(
    ("fence", "drawn"),
    [("```mermaid", "```"), ("```python title=x", "```python"), ("```Python", "```python"), ("```<b>", "```")],
)
def test_only_known_languages_are_kept(fence: str, drawn: str) -> None:
    assert answer_markdown(f"{fence}\nx\n```") == f"{drawn}\nx\n```"


def test_hostile_answer_has_no_markup_outside_code() -> None:
    outside = answer_markdown(HOSTILE).replace("<b>code stays &amp; is code</b>", "").replace("`<i>`", "")
    assert "<" not in outside
    assert "![" not in outside


PIECES = st.sampled_from("<b>,`,``,```,~~~,\n,\n\n,    ,\t,> ,- ,1. ,![,](,),\\,$$,word ".split(","))  # noqa: SIM905
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join)


@given(TEXTS)
def test_any_text_keeps_its_lines(text: str) -> None:
    assert answer_markdown(text).count("\n") == text.count("\n")


@given(TEXTS)
def test_text_without_code_has_no_markup(text: str) -> None:
    plain = text.replace("`", "").replace("~", "").replace("\t", "").replace("  ", "")
    assert "<" not in answer_markdown(plain)


@given(st.text())
def test_escaped_text_cannot_leave_its_template(text: str) -> None:
    assert not set(escape(text)) & set("<>\"'`${}\\")


def test_growing_prose_grows_by_appending() -> None:
    text = "An alpaca is a **small** relative of the llama.\n\n- wool < fibre\n- loads\n"
    drawn = [answer_markdown(text[:n]) for n in range(len(text) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(drawn))
