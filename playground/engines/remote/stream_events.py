"""Read the events of a completions stream strictly, and check the ids of an answer against its job.

An answer ends where the local engine would end it: at the first stop id, or when the context is full.

Boundary: values only; sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.engines.protocol import Job
from playground.engines.remote.errors import NO_STREAM, ServerError, lost, status_error
from playground.records import FinishReason


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a stream."""

    token_ids: tuple[int, ...] | None  # None: the server sends no ids
    prompt_ids: tuple[int, ...] | None = None  # in the first event
    finish_reason: str | None = None
    stop_id: int | None = None  # the id that ended the answer


def read_event(data: str) -> StreamEvent | None:
    """Parse an event's data; None if it is about something else, such as usage.

    Raises:
        ServerError: the data is not in vLLM's format, or is an error.
    """
    try:
        document = json.loads(data)
        if "error" in document:
            raise stream_error(document["error"])
        return _parse(document["choices"][0]) if document["choices"] else None
    except (ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise lost(NO_STREAM, type(error).__name__, said=data) from error


def _parse(choice: Mapping[str, Any]) -> StreamEvent:
    stop, reason = choice.get("stop_reason"), choice.get("finish_reason")
    return StreamEvent(
        _ids(choice.get("token_ids")),
        _ids(choice.get("prompt_token_ids")),
        None if reason is None else str(reason),
        stop if isinstance(stop, int) else None,
    )


def _ids(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not all(type(item) is int and item >= 0 for item in value):
        raise TypeError("not token ids")
    return tuple(value)


def stream_error(error: Any) -> ServerError:
    """Return the error of a server that failed after it had sent its headers."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and code >= 400 else 500
    return status_error(status, json.dumps({"error": error}))


@dataclass(slots=True)
class Completion:
    """Progress of one answer; `max_tokens` fits both the job and the context."""

    job: Job
    max_tokens: int
    num_tokens: int = 0
    finish_reason: FinishReason | None = None
    counted: int | None = None  # not needed: the ids are there

    @property
    def complete(self) -> bool:
        """True if nothing more is expected."""
        return self.finish_reason is not None

    def read(self, data: str) -> tuple[int, ...]:
        """Return the ids in an event's data that belong to the answer; raises as `read_event` and `take`."""
        event = read_event(data)
        return () if event is None else self.take(event)

    def take(self, event: StreamEvent) -> tuple[int, ...]:
        """Return the event's ids that belong to the answer; `finish_reason` is set if they complete it.

        Raises:
            ServerError: the server was given another prompt, sends no ids, or ended the answer early.
        """
        if event.prompt_ids is not None and event.prompt_ids != self.job.token_ids:
            raise lost("gave its model another prompt than it was sent", f"{event.prompt_ids[:20]}", inexact=True)
        if event.token_ids is None:
            raise lost("returns no token ids; exact answers need one that does, such as vLLM", inexact=True)
        kept = self._cut((*event.token_ids, *self._missing_stop_id(event)))
        if event.finish_reason is not None and self.finish_reason is None:
            message = f"ended the answer after {self.num_tokens} tokens for an unknown reason"
            raise lost(message, f"stop id {event.stop_id}", inexact=True, said=event.finish_reason)
        return kept

    def _missing_stop_id(self, event: StreamEvent) -> tuple[int, ...]:
        """Return the stop id that ended the answer if the server does not send it as a token."""
        if event.stop_id not in self.job.stop_ids or event.stop_id in (event.token_ids or ()):
            return ()
        return (event.stop_id,)

    def _cut(self, token_ids: tuple[int, ...]) -> tuple[int, ...]:
        for index, token_id in enumerate(token_ids, 1):
            self.num_tokens += 1
            if token_id in self.job.stop_ids:
                self.finish_reason = FinishReason.STOP
            elif self.num_tokens >= self.max_tokens:
                self.finish_reason = FinishReason.LENGTH
            if self.finish_reason is not None:
                return token_ids[:index]
        return token_ids
