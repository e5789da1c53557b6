"""The text of an answer does not depend on how its ids arrive, and ends where the card's own code ends it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.prompting.answer_text import AnswerReader, StopScanner
from playground.prompting.templates import load_templates
from playground.prompting.tokenization import NoTokenizer, SentencePieceTokenizer
from playground.records import PromptTemplate, Segment
from tests.support.paths import ROOT

TEMPLATES = load_templates([ROOT / "prompts" / "templates"])
LLAMA = SentencePieceTokenizer(ROOT / "tests" / "fixtures" / "openllama-tokenizers" / "v1id.model")
FORMS = {(form.stop_ids, form.stop_strings, form.drop_ids, form.strip): form for form in TEMPLATES.values()}
"""One template for each way to read an answer."""
STOP = 0


class Pieces:
    """A tokenizer whose id n, from 1, is the n-th piece of text."""

    vocab_size = 1000

    def __init__(self, pieces: Iterable[str]) -> None:
        self.pieces = ["", *pieces]

    @property
    def ids(self) -> list[int]:
        return list(range(1, len(self.pieces)))

    def encode(self, text: str) -> tuple[int, ...]:
        raise NotImplementedError

    def decode(self, ids: Iterable[int], drop: Collection[int] = ()) -> str:
        return "".join(self.pieces[token_id] for token_id in ids if token_id not in drop)

    def token(self, token_id: int) -> str:
        return self.pieces[token_id]

    def stream(self) -> Pieces:
        return self

    def feed(self, token_id: int) -> str:
        return self.pieces[token_id]

    def finish(self) -> str:
        return ""


def template(strip: str = "none", stop_strings: tuple[str, ...] = (), drop_ids: tuple[int, ...] = ()) -> PromptTemplate:
    form = (Segment(text="{instruction}"),)
    return PromptTemplate("t", "", form, form, "", (STOP,), stop_strings, drop_ids, strip)


def read(form: PromptTemplate, pieces: Iterable[str], *, stop: bool = False) -> AnswerReader:
    tokenizer = Pieces(pieces)
    reader = AnswerReader(form, tokenizer)
    reader.feed([*tokenizer.ids, *([STOP] if stop else [])])
    reader.finish()
    return reader


def cut(text: str, stops: Iterable[str]) -> str:
    """Find the first complete stop string by adding one character at a time."""
    for end in range(len(text) + 1):
        starts = [text[:end].find(stop) for stop in stops if stop in text[:end]]
        if starts:
            return text[: min(starts)]
    return text


# Stops


@pytest.mark.parametrize(
    ("pieces", "text", "used"),
    [
        (["Hello USER:", " next"], "Hello ", 1),
        (["Hello US", "ER", ": more"], "Hello ", 3),
        (["Hello ", "U", "S", "E", "R", ":", "x"], "Hello ", 6),
        (["Hello U", "SA, USE", "R"], "Hello USA, USER", 3),
        (["UUSER:"], "U", 1),
        (["US", "USER:"], "US", 2),
        (["USER:"], "", 1),
        (["a", "b"], "ab", 2),
    ],
)
def test_stop_string_is_cut_wherever_tokens_split_it(pieces: list[str], text: str, used: int) -> None:
    reader = read(template(stop_strings=("USER:",)), pieces)
    assert (reader.text, reader.num_used, reader.stopped) == (text, used, "USER:" in "".join(pieces))


def test_possible_stop_string_is_held_back() -> None:
    tokenizer = Pieces(["Hi US", "E", "FUL", " USER"])
    reader = AnswerReader(template(stop_strings=("USER:",)), tokenizer)
    grown = [reader.feed([token_id]) for token_id in tokenizer.ids]
    assert grown == ["Hi ", "", "USEFUL", " "]
    assert not reader.stopped
    assert (reader.finish(), reader.text) == ("USER", "Hi USEFUL USER")


def test_first_complete_stop_string_ends_the_answer() -> None:
    for pieces in (["xabcd"], ["xa", "bcd"], ["x", "a", "b", "c", "d"]):
        assert read(template(stop_strings=("abcd", "bc")), pieces).text == "xa"


def test_stop_id_ends_the_answer_and_counts_as_used() -> None:
    reader = AnswerReader(template(), Pieces(["a", "b"]))
    assert reader.feed([1, STOP, 2]) == "a"
    assert (reader.text, reader.num_used, reader.stopped, reader.finished) == ("a", 2, True, True)
    assert (reader.feed([2]), reader.finish(), reader.text, reader.num_used) == ("", "", "a", 2)


def test_text_held_back_before_a_stop_id_is_kept() -> None:
    assert read(template(stop_strings=("USER:",)), ["a US"], stop=True).text == "a US"


def test_answer_that_ends_by_length_is_not_stopped() -> None:
    reader = read(template(), ["a", "b"])
    assert (reader.stopped, reader.finished, reader.num_used) == (False, True, 2)


LETTERS = st.lists(st.text(st.sampled_from("ab \n"), max_size=4), max_size=12)
STOPS = st.lists(st.text(st.sampled_from("ab \n"), min_size=1, max_size=4), max_size=3).map(tuple)


@given(pieces=LETTERS, stops=STOPS, strip=st.sampled_from(["none", "both", "one_leading_space"]))
def test_text_equals_that_of_a_simple_implementation(pieces: list[str], stops: tuple[str, ...], strip: str) -> None:
    whole = cut("".join(pieces), stops)
    expected = {"none": whole, "both": whole.strip(), "one_leading_space": whole.removeprefix(" ")}[strip]
    assert read(template(strip, stops), pieces).text == expected
    assert read(template(strip, stops), "".join(pieces)).text == expected
    assert read(template(strip, stops), ["".join(pieces)]).text == expected


@given(pieces=LETTERS, stops=STOPS, strip=st.sampled_from(["none", "both", "one_leading_space"]))
def test_text_grows_by_what_is_returned(pieces: list[str], stops: tuple[str, ...], strip: str) -> None:
    tokenizer = Pieces(pieces)
    reader = AnswerReader(template(strip, stops), tokenizer)
    text = ""
    for token_id in tokenizer.ids:
        text += reader.feed([token_id])
        assert reader.text == text
    assert text + reader.finish() == reader.text


@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=60), data=st.data())
def test_text_does_not_depend_on_how_ids_are_divided(text: str, data: st.DataObject) -> None:
    ids = list(LLAMA.encode(text))
    for form in FORMS.values():
        whole = AnswerReader(form, LLAMA)
        whole.feed(ids)
        whole.finish()
        portioned, rest = AnswerReader(form, LLAMA), ids
        while rest:
            size = data.draw(st.integers(1, len(rest)))
            portioned.feed(rest[:size])
            rest = rest[size:]
        portioned.finish()
        assert (portioned.text, portioned.num_used, portioned.stopped) == (whole.text, whole.num_used, whole.stopped)


# The cards' own rules


def test_openalpaca_drops_its_first_id_and_strips_both_ends() -> None:
    reader = AnswerReader(TEMPLATES["openalpaca"], LLAMA)
    reader.feed([1, *LLAMA.encode("An alpaca"), *LLAMA.encode("is\n"), 1, 13, 2, 351])
    assert reader.text == "An alpaca is"
    assert reader.stopped


def test_minotaur_strips_one_space_and_stops_at_the_next_turn() -> None:
    form = TEMPLATES["minotaur"]
    reader = AnswerReader(form, Pieces(["  two", " spaces\nUS", "ER: hi"]))
    reader.feed([1, 2, 3])
    assert (reader.text, reader.stopped) == (" two spaces\n", True)


def test_mamba_gpt_stops_at_its_own_markers() -> None:
    ids = LLAMA.encode("Yes.<|prompt|>More?")
    reader = AnswerReader(TEMPLATES["mamba-gpt"], LLAMA)
    reader.feed(ids)
    assert (reader.text, reader.stopped) == ("Yes.", True)
    assert reader.num_used < len(ids)
    assert "<|prompt|>" in LLAMA.decode(ids[: reader.num_used])


def test_galpaca_drops_only_its_three_ids() -> None:
    form = TEMPLATES["galpaca"]
    tokenizer = Pieces(["<pad>", "</s>", "a", "[START_REF]"])
    reader = AnswerReader(form, tokenizer)
    reader.feed([0, 1, 3, 4])
    reader.finish()
    assert reader.text == "a[START_REF]"


# Cost


def test_reading_takes_linear_time() -> None:
    began = time.thread_time()
    for strip, piece in (("both", " "), ("both", "a"), ("none", "a"), ("none", "U")):
        tokenizer = Pieces([piece])
        reader = AnswerReader(template(strip, ("USER:",)), tokenizer)
        for _ in range(50_000):
            reader.feed([1])
        reader.finish()
    assert time.thread_time() - began < 5


def test_scanner_returns_nothing_after_a_stop() -> None:
    scanner = StopScanner(("x",))
    assert (scanner.feed("ax"), scanner.feed("b"), scanner.finish(), scanner.found) == ("a", "", "", True)


def test_text_of_a_server_is_read_like_that_of_ids() -> None:
    reader = AnswerReader(template("one_leading_space", ("USER:",)), NoTokenizer())
    pieces = ["<th", "ink>Hm.</think>\n\nSo", "ft. US", "ER: And"]
    assert "".join(map(reader.feed_text, pieces)) == "Soft. "
    assert (reader.text, reader.reasoning, reader.stopped) == ("Soft. ", "Hm.", True)
    assert reader.feed_text(" more") == ""


def test_reasoning_that_a_server_tells_apart_is_no_text() -> None:
    reader = AnswerReader(template(), NoTokenizer())
    written = reader.feed_text("", "The user ") + reader.feed_text("", "asks.") + reader.feed_text("Soft.")
    assert (written + reader.finish(), reader.reasoning) == ("Soft.", "The user asks.")


@pytest.mark.parametrize("name", ["orca-mini", "mamba-gpt"])
def test_unknown_id_inside_an_answer_has_no_text(name: str) -> None:
    words = LLAMA.encode("soft wool")
    reader = AnswerReader(TEMPLATES[name], LLAMA)
    reader.feed([*words[:1], 0, *words[1:], 2])
    assert "⁇" in LLAMA.decode([0])
    assert reader.text == LLAMA.decode(words)
