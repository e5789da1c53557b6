"""Validation refuses input that a model, the database or the page cannot take, and leaves clean input unchanged."""

from __future__ import annotations

import math
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidInstruction, InvalidValue, PlaygroundError, Refused, Unknown
from playground.raters import rater_id
from playground.records import Instruction
from playground.settings import Settings
from playground.validation import (
    COMMENT_CHARS,
    OVERRIDE_KEYS,
    Remarks,
    clean_battle_id,
    clean_comment,
    clean_instruction,
    clean_model_id,
    clean_models,
    clean_overrides,
    clean_params,
    clean_rater,
    clean_seed,
)

ANY_TEXT = st.text(st.characters(), max_size=60)  # surrogates included
ROUGH = st.text(st.sampled_from("a \n\t\r\0\x1b\x85\ud83e\udd99\ufffe\ufdd0\U0010ffff\u2028🦙é"), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=10,
)


def deep_list(depth: int = 5000) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


# Instructions


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


# Battle ids


def test_a_battle_id_is_32_hexadecimal_digits() -> None:
    assert clean_battle_id("0123456789abcdef" * 2) == "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "battle_id", ["", "x", "0" * 31, "0" * 33, "A" * 32, "0" * 32 + "\n", "٣" * 32, "0" * 1_000_000]
)
def test_text_of_another_form_is_an_unknown_battle(battle_id: str) -> None:
    with pytest.raises(Refused, match=r"There is no battle .*; an id is 32 hexadecimal digits") as caught:
        clean_battle_id(battle_id)
    assert caught.value.reason == "unknown"
    assert len(str(caught.value)) < 400


@pytest.mark.proves("a battle id that is a list, or 1 MB long")
@pytest.mark.parametrize("battle_id", [None, 3, ["0" * 32], {}, deep_list()])
def test_a_battle_id_is_text(battle_id: object) -> None:
    with pytest.raises(InvalidValue, match=r"battle_id is .*; it has to be text, 32 hexadecimal digits"):
        clean_battle_id(battle_id)


# Sampling


def test_overrides_get_the_types_of_their_parameters() -> None:
    clean = clean_overrides({"temperature": 1, "top_k": 40.0, "min_p": 0, "max_new_tokens": 8, "seed": 7.0})
    assert clean == {"temperature": 1.0, "top_k": 40, "min_p": 0.0, "max_new_tokens": 8, "seed": 7}
    assert [type(clean[name]) for name in ("temperature", "top_k", "min_p", "seed")] == [float, int, float, int]
    assert clean_overrides(clean) == clean
    assert clean_overrides({}) == {}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"temprature": 1}, f"unknown parameter 'temprature'; valid: {', '.join(OVERRIDE_KEYS)}"),
        ({"renormalize_logits": True}, "unknown parameter 'renormalize_logits'; valid: max_new_tokens, "),
        ({3: 1}, "unknown parameter 3; valid: "),
        ({"temperature": math.nan}, "'temperature' is nan; valid: 0.01 to 5"),
        ({"temperature": math.inf}, "'temperature' is inf; valid: 0.01 to 5"),
        ({"temperature": 0}, "'temperature' is 0.0; valid: 0.01 to 5"),
        ({"temperature": "0.7"}, "'temperature' is of type str; it has to be a number"),
        ({"temperature": True}, "'temperature' is True; it has to be a number"),
        ({"temperature": None}, "'temperature' is nothing; it has to be a number"),
        ({"top_p": 0}, "'top_p' is 0.0; valid: above 0, to 1"),
        ({"min_p": 1.5}, "'min_p' is 1.5; valid: 0 (off) to 1"),
        ({"top_p": 10**400}, "'top_p' is a number; no parameter is that large"),
        ({"top_k": 1.5}, "'top_k' is 1.5; it has to be a whole number"),
        ({"top_k": math.nan}, "'top_k' is nan; it has to be a whole number"),
        ({"top_k": math.inf}, "'top_k' is inf; it has to be a whole number"),
        ({"max_new_tokens": 0}, "'max_new_tokens' is 0; valid: 1 to 32768"),
        ({"max_new_tokens": 5, "min_new_tokens": 6}, "'min_new_tokens' is 6; valid: 0 to max_new_tokens"),
        ({"do_sample": 1}, "'do_sample' is 1; it has to be true or false"),
        ({"do_sample": deep_list()}, "'do_sample' is a list; it has to be a number (do_sample: true or false)"),
        ({"seed": -1}, "seed is -1; valid: a whole number, 0 to 4,294,967,295"),
        ({"seed": 2**32}, "seed is 4294967296; valid: a whole number, 0 to 4,294,967,295"),
        ({"seed": math.nan}, "seed is nan; valid: a whole number"),
        ({"seed": True}, "seed is True; valid: a whole number"),
    ],
)
def test_wrong_overrides_are_named(params: dict[object, object], words: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        clean_overrides(params)
    assert words in str(caught.value)


def test_overrides_are_those_of_all_sides_or_by_side() -> None:
    assert clean_params({"max_new_tokens": 301}) == {"max_new_tokens": 301}
    assert clean_params([{"max_new_tokens": 300}, {}]) == {"a": {"max_new_tokens": 300}, "b": {}}


@pytest.mark.parametrize("params", [None, [], "temperature", 3, deep_list()])
def test_overrides_are_a_table(params: object) -> None:
    with pytest.raises(InvalidValue, match=r"params is .*; it has to be a table such as \{'temperature': 0.7\}"):
        clean_overrides(params)


@given(st.dictionaries(st.sampled_from([*OVERRIDE_KEYS, "x"]), JSON, max_size=3) | JSON)
def test_any_json_is_either_valid_or_refused(params: object) -> None:
    try:
        clean = clean_overrides(params)
    except InvalidValue as error:
        assert len(str(error)) < 300  # noqa: PT017
    else:
        assert clean_overrides(clean) == clean


def test_seeds_are_32_bits() -> None:
    assert [clean_seed(seed) for seed in (0, 2**32 - 1)] == [0, 2**32 - 1]
    with pytest.raises(InvalidValue, match="seed is '1'; valid: a whole number, 0 to 4,294,967,295"):
        clean_seed("1")


# Models, remarks, raters


def test_two_to_six_models_or_none_are_valid() -> None:
    assert clean_models([]) == ()
    assert clean_models(["a", "a"]) == ("a", "a")
    assert clean_models(clean_models(["pocket-galpaca", "org/name"])) == ("pocket-galpaca", "org/name")


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (None, "models is nothing; it has to be a list of model ids"),
        ("pocket-galpaca", "models is of type str; it has to be a list of model ids"),
        (["a"], "models names 1; choose 2 to 6, or none for two of our choice"),
        (["a"] * 7, "models names 7; choose 2 to 6"),
        (["a"] * 1_000_000, "models names 1,000,000; choose 2 to 6"),
        (["a", None], "a model id is nothing; it has to be text"),
        (["a", ""], "a model id is ''; it has to be 1 to 200 printable characters"),
        (["a", "x" * 1_000_000], "(1,000,000 characters); it has to be 1 to 200 printable characters"),
        (["a", "\ud800"], "a model id is '\\ud800'; it has to be"),
    ],
)
def test_invalid_models_are_refused(models: object, words: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        clean_models(models)
    assert words in str(caught.value)
    str(caught.value).encode()


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


@pytest.mark.parametrize("model", [None, 3, ["a"], {"a": 1}, "", "x" * 100_000, "a\x00"])
def test_an_impossible_model_id_is_unknown_with_a_short_message(model: object) -> None:
    with pytest.raises(Unknown, match=r"^unknown model .*; the valid ids are those that /models lists") as caught:
        clean_model_id(model)
    assert len(str(caught.value)) < 200


def test_a_possible_model_id_is_unchanged() -> None:
    for model in ("pocket-galpaca", "org/name@main", "nobody"):
        assert clean_model_id(model) == model


def test_raters_are_short_names() -> None:
    for rater in ("api", "alice@example.org", "rater-1", "Zoë"):
        assert clean_rater(clean_rater(rater)) == rater
    for rater in ("", " ", "a b", "a\n", "x" * 65, None, 3, "<script>"):
        with pytest.raises(InvalidValue, match=r"rater is .*; valid: 1 to 64 letters, digits and"):
            clean_rater(rater)


@pytest.mark.parametrize("rater", [rater_id("ab" * 16), rater_id("ab" * 16).upper()])
def test_a_program_cannot_use_the_id_of_a_rater_of_the_page(rater: str) -> None:
    with pytest.raises(InvalidValue, match="which has the form of a rater of the page; choose another name"):
        clean_rater(rater)


@given(value=JSON)
def test_every_function_returns_a_value_or_raises_our_error(value: object) -> None:
    functions = [
        clean_instruction,
        clean_battle_id,
        clean_model_id,
        clean_overrides,
        clean_seed,
        clean_models,
        clean_comment,
        lambda v: clean_comment([], v),
        clean_rater,
    ]
    for clean in functions:
        try:
            clean(value)
        except PlaygroundError as error:
            str(error).encode()
