"""Instructions and comments that a model or the page cannot take are refused; clean ones are unchanged."""

from __future__ import annotations

import math
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidInstruction, InvalidValue
from playground.records import Instruction
from playground.settings import Settings
from playground.validation.texts import COMMENT_CHARS, Remarks, clean_comment, clean_instruction
from tests.validation.values import deep_list

ANY_TEXT = st.text(st.characters(), max_size=60)  # surrogates included
ROUGH = st.text(st.sampled_from("a \n\t\r\0\x1b\x85\ud83e\udd99\ufffe\ufdd0\U0010ffff\u2028🦙é"), max_size=40)


@pytest.mark.proves("bidirectional overrides, stacked marks, emoji families, NFC beside NFD")
def test_plain_text_is_unchanged() -> None:
    text = "  What is an alpaca?\n\n\t羊驼 🦙 e\u0301 é \u202e \u2028 "
    assert clean_instruction(text, " x ", "s") == (Instruction(text, " x ", "s"), ())


@pytest.mark.proves("CRLF and U+2028")
def test_line_ends_become_line_feeds() -> None:
    assert clean_instruction("a\r\nb\rc\n\rd")[0].instruction == "a\nb\nc\n\nd"


@pytest.mark.proves("NUL and control characters", "lone surrogates, noncharacters")
@pytest.mark.parametrize(
    ("text", "clean", "note"),
    [
        ("a\0b", "ab", "1 control character removed from the instruction: not readable by models"),
        ("a\x1b[31m\x07b", "a[31mb", "2 control characters removed from the instruction: not readable by models"),
        ("a\ud800b", "ab", "1 lone surrogate removed from the instruction: not readable by models"),
        ("a\ufffeb\U0001ffff", "ab", "2 noncharacters removed from the instruction: not readable by models"),
        ("a\ufdd0b", "ab", "1 noncharacter removed from the instruction: not readable by models"),
    ],
)
def test_unreadable_characters_are_removed_with_a_note(text: str, clean: str, note: str) -> None:
    assert clean_instruction(text) == (Instruction(clean), (note,))


def test_notes_name_the_field() -> None:
    notes = clean_instruction("a", "b\0", "c\ud800")[1]
    assert [re.search(r"from the (\w+)", note)[1] for note in notes] == ["input", "system"]  # type: ignore[index]


@pytest.mark.proves("none, a number, a list")
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "instruction is nothing; it has to be text"),
        (3, "instruction is a number; it has to be text"),
        (math.nan, "instruction is a number; it has to be text"),
        (True, "instruction is true or false; it has to be text"),
        (["a"], "instruction is a list; it has to be text"),
        ({"a": 1}, "instruction is of type dict; it has to be text"),
        (b"a", "instruction is of type bytes; it has to be text"),
        (deep_list(), "instruction is a list; it has to be text"),
    ],
)
def test_other_types_than_text_are_refused(value: object, words: str) -> None:
    with pytest.raises(InvalidInstruction) as caught:
        clean_instruction(value)
    assert str(caught.value) == words
    for field in ("input", "system"):
        with pytest.raises(InvalidInstruction, match=f"{field} is "):
            clean_instruction("a", **{field: value})


@pytest.mark.proves("empty, only spaces")
@pytest.mark.parametrize("text", ["", " ", "\n\t \r\n", "\0", "\u200b\ufeff", "\u3000\u2028", "\ud800"])
def test_blank_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInstruction, match="the instruction is empty; write what the models should do"):
        clean_instruction(text)


def test_limits_count_characters_of_the_clean_text() -> None:
    assert len(clean_instruction("x" * 4000, "x" * 4000, "x" * 2000)[0].system) == 2000
    assert clean_instruction("\r\n" * 3999 + "x")[0].instruction == "\n" * 3999 + "x"
    with pytest.raises(InvalidInstruction) as caught:
        clean_instruction("x" * 4001)
    assert str(caught.value) == "instruction is 4,001 characters long; at most 4,000. Shorten it."
    with pytest.raises(InvalidInstruction, match=r"input is 4,001 characters long; at most 4,000"):
        clean_instruction("x", "x" * 4001)
    with pytest.raises(InvalidInstruction, match=r"system is 2,001 characters long; at most 2,000"):
        clean_instruction("x", "", "x" * 2001)


def test_limits_are_settings() -> None:
    limits = Settings(instruction_chars=3, system_chars=1)
    assert clean_instruction("abc", "abc", "a", limits)[0].input == "abc"
    with pytest.raises(InvalidInstruction, match="at most 3"):
        clean_instruction("abcd", "", "", limits)


@pytest.mark.proves("4,001 characters, 1 MB, 100 MB")
@pytest.mark.parametrize("text", ["x" * 100_000_000, "\n" * 1_000_000, "\0" * 1_000_000, "\r\n" * 500_000])
def test_huge_text_is_refused_by_its_length_first(text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInstruction, match="characters long; at most 4,000"):
            clean_instruction(text)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@given(text=ANY_TEXT | ROUGH, input=ANY_TEXT | ROUGH, system=ROUGH)
def test_cleaning_an_instruction_twice_changes_nothing(text: str, input: str, system: str) -> None:
    try:
        clean, notes = clean_instruction(text, input, system)
    except InvalidInstruction:
        return
    assert clean_instruction(clean.instruction, clean.input, clean.system) == (clean, ())
    for before, after in ((text, clean.instruction), (input, clean.input), (system, clean.system)):
        assert after.encode("utf-8").decode("utf-8") == after
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", after)
        assert notes or after == before.replace("\r\n", "\n").replace("\r", "\n")


def test_comments_are_normalised_like_instructions() -> None:
    remarks = clean_comment(["clear", "clear", "short"], "a\r\nb\0")
    assert remarks == Remarks(("clear", "short"), "a\nb")
    assert clean_comment(remarks.reasons, remarks.comment) == remarks
    assert clean_comment() == clean_comment([], "") == Remarks()


@pytest.mark.parametrize(
    ("reasons", "comment", "words"),
    [
        (None, "", "reasons is nothing; it has to be a list of texts"),
        ("clear", "", "reasons is of type str; it has to be a list of texts"),
        (["x"] * 21, "", "there are 21 reasons; at most 20"),
        ([3], "", "a reason is a number; it has to be text"),
        ([], None, "comment is nothing; it has to be text"),
        ([], "x" * 2001, f"comment is 2,001 characters long; at most {COMMENT_CHARS:,}"),
    ],
)
def test_invalid_comments_are_refused(reasons: object, comment: object, words: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        clean_comment(reasons, comment)
    assert words in str(caught.value)
