"""Text of answers as Chromium draws it: tables, mathematics, code, direction, paper."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from playground.ui.rendering.markdown import LANGUAGES
from tests.conftest import StubPage
from tests.support.browsing import PHONE, Visitor, visiting

pytestmark = pytest.mark.browser

TEXT = r"""The points \( c, d \in [a, b] \) satisfy \(x^2\); $\int_0^1 x^2 dx$, and let $x$ be.

\[
x
+ y = 1
\]

$5 and $10, US$20 for $30, $5-$10, echo $A$B, $HOME. Use `$$` for it, or echo $$ and then kill $$ again.

See \[1\] and \[note\]. It takes ~5 minutes and costs ~10 euro. Range 3~7 or 8~9. ~~Struck.~~

See [LICENSE](LICENSE) and ![build](https://ci.example/b.svg) here.

| animal | kilograms | remarks |
|---|---|---|
| alpaca | 1,000 | kept for its soft wool, far from any internationalisation, in the cold of the Andes |
| llama | 2,000,000 | carries loads over long distances and is larger than its relative in every dimension |

```c++
class Alpaca { int weight = 70; };
```

```C#
public class Alpaca { int weight = 70; }
```
"""
ARABIC = """ما هي الألبكة؟ حيوان صغير.

1. الألبكة صغيرة
2. اللاما كبيرة

An English paragraph.

```python
weight = 70  # كيلوغرام
```
"""
RIGHT = "element => element.getBoundingClientRect().right"
LINES = """(cell, word) => {
    const text = cell.firstChild, range = document.createRange(), start = text.data.indexOf(word);
    range.setStart(text, start);
    range.setEnd(text, start + word.length);
    return range.getClientRects().length;
}"""
STYLE = "(element, name) => getComputedStyle(element)[name]"


@pytest.fixture(scope="module")
def visitor(browser: Browser, stub: StubPage) -> Iterator[Visitor]:
    """A visitor who looks at `TEXT` on a phone."""
    with visiting(browser, stub.url, viewport=PHONE) as visitor:
        visitor.open().compare(f"say:{TEXT}").reaches("open")
        expect(visitor.page.locator("#answer-a .katex").first).to_be_visible()
        yield visitor


def test_mathematics_is_set_and_prices_are_not(visitor: Visitor) -> None:
    answer = visitor.page.locator("#answer-a")
    assert answer.locator(".katex").count() == 5
    assert answer.locator(".katex-display").count() == 1
    assert answer.locator(".katex-error").count() == 0
    prices = answer.locator("p", has_text="US$20")
    assert prices.locator(".katex").count() == 0
    assert prices.inner_text() == (
        "$5 and $10, US$20 for $30, $5-$10, echo $A$B, $HOME. Use $$ for it, or echo $$ and then kill $$ again."
    )
    assert prices.locator("code").inner_text() == "$$"


def test_only_double_tildes_strike(visitor: Visitor) -> None:
    assert visitor.page.locator("#answer-a del").all_inner_texts() == ["Struck."]
    expect(visitor.page.locator("#answer-a")).to_contain_text("See [1] and [note]. It takes ~5 minutes and costs ~10 ")
    expect(visitor.page.locator("#answer-a")).to_contain_text("Range 3~7 or 8~9.")


def test_relative_links_and_images_are_text(visitor: Visitor) -> None:
    line = visitor.page.locator("#answer-a p", has_text="LICENSE")
    assert line.inner_text() == "See LICENSE and ![build](https://ci.example/b.svg) here."
    assert [link.get_attribute("href") for link in line.locator("a").all()] == ["https://ci.example/b.svg"]
    assert visitor.hosts == {visitor.url.removeprefix("http://")}


def test_cells_do_not_break_and_the_table_scrolls(visitor: Visitor) -> None:
    table = visitor.page.locator("#answer-a table")
    assert table.evaluate("t => t.scrollWidth > t.clientWidth")
    for word in ("1,000", "2,000,000", "internationalisation"):
        assert table.locator("td", has_text=word).evaluate(LINES, word) == 1, word
    assert not visitor.scrolls_sideways


def test_every_language_has_coloured_code(visitor: Visitor) -> None:
    blocks = visitor.page.locator("#answer-a pre")
    assert blocks.count() == 2
    for block in blocks.all():
        keyword = block.locator(".token.keyword").first
        assert keyword.evaluate(STYLE, "color") != block.evaluate(STYLE, "color")


def test_code_of_every_language_is_drawn(browser: Browser, stub: StubPage) -> None:
    """Draw the languages in an order in which none finds another loaded: one that fails would take the answer along."""
    names = sorted(set(LANGUAGES.values()), reverse=True)
    with visiting(browser, stub.url) as visitor:
        visitor.open().compare("say:" + "\n".join(f"```{name}\nx = 'y'\n```" for name in names)).reaches("open")
        expect(visitor.page.locator("#answer-a pre")).to_have_count(len(names))


def test_arabic_runs_from_right_to_left(browser: Browser, stub: StubPage) -> None:
    with visiting(browser, stub.url) as visitor:
        visitor.open().compare(f"say:{ARABIC}").reaches("open")
        answer = visitor.page.locator("#answer-a")
        expect(answer.locator("ol")).to_have_attribute("dir", "auto")
        for block, direction in {"p >> nth=0": "rtl", "ol": "rtl", "p >> nth=1": "ltr", "pre": "ltr"}.items():
            assert answer.locator(block).evaluate(STYLE, "direction") == direction, block
        list_right = answer.locator("ol").evaluate(RIGHT)
        item_right = answer.locator("li").first.evaluate(RIGHT)
        assert list_right - item_right > 10, "the number stands on the right"
        visitor.column("a").get_by_role("button", name="Show answer A as plain text").click()
        assert visitor.page.locator("#raw-a textarea").evaluate(STYLE, "direction") == "rtl"
        field = visitor.unfold().page.locator("#instruction textarea")
        field.fill("ما هي الألبكة؟")
        assert field.evaluate(STYLE, "direction") == "rtl"
        field.fill("What is an alpaca?")
        assert field.evaluate(STYLE, "direction") == "ltr"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_has_the_whole_answer_and_no_bars(browser: Browser, stub: StubPage, scheme: str) -> None:
    with visiting(browser, stub.url, color_scheme=scheme) as visitor:
        visitor.open().compare("say:" + "A long line of an answer.\n\n" * 60).reaches("open")
        visitor.page.emulate_media(media="print")
        answer = visitor.page.locator("#answer-a")
        assert answer.evaluate("e => e.scrollHeight <= e.clientHeight + 1")
        assert answer.evaluate("e => e.clientHeight") > 1500
        for hidden in ("#votebar", "#top", "#legend", "#foot", "#compare", "#controls", ".side .tools"):
            assert visitor.page.locator(f"{hidden}:visible").count() == 0, hidden
        assert answer.locator("p").first.evaluate(STYLE, "color") == "rgb(0, 0, 0)"
        expect(visitor.page.locator("#instruction textarea")).to_be_visible()
        expect(visitor.page.locator("#folded")).to_be_hidden()
