"""What web process and worker say to each other: the records of a conversation and their JSON form.

    to the worker:    load (card, threads, room, rows, recorded) · start (a job) · cancel (row)
    from the worker:  ready (facts) or failed (error) · started (row) · tokens (row, ids) · ended (row, reason, error)
    from a check:     point (name, words) · failed (point, error) or checked

Boundary: values only; no process, no pipe, no model library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import TypeVar

from playground.documents import convert
from playground.engines.local.placement import MAX_ROWS
from playground.engines.local.wire.channel import Message
from playground.engines.protocol import EngineFacts, Job
from playground.errors import EngineError
from playground.records import FinishReason, ModelCard

T = TypeVar("T")


def load(
    card: ModelCard,
    threads: int,
    room: Mapping[str, int] = MappingProxyType({}),
    max_rows: int = MAX_ROWS,
    *,
    recorded: bool = True,
) -> Message:
    """Ask a fresh worker to load `card`; always the first message.

    Args:
        room: bytes for weights by device; of none, the worker chooses one.
        recorded: steps may be recorded and replayed, where there is a GPU that can.
    """
    return {
        "kind": "load",
        "card": asdict(card),
        "threads": threads,
        "room": dict(room),
        "max_rows": max_rows,
        "recorded": recorded,
    }


def start(job: Job) -> Message:
    """Ask for one row."""
    return {"kind": "start", "job": asdict(job)}


def cancel(row: str) -> Message:
    """End a row within one step."""
    return {"kind": "cancel", "row": row}


def ready(facts: EngineFacts, load_s: float, max_rows: int = 1, note: str = "") -> Message:
    """The worker has its model and writes so many rows together; `note` is what people should know about it."""
    return {"kind": "ready", "facts": asdict(facts), "load_s": load_s, "max_rows": max_rows, "note": note}


def failed(error: str) -> Message:
    """The worker cannot load its model, and why; its last message."""
    return {"kind": "failed", "error": error}


def point(name: str, words: str) -> Message:
    """A model that is being checked has passed a gate; `words` say what was found."""
    return {"kind": "point", "point": name, "words": words}


def failed_point(name: str, error: str) -> Message:
    """It has not passed this one; the last message."""
    return {"kind": "failed", "point": name, "error": error}


def checked() -> Message:
    """It has passed every gate; the last message."""
    return {"kind": "checked"}


def started(row: str) -> Message:
    """The row's prefill begins."""
    return {"kind": "started", "row": row}


def tokens(row: str, token_ids: list[int]) -> Message:
    """New ids of a row."""
    return {"kind": "tokens", "row": row, "token_ids": token_ids}


def ended(row: str, reason: FinishReason, error: str | None = None) -> Message:
    """A row's last message."""
    return {"kind": "ended", "row": row, "finish_reason": reason.value, "error": error}


def read(kind: type[T], values: object) -> T:
    """Read the card of a `load` message, the job of a `start` message, the facts of a `ready` message; `Tokens` and
    `Ended` are their messages.

    Raises:
        EngineError: the other process has another version of the playground.
    """
    return convert(kind, values, f"a {kind.__name__} from the other process", EngineError)
