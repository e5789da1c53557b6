"""How long a test waits for what must happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 120.0


def wait_until(happened: Callable[[], Any]) -> None:
    """Look every now and then; fail when it takes longer than any machine should."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s"
        time.sleep(0.01)
