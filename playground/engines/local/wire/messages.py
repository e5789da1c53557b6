"""Messages between the web process and a worker, as JSON objects.

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
from playground.engines.protocol import Ended, EngineFacts, Event, Job, Started, Tokens
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
        room: bytes for weights by device; if empty, the worker chooses a device.
        recorded: steps may be recorded and replayed on a GPU that supports it.
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
    """Ask the worker to write a row."""
    return {"kind": "start", "job": asdict(job)}


def cancel(row: str) -> Message:
    """Ask the worker to end a row within one step."""
    return {"kind": "cancel", "row": row}


def ready(facts: EngineFacts, load_s: float, max_rows: int = 1, note: str = "") -> Message:
    """Report that the model is loaded and `max_rows` rows can be written together; `note` is shown to people."""
    return {"kind": "ready", "facts": asdict(facts), "load_s": load_s, "max_rows": max_rows, "note": note}


def failed(error: str) -> Message:
    """Report the reason why the model cannot be loaded; the worker's last message."""
    return {"kind": "failed", "error": error}


def point(name: str, words: str) -> Message:
    """Report that a model that is being checked has passed a gate; `words` are the findings."""
    return {"kind": "point", "point": name, "words": words}


def failed_point(name: str, error: str) -> Message:
    """Report that it has failed a gate; the last message of a check."""
    return {"kind": "failed", "point": name, "error": error}


def checked() -> Message:
    """Report that it has passed every gate; the last message of a check."""
    return {"kind": "checked"}


def started(row: str) -> Message:
    """Report that the row's prefill begins."""
    return {"kind": "started", "row": row}


def tokens(row: str, token_ids: list[int]) -> Message:
    """Report new ids of a row."""
    return {"kind": "tokens", "row": row, "token_ids": token_ids}


def ended(row: str, reason: FinishReason, error: str | None = None, written_together: int | None = None) -> Message:
    """Report the end of a row, its last message, and the most rows that one of its steps wrote."""
    ending = {"finish_reason": reason.value, "error": error, "written_together": written_together}
    return {"kind": "ended", "row": row, **ending}


def event_of(message: Message, facts: EngineFacts) -> Event:
    """Return the event that a message about a row reports.

    Raises:
        EngineError: a field is missing or of another type.
    """
    match message["kind"]:
        case "started":
            return Started(message["row"], facts)
        case "tokens":
            return read(Tokens, message)
        case _:
            return read(Ended, message)


def read(kind: type[T], values: object) -> T:
    """Read a record from a message: `Tokens` and `Ended` from the whole, a card, job or facts from its part.

    Raises:
        EngineError: a field is missing or of another type.
    """
    return convert(kind, values, f"a {kind.__name__} from the other process", EngineError)
