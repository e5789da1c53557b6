"""Where an engine's events leave it: the one place at which somebody else's failure is held back.

Boundary: knows listeners and events; which engine, and what comes of it, is not its matter.
"""

from __future__ import annotations

import logging

from playground.engines.protocol import Event, Listener

log = logging.getLogger(__name__)


def tell(listener: Listener, event: Event) -> None:
    """Hand an event over; a listener that breaks its promise and raises must not stop the other rows."""
    try:
        listener(event)
    except Exception:  # of code that the engine does not know; with its trace in the log
        log.exception("a listener failed on %s", type(event).__name__)
