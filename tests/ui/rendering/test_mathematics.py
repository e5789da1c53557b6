"""Mathematics is marked for KaTeX where the rules say, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ui.rendering import LATEX_DELIMITERS, answer_markdown


def readable(text: str) -> str:
    """Return the drawn text with ``{…}`` for a formula in the line and ``{{…}}`` for one of its own."""
    for delimiters, signs in zip(LATEX_DELIMITERS, (("{", "}"), ("{{", "}}")), strict=True):
        text = text.replace(str(delimiters["left"]), signs[0]).replace(str(delimiters["right"]), signs[1])
    return text


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        (r"The points \( c, d \in [a, b] \) satisfy \(x^2\).", r"The points { c, d \in [a, b] } satisfy {x^2}."),
        (r"triangle \(ABC\), side \(5\)", "triangle {ABC}, side {5}"),
        (r"\[ x = 1 \]", "{{ x = 1 }}"),
        (r"so \[\frac{1}{2}\] holds", r"so {{\frac{1}{2}}} holds"),
        ("Thus\n\\[\nx\n+ y\n= 1\n\\]\nholds", "Thus\n{{\nx\n+ y\n= 1\n}}\nholds"),
        (r"\[ a \\[2pt] = b \]", r"{{ a \\[2pt] = b }}"),
        (r"$\int_0^1 x^2 dx$", r"{\int_0^1 x^2 dx}"),
        ("let $x$ be", "let {x} be"),
        ("$n+1$, ($a<b$), $α ≤ β$", "{n+1}, ({a&lt;b}), {α ≤ β}"),
        ("$a\n+ b$", "$a\n+ b$"),  # a list begins there
        ("costs $5, and $x^2$ is $y$", "costs $5, and {x^2} is {y}"),
        ("$$x^2$$ and $$5$$", "{{x^2}} and {{5}}"),
        ("$$\nx\n- y\n= 1\n$$", "{{\nx\n- y\n= 1\n}}"),
        ("$$ x $$", "{{ x }}"),
        ("1. so\n   $$ x $$\n2. and", "1. so\n   {{ x }}\n2. and"),
        ("$$\nx\n\n= 1\n$$", "{{\nx\n\n= 1\n}}"),
        ("| $x_1$ | $5 |\n|---|---|\n| \\(y\\) | $10 |", "| {x_1} | $5 |\n|---|---|\n| {y} | $10 |"),
        ("**$x$** and _$y_1$_", "**{x}** and _{y_1}_"),
        ("x $a$, $b$ y", "x {a}, {b} y"),
        (r"$\$5 = x$", r"{\$5 = x}"),
    ],
)
def test_mathematics_is_set(text: str, drawn: str) -> None:
    assert readable(answer_markdown(text)) == drawn


@pytest.mark.parametrize(
    "text",
    [
        r"see \[1\] and \[note\]",
        "Use `$$` for it, or echo $$ and then kill $$ again.",
        "$5 and $10",
        "US$20 for $30",
        "$5-$10",
        "echo $A$B",
        "$HOME",
        "$HOME/bin:$PATH",
        'echo "$FOO_BAR/$BAZ"',
        "from $5-6 to $7-8",
        "a $word$ and $two words$ and $5$",
        "$ x^2 $",
        "a$x$ $x$b 1$x$ $x$1",
        r"\$x^2\$",
        "text $$ x $$ text",
        "`$x$`, ``\\(x\\)`` and `\\[x=1\\]`",
        "$x `a` $",
        "costs $x=5 `a$`",
        "```latex\n$$\nx = 1\n$$\n\\[ y \\]\n```",
        "    $x$ \\(y\\)",
        r"\( \) \[ \] $$$$ $$ $$",
        "$$\nx",
        r"\[ x = 1",
        "> $$\n> x\n",
        "[web](https://example.org/$x$)",
    ],
)
def test_text_is_not_mathematics(text: str) -> None:
    assert readable(answer_markdown(text)) == text


def test_text_brings_no_marks_of_its_own() -> None:
    marks = "".join(str(delimiters[side]) for delimiters in LATEX_DELIMITERS for side in ("left", "right"))
    for text in (marks, f"`{marks}`", f"```\n{marks}\n```"):
        assert answer_markdown(text) == text.translate(dict.fromkeys(map(ord, marks), "\ufffd"))


@given(st.lists(st.sampled_from(["$", "$$", "\\(", "\\)", "\\[", "\\]", "x", "=", " ", "\n", "`", "5"])).map("".join))
def test_marks_stand_in_pairs(text: str) -> None:
    drawn = answer_markdown(text)
    for delimiters in LATEX_DELIMITERS:
        left, right = str(delimiters["left"]), str(delimiters["right"])
        assert all(right in piece for piece in drawn.split(left)[1:])
        assert drawn.count(left) == drawn.count(right)
