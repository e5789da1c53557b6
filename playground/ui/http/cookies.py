"""Read and write cookies of this page, whatever other programs on the same host put beside them.

Boundary: pure; knows no cookie by its name and nothing of what a value stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

VALUE = re.compile(r"[\w.~-]+", re.ASCII)
"""A cookie of this page is hexadecimal or URL-safe base64; another value under its name was set by somebody else."""


def cookie_values(header: str, name: str) -> Iterator[str]:
    """Yield every value of the cookie `name` that this page could have set, in the order sent.

    A browser sends one for each path under which the name was set, the longest path first.
    """
    for pair in header.split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name and VALUE.fullmatch(value.strip()):
            yield value.strip()


def whole_header(headers: Iterable[str]) -> str:
    """Join the Cookie headers of one request: HTTP/2 allows several."""
    return "; ".join(headers)
