"""The reasoning before an answer is told from the answer, however the text arrives."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.prompting.reasoning import MARKS, ReasoningSplitter, opens_reasoning

ANSWERS = {
    "<think>\nTwo and two.\n</think>\n\nFour.": ("Two and two.", "Four."),
    "\n<think>\n\n</think>\n\nFour.": ("", "Four."),
    "Four.": ("", "Four."),
    " Four, and <think>this</think> is text.": ("", " Four, and <think>this</think> is text."),
    "<think>a < b, so </thin is no end</think>Yes": ("a < b, so </thin is no end", "Yes"),
    "<think>no end": ("no end", ""),
    "<think>no end</thi": ("no end</thi", ""),
    "<thi": ("", "<thi"),
    "  \n": ("", "  \n"),
    "": ("", ""),
    "<|channel|>analysis<|message|>Two and two.<|end|><|start|>assistant<|channel|>final<|message|>Four.": (
        "Two and two.",
        "Four.",
    ),
    "<|channel|>final<|message|>Four.": ("", "Four."),
    "<|channel|>analysis<|message|>One.<|end|><|start|>assistant<|channel|>commentary<|message|>Two.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>Four.": ("One.Two.", "Four."),
    "<|chan": ("", "<|chan"),
    "a </think> b": ("", "a </think> b"),
}


def split(pieces: Iterable[str], *, opened: bool = False) -> tuple[str, str]:
    splitter = ReasoningSplitter(opened=opened)
    answer = "".join(splitter.feed(piece) for piece in pieces) + splitter.finish()
    return splitter.reasoning, answer


@pytest.mark.parametrize(("text", "expected"), ANSWERS.items())
def test_reasoning_and_answer_are_told_apart(text: str, expected: tuple[str, str]) -> None:
    assert split([text]) == expected
    assert split(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two and two.\n</think>\n\nFour.", ("Two and two.", "Four.")),
        ("\n</think>\n\nFour.", ("", "Four.")),
        ("no end", ("no end", "")),
        ("<think>twice</think>Four.", ("twice", "Four.")),
    ],
)
def test_prompt_that_opens_the_reasoning_leaves_its_end_to_the_model(text: str, expected: tuple[str, str]) -> None:
    assert split([text], opened=True) == expected
    assert split(text, opened=True) == expected


@pytest.mark.parametrize(
    ("prompt", "opens"),
    [("User: hi\nAssistant: <think>\n", True), ("Assistant: <think>\n\n</think>\n\n", False), ("Assistant:", False)],
)
def test_prompt_opens_reasoning_with_its_last_mark(prompt: str, opens: bool) -> None:
    assert opens_reasoning(prompt) is opens


PIECES = st.lists(
    st.sampled_from([*MARKS, "final", "analysis", "assistant", "a", "<", "</", " ", "\n", "think>"]), max_size=9
)


@given(pieces=PIECES, opened=st.booleans())
def test_result_does_not_depend_on_how_the_text_is_divided(pieces: list[str], opened: bool) -> None:
    text = "".join(pieces)
    assert split(pieces, opened=opened) == split([text], opened=opened) == split(text, opened=opened)


@given(text=st.text(st.sampled_from("ab <>/|\n"), max_size=20))
def test_text_without_marks_is_unchanged(text: str) -> None:
    assert split(text) == ("", text)
