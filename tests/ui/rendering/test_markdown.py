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
        ("![x](https://example.org/pixel.png)", "!&#91;x&#93;(https://example.org/pixel.png)"),
        ("![x][ref]", "!&#91;x][ref]"),
        ("[web](https://example.org/) [mail](mailto:a@b.c)", "[web](https://example.org/) [mail](mailto:a@b.c)"),
        ("[x](javascript:alert(1))", "&#91;x&#93;(javascript:alert(1))"),
        (
            "[x](JavaScript:alert(1)) [y](data:text/html,x)",
            "&#91;x&#93;(JavaScript:alert(1)) &#91;y&#93;(data:text/html,x)",
        ),
        ("[x]( java\tscript:alert(1))", "&#91;x&#93;( java\tscript:alert(1))"),
        ("[x](&#106;avascript:alert(1))", "&#91;x&#93;(&#106;avascript:alert(1))"),
        ("[x]: javascript:alert(1)", "[x&#93;: javascript:alert(1)"),
        ("> [x]: javascript:alert(1)", "> [x&#93;: javascript:alert(1)"),
        ("a `<b>` c <i>", "a `<b>` c &lt;i>"),
        ("a ``<b> ` <i>`` <u>", "a ``<b> ` <i>`` &lt;u>"),
        ("an open ` <b>", "an open ` &lt;b>"),
        ("an escaped \\` <b> `", "an escaped \\` &lt;b> `"),
        ("a span `over\n<lines>` <b>", "a span `over <lines>` &lt;b>"),
        ("no span ` over\n\na paragraph ` <b>", "no span ` over\n\na paragraph ` &lt;b>"),
        ("1 $$a < b", "1 $$a &lt; b"),
        ("- [x]: javascript:alert(1)", "- [x&#93;: javascript:alert(1)"),
        (
            "See [LICENSE](LICENSE) and ![build](https://ci.example/b.svg) here.",
            "See LICENSE and !&#91;build&#93;(https://ci.example/b.svg) here.",
        ),
        ("[a](./b.md 'title') [c](#d) [e]() [f](//g.example/)", "\u2060a c e f"),
        ("[a *b* [c](d) e](f) [g](https://h.example)", "\u2060a *b* c e [g](https://h.example)"),
        ("[- a](b)", "\u2060- a"),
        ("[open](web", "&#91;open&#93;(web"),
        ("- [ ] to do\n- [x] done", "- [ ] to do\n- [x] done"),
        ("~5 to ~10, 3~7 or 8~9", "&#126;5 to &#126;10, 3&#126;7 or 8&#126;9"),
        ("~~gone~~ and ~~~ there", "~~gone~~ and ~~~ there"),
        ("https://example.org/~ann/$x and [b](https://example.org/~b)", None),
        ("| ` | <b> ` |\n|---|---|\n| `<i>` | <u> |", "| ` | &lt;b> ` |\n|---|---|\n| `<i>` | &lt;u> |"),
        ("%%%LATEX_BLOCK_3%%%", "%%\u200b%LATEX_BLOCK_3%%%"),
    ],
)
def test_prose_has_no_markup_images_or_foreign_links(text: str, drawn: str | None) -> None:
    assert answer_markdown(text) == (text if drawn is None else drawn)


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
    [
        ("```mermaid", "```"),
        ("```python title=x", "```python"),
        ("```Python", "```python"),
        ("```<b>", "```"),
        ("```c++", "```c"),
        ("``` C#", "```java"),
        ("~~~js", "~~~javascript"),
        ("- ```sh", "- ```bash"),
    ],
)
def test_only_known_languages_are_kept(fence: str, drawn: str) -> None:
    assert answer_markdown(f"{fence}\n  x") == f"{drawn}\n  x"


def test_hostile_answer_has_no_markup_outside_code() -> None:
    outside = answer_markdown(HOSTILE).replace("<b>code stays &amp; is code</b>", "").replace("`<i>`", "")
    assert "<" not in outside
    assert "![" not in outside


@given(st.text())
def test_escaped_text_cannot_leave_its_template(text: str) -> None:
    assert not set(escape(text)) & set("<>\"'`${}\\")


def test_growing_prose_grows_by_appending() -> None:
    text = "An alpaca is a **small** relative of the llama.\n\n- wool < fibre\n- loads\n"
    drawn = [answer_markdown(text[:n]) for n in range(len(text) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(drawn))
