"""The protocol of every engine: jobs in, events out.

Boundary: values and one `Protocol`; no process, no model library. Token ids only, but for servers that have none to
give: text is made and stop strings are cut by the listener, in the web process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from playground.records import FinishReason, ModelCard, ModelStatus, SamplingParams

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One row to write."""

    row: str  # unguessable, unique over the process' life
    token_ids: tuple[int, ...]
    params: SamplingParams
    seed: int
    stop_ids: tuple[int, ...]
    deadline_s: float  # from the row's first step; a row that is not finished by then ends as an error
    text: str = ""  # the prompt for a server that takes no ids: text, or messages as JSON


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """Facts that a generation records about the place where it was written."""

    engine: str  # local | remote | zerogpu
    device: str  # "cpu", "cuda:0 NVIDIA H200"
    dtype: str
    revision: str
    versions: Mapping[str, str]  # torch, transformers, python …
    faithful: bool = True


@dataclass(frozen=True, slots=True)
class Queued:
    """The row waits: `before` rows have to end first, or there is another `reason`, for people."""

    row: str
    before: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """The row's prefill begins; from here on its model is ready."""

    row: str
    facts: EngineFacts


@dataclass(frozen=True, slots=True)
class Tokens:
    """New ids of the row, in order, a stop id included when it was drawn."""

    row: str
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """More of the row's answer from a server that sends no ids; its reasoning comes apart, before the answer."""

    row: str
    text: str
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The row's last event, exactly one per job, whatever happened."""

    row: str
    finish_reason: FinishReason
    error: str | None = None  # for people, when finish_reason is error
    num_tokens: int | None = None  # of prompt and answer, as counted by a server that sends no ids, or estimated
    written_together: int | None = None  # most rows in one of its steps, itself included; None: not known


Event = Queued | Started | Tokens | Text | Ended
Listener = Callable[[Event], None]
"""Called on the engine's own thread, in order; must return at once and must not raise."""


def tell(listener: Listener, event: Event) -> None:
    """Hand an event over; a listener that raises in spite of its promise must not stop the other rows."""
    try:
        listener(event)
    except Exception:  # the engine does not know the code; its trace is in the log
        log.exception("a listener failed on %s", type(event).__name__)


@dataclass(frozen=True, slots=True)
class MemoryFit:
    """An answer to whether a model fits the machine that would run it."""

    fits: bool
    has_gpu: bool  # the machine
    words: str = ""  # for people: where the model would go, or what is missing


@dataclass(frozen=True, slots=True)
class FilePoint:
    """One finding about a model's files."""

    name: str
    ok: bool
    words: str  # for people: what was found


class Engine(Protocol):
    """A place where models run."""

    def plan(self, cards: Sequence[ModelCard]) -> Mapping[str, MemoryFit]:
        """Say how each card's model would fit if all of them were opened; starts nothing."""

    def check(self, card: ModelCard) -> Iterator[FilePoint]:
        """Examine a model's weights point by point, up to the first failure; no points if they are elsewhere."""

    def open(self, cards: Sequence[ModelCard]) -> None:
        """Begin to load the models, in the background; returns at once.

        Models that are loaded stay; one that failed or was unloaded is tried again.

        Raises:
            EngineError: the engine is closed, or is none that a card names.
        """

    def unload(self, model_id: str) -> None:
        """Free a model's memory; its rows end as errors, and the next job loads it again. Raises as `start`."""

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        """Accept a job; everything that happens to it comes to `listener`, ending with one `Ended`.

        A model that is not loaded is loaded and waited for; one that failed ends the job with its reason.

        Raises:
            Unknown: a model that was not opened.
            EngineError: the engine is closed.
        """

    def together(self) -> AbstractContextManager[None]:
        """Return a context in which `start` collects the rows of one comparison, for an engine that pays per call.

        They begin when it ends; other engines begin each at once.
        """

    def cancel(self, row: str) -> None:
        """End the row within one step, keeping what it wrote; unknown or ended rows are ignored."""

    def status(self) -> Mapping[str, ModelStatus]:
        """Return the status of each model."""

    def close(self) -> None:
        """End everything that was started; idempotent; every open job gets its `Ended`."""
