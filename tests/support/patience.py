"""Wait in a test until something has happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 120.0


def wait_until(happened: Callable[[], Any]) -> None:
    """Poll until `happened` returns a true value; fail after `PATIENCE_S`."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s"
        time.sleep(0.01)
