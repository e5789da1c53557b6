"""How long the remote engine waits for what.

Boundary: numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds; the whole of an answer is bounded by its job's deadline as well."""

    connect_s: float = 5.0
    first_token_s: float = 60.0  # the server's own queue included
    next_token_s: float = 30.0
    probe_s: float = 30.0  # to find out what a server is, with two short answers
    retry_s: tuple[float, ...] = (0.2, 1.0, 3.0)  # before the 2nd, 3rd … attempt at the same server
    retry_after_s: float = 10.0  # a server that asks for more is not waited for
    backoff_s: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 15.0)  # between questions to a server that is left out
