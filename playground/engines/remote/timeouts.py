"""Timeouts and retry delays of the remote engine.

Boundary: numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Durations in seconds; the deadline of a job bounds its whole answer as well."""

    connect_s: float = 5.0
    first_token_s: float = 60.0  # includes the server's own queue
    next_token_s: float = 30.0
    usage_s: float = 5.0  # after an answer in text: for the number of its tokens
    probe_s: float = 30.0
    retry_s: tuple[float, ...] = (0.2, 1.0, 3.0)  # before the 2nd, 3rd … attempt at the same server
    retry_after_s: float = 10.0  # a job fails if a server asks to wait longer than this
    backoff_s: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 15.0)  # between probes of a server that is down
