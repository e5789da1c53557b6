"""Counts of an answer's marks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.ratings.answer_style import AnswerStyle, style_of

PLAIN = "An alpaca is a small animal."
MARKED = """# Alpacas

They are **small** and __soft__:

- wool
* meat
1. and `noise`
   2) more

```python
# no header
- no item **not bold**
```
~~~
x
~~~
## End
"""


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("", (0, 0, 0, 0)),
        (PLAIN, (0, 0, 0, 0)),
        (MARKED, (2, 4, 2, 2)),
        ("#hashtag\n-5 degrees\n2.5 m\na * b * c ** d", (0, 0, 0, 0)),
        ("```\nnever closed\n# no header", (0, 0, 0, 1)),
        ("# \n####### seven\n    # indented", (0, 0, 0, 0)),
    ],
)
def test_marks_are_counted_outside_code(text: str, marks: tuple[int, ...]) -> None:
    assert style_of(text) == AnswerStyle(len(text), *marks)


@settings(max_examples=15)
@given(st.text(alphabet="#-*_`~1. \nab", max_size=200))
def test_any_text_is_counted(text: str) -> None:
    assert min(style_of(text)) >= 0


def test_a_second_answer_adds_its_marks() -> None:
    both = style_of(f"{MARKED}\n{MARKED}")
    assert both[1:] == tuple(2 * count for count in style_of(MARKED)[1:])


@pytest.mark.parametrize("text", ["*" * 100_000, "**a" * 30_000, "```\n" * 30_000, "- " * 50_000, "_" * 100_000])
def test_a_hostile_answer_takes_no_time(text: str) -> None:
    style_of(text)
