"""The three ways to ask a server, by the `feed` of a card: where, what is sent, how its answer is read.

Boundary: values only; sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from playground.engines.protocol import Job
from playground.engines.remote.request import request_body, text_body
from playground.engines.remote.stream_events import Completion
from playground.engines.remote.text_events import Delta, TextAnswer
from playground.records import Feed, FinishReason, ModelCard

Piece = tuple[int, ...] | Delta
"""A piece of an answer: ids or text."""


class ServerAnswer(Protocol):
    """Progress of an answer, fed with the data of its events."""

    @property
    def finish_reason(self) -> FinishReason | None:
        """The reason for the end; None before it."""

    @property
    def counted(self) -> int | None:
        """Tokens of prompt and answer, if the server tells them."""

    @property
    def complete(self) -> bool:
        """True if nothing more is expected."""

    def read(self, data: str) -> Piece | None:
        """Return the piece in an event's data, if any; raises ServerError."""


@dataclass(frozen=True, slots=True)
class Route:
    """A way to ask."""

    path: str  # below the server's address
    body: Callable[[Job, ModelCard, str, int], dict[str, Any]]  # of job, card, model's name there, longest answer
    answer: Callable[[Job, int], ServerAnswer]
    is_exact: bool


def _ids_body(job: Job, card: ModelCard, model: str, max_tokens: int) -> dict[str, Any]:
    return request_body(job, model, max_tokens)


def _text_answer(job: Job, max_tokens: int) -> ServerAnswer:
    return TextAnswer()


ROUTES: Mapping[Feed, Route] = {
    "ids": Route("completions", _ids_body, Completion, is_exact=True),
    "text": Route("completions", text_body, _text_answer, is_exact=False),
    "messages": Route("chat/completions", text_body, _text_answer, is_exact=False),
}
"""The routes, those with the most exact answers first."""
