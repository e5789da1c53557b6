"""Count the deaths of one model's workers: when the next one starts, and with which precautions.

Boundary: numbers; starts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """The deaths so far.

    Args:
        backoff_s: delays before the 1st, 2nd … restart; the last one is repeated, except for failed loads.
    """

    backoff_s: tuple[float, ...]
    deaths: int = 0  # since an answer was finished
    failed_loads: int = 0  # since a model was loaded
    records: bool = True  # steps may be recorded: no worker has died of it, as far as one can tell

    def add(self, *, while_loading: bool) -> None:
        """Count a death; a first one while the model was answering is not blamed on recorded steps."""
        self.records &= not while_loading and not self.deaths
        self.failed_loads += while_loading
        self.deaths += 1

    @property
    def delay_s(self) -> float:
        """The time to wait after the last death."""
        return self.backoff_s[min(self.deaths, len(self.backoff_s)) - 1]

    @property
    def are_over(self) -> bool:
        """Return True if the model has failed to load once more than there are delays."""
        return self.failed_loads > len(self.backoff_s)
