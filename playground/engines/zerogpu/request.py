"""The values that cross to the process with the GPU: the rows of a call, and the speed that it measured.

Boundary: values; they are pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playground.engines.protocol import Event, Job


@dataclass(frozen=True, slots=True)
class GpuRow:
    """One row of a call."""

    model_id: str
    job: Job
    slot: int  # of its cancel flag


@dataclass(frozen=True, slots=True)
class GpuRequest:
    """The rows of one call: all columns of a comparison."""

    rows: tuple[GpuRow, ...]

    @property
    def model_ids(self) -> tuple[str, ...]:
        """The models of the rows, each once."""
        return tuple(dict.fromkeys(row.model_id for row in self.rows))

    def of_model(self, model_id: str) -> tuple[GpuRow, ...]:
        """Return the rows of one model."""
        return tuple(row for row in self.rows if row.model_id == model_id)


@dataclass(frozen=True, slots=True)
class Measured:
    """The time that one decode step of a model took on average."""

    model_id: str
    step_s: float


GpuEvent = Event | Measured
Write = Callable[[GpuRequest], Iterator[tuple[GpuEvent, ...]]]
"""Writes the rows of a request, several events at a time."""
