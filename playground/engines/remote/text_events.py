"""Read the events of OpenAI-style streams that hold text: of ``/v1/completions`` and ``/v1/chat/completions``.

Boundary: values only; sends nothing. Servers differ in small things, which are all read here: a first chunk with a role
alone, reasoning as `reasoning_content` or `reasoning`, usage in a chunk of its own, in the last one or in none,
characters that are cut in two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.engines.remote.errors import NO_STREAM, Effect, ServerError, lost
from playground.engines.remote.stream_events import stream_error
from playground.engines.remote.surrogates import Joiner
from playground.records import FinishReason

_FINISHED = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer; one of the two is empty in most."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class TextEvent:
    """One event of a stream of text."""

    delta: Delta | None = None
    finish_reason: str | None = None
    num_tokens: int | None = None  # of prompt and answer


def read_text_event(data: str) -> TextEvent:
    """Parse an event's data.

    Raises:
        ServerError: the data is not in OpenAI's format, or is an error.
    """
    try:
        document = json.loads(data)
        if document.get("error"):
            raise stream_error(document["error"])
        choice = document["choices"][0] if document["choices"] else {}
        reason = choice.get("finish_reason")
        return TextEvent(_delta(choice), reason and str(reason), _usage(document.get("usage") or {}))
    except (ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise lost(NO_STREAM, type(error).__name__, said=data) from error


def _delta(choice: Mapping[str, Any]) -> Delta | None:
    """Return the text of a chunk of chat (`delta`) or of a completion (`text`); None if it has none."""
    delta = choice.get("delta") or {}
    text = (delta.get("content") if "delta" in choice else choice.get("text")) or ""
    reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
    if not isinstance(text, str) or not isinstance(reasoning, str):
        raise TypeError("not text")
    return Delta(text, reasoning) if text or reasoning else None


def _usage(usage: Mapping[str, Any]) -> int | None:
    """Return the number of tokens; None for the zeros that some servers send with every chunk."""
    return int(usage.get("prompt_tokens") or 0) + int(usage.get("completion_tokens") or 0) or None


@dataclass(slots=True)
class TextAnswer:
    """Progress of one answer in text; it is complete when its end and its length are known."""

    finish_reason: FinishReason | None = None
    counted: int | None = None  # tokens of prompt and whole answer, if the server tells
    _text: Joiner = field(default_factory=Joiner)
    _reasoning: Joiner = field(default_factory=Joiner)

    @property
    def complete(self) -> bool:
        """True if nothing more is expected."""
        return self.finish_reason is not None and self.counted is not None

    def read(self, data: str) -> Delta | None:
        """Return the piece of the answer in an event's data; None if there is none.

        Raises:
            ServerError: as `read_text_event`, or the server ended the answer for another reason than its end or length.
        """
        event = read_text_event(data)
        if event.finish_reason is not None:
            if event.finish_reason not in _FINISHED:
                raise _broken_off(event.finish_reason)
            self.finish_reason = _FINISHED[event.finish_reason]
        if self.finish_reason is not None:  # some servers send usage with every chunk
            self.counted = event.num_tokens or self.counted
        return self._whole(event.delta or Delta())

    def _whole(self, delta: Delta) -> Delta | None:
        """Return a piece without halves of characters; None if nothing is left."""
        is_last = self.finish_reason is not None
        text = self._text.feed(delta.text, is_last=is_last)
        reasoning = self._reasoning.feed(delta.reasoning, is_last=is_last)
        return Delta(text, reasoning) if text or reasoning else None


def _broken_off(reason: str) -> ServerError:
    """Return the error of an answer that its server ended; a filter's refusal is no fault of the server."""
    words = "stopped this answer with its content filter" if reason == "content_filter" else "broke this answer off"
    return ServerError(f"the model's server {words}", Effect.REQUEST, "finish_reason", said=reason)
