"""One event of a completions stream, read strictly.

Boundary: text in, a record out; knows nothing of the job that it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.engines.remote.trouble import Trouble, lost, of_status

NOT_A_STREAM = "sent something that is no stream of tokens"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a server says about an answer in one go."""

    token_ids: tuple[int, ...] | None  # None: it gives none
    prompt_ids: tuple[int, ...] | None = None  # what it was fed; stands in the first frame
    finish_reason: str | None = None
    stop_id: int | None = None  # the id that ended it


def read_frame(data: str) -> Frame | None:
    """The frame of an event's data; None: it is about something else, such as usage.

    Raises:
        Trouble: it is not what vLLM sends, or it is an error.
    """
    try:
        document = json.loads(data)
        if "error" in document:
            raise _told(document["error"])
        choices = document["choices"]
        return _frame(choices[0]) if choices else None
    except (ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError) as problem:
        raise lost(NOT_A_STREAM, f"{type(problem).__name__} in {data[:100]!r}") from problem


def _frame(choice: Mapping[str, Any]) -> Frame:
    stop, reason = choice.get("stop_reason"), choice.get("finish_reason")
    return Frame(
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


def _told(error: Any) -> Trouble:
    """A server that fails after its headers says so in the stream."""
    code = error.get("code")
    status = code if isinstance(code, int) and code >= 400 else 500
    return of_status(status, json.dumps({"error": error}))
