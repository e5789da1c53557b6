"""The progress bar of commands whose work has several steps.

Boundary: writes to standard error; knows no step.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from playground.publishing.publication import Progress

BAR_DELAY_S = 1.0
"""A command that ends sooner shows no bar."""


@contextmanager
def progress_bar(name: str) -> Iterator[Progress]:
    """Show progress on standard error if it is a terminal; `name` stands there until the first step."""
    how = {"leave": False, "disable": None, "delay": BAR_DELAY_S, "file": sys.stderr}
    with tqdm(desc=name, **how) as bar:

        def show(step: str, done: int, total: int) -> None:
            bar.set_description(step, refresh=False)
            bar.total = total or None
            bar.update(done - bar.n)

        yield show
