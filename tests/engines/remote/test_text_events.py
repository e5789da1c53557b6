"""What single events of a stream of text do to an answer."""

from __future__ import annotations

import json

import pytest

from playground.engines.remote.errors import ServerError
from playground.engines.remote.text_events import Delta, TextAnswer

LAMA = "\N{LLAMA}"
FIRST, SECOND = "\ud83e", "\udd99"


def chunk(text: str = "", reason: str | None = None, **delta: str) -> str:
    return json.dumps({"choices": [{"delta": {"content": text, **delta}, "finish_reason": reason}]})


def read(*chunks: str) -> list[Delta | None]:
    answer = TextAnswer()
    return [answer.read(data) for data in chunks]


@pytest.mark.parametrize(
    ("pieces", "texts"),
    [
        ([f"A {FIRST}", f"{SECOND} hums"], ["A ", f"{LAMA} hums"]),
        ([FIRST, SECOND], [None, LAMA]),
        ([f"A {FIRST}", " hums"], ["A ", "\ufffd hums"]),
        ([f"A {SECOND} hums", FIRST], ["A \ufffd hums", "\ufffd"]),
        ([f"{FIRST}{FIRST}", SECOND], ["\ufffd", LAMA]),
    ],
)
def test_characters_that_are_cut_in_two_are_joined(pieces: list[str], texts: list[str | None]) -> None:
    *first, last = pieces
    found = read(*map(chunk, first), chunk(last, "stop"))
    assert [piece and piece.text for piece in found] == texts
    thoughts = read(*(chunk(reasoning=piece) for piece in first), chunk(reasoning=last, reason="stop"))
    assert [piece and piece.reasoning for piece in thoughts] == texts
    assert all((piece.text + piece.reasoning).encode() for piece in (*found, *thoughts) if piece)


def test_usage_before_the_end_is_not_that_of_the_answer() -> None:
    answer = TextAnswer()
    early = json.loads(chunk("A llama")) | {"usage": {"prompt_tokens": 10, "completion_tokens": 1}}
    for data in (json.dumps(early), chunk(reason="stop")):
        answer.read(data)
    assert (answer.counted, answer.complete) == (None, False)
    answer.read('{"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 900}}')
    assert (answer.counted, answer.complete) == (910, True)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", '"many"', "[1]", "9" * 5000])
def test_usage_that_is_no_number_of_tokens_is_no_stream(number: str) -> None:
    data = f'{{"choices": [], "usage": {{"prompt_tokens": {number}, "completion_tokens": 1}}}}'
    with pytest.raises(ServerError, match="sent a reply that is not a stream of tokens"):
        read(data)


def test_half_of_a_character_is_written_when_the_answer_ends() -> None:
    assert read(chunk(f"A {FIRST}"), chunk(reason="stop")) == [Delta("A "), Delta("\ufffd")]
