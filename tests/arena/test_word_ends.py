"""Words end where Unicode says, whatever the pieces in which a text arrives."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.arena.word_ends import LONGEST, WordEnds

SCRIPTS = [
    "An alpaca is a small relative of the llama; it can't spit 3.14 m, e.g. at you.",
    "羊驼是一种动物。它很小,GPT 也知道!",
    "アルパカはカメラに似た動物です。ひらがな、カタカナ。",
    "สวัสดีครับ อัลปากาเป็นสัตว์",
    "الألباكا حيوان صغير، أليس كذلك؟",
    "👨‍👩‍👧‍👦👍🏽🇫🇷🇩🇪 ok 🏳️‍🌈!",
    "def f(x):\n    return x + 1  # twice\n\nprint(f(2))\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "e\u0301\u0301 a'\u0301b c'\u00ad\u00add שלום\"ב",
    "w" * 10_000,
    "  \n\n ",
    "",
]
EVERYTHING = st.one_of(
    st.text(st.sampled_from("ab '.,:\n1_\"\u0301\u00ad\u200d👩🇫ก้你カひ한א"), max_size=60), st.text(max_size=60)
)


def words(text: str, pieces: list[str] | None = None) -> list[str]:
    found = WordEnds()
    for piece in [text] if pieces is None else pieces:
        found.feed(piece)
    found.finish()
    return [text[begin:end] for begin, end in zip([0, *found.ends], found.ends, strict=False)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I can't, e.g. 3.14!", ["I", " can't,", " e.g.", " 3.14!"]),
        ("f(x) + y", ["f(", "x)", " +", " y"]),
        ("你好,世界", ["你", "好,", "世", "界"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("👨‍👩‍👧👍🏽 ok", ["👨‍👩‍👧", "👍🏽", " ok"]),
        ("a\n\nb ", ["a", "\n\nb "]),
    ],
)
def test_words_are_those_of_unicode_with_the_signs_after_them(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize("text", SCRIPTS)
@pytest.mark.parametrize("size", [1, 2, 7])
def test_pieces_do_not_change_the_words_of_any_script(text: str, size: int) -> None:
    assert words(text, [text[at : at + size] for at in range(0, len(text), size)]) == words(text)
    assert "".join(words(text)) == text


@pytest.mark.slow
@given(text=EVERYTHING, cuts=st.lists(st.integers(0, 60)))
def test_pieces_do_not_change_the_words(text: str, cuts: list[int]) -> None:
    at = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert words(text, [text[a:b] for a, b in itertools.pairwise(at)]) == words(text)


@given(text=EVERYTHING)
def test_a_complete_word_is_never_taken_back(text: str) -> None:
    found, before = WordEnds(), []
    for character in text:
        found.feed(character)
        assert list(found.ends[: len(before)]) == before
        before = list(found.ends)
        assert not before or before[-1] < found.num_chars, "the next word has begun"


def test_a_word_without_end_is_taken_in_parts() -> None:
    assert {len(word) for word in words("w" * 10_000)} == {LONGEST}


def test_a_long_text_is_not_scanned_again_with_each_piece() -> None:
    def seconds(text: str) -> float:
        found, began = WordEnds(), time.process_time()
        for character in text:
            found.feed(character)
        return time.process_time() - began

    assert seconds("word, " * 8_000) < 20 * seconds("word, " * 1_000)
