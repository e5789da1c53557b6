"""The query of an address: its names and values, read once for all pages whose views are addresses.

Boundary: texts only; which names and values a page has is its own record's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from playground.errors import InvalidValue
from playground.messages import Message
from playground.ui.texts import data as texts
from playground.validation.texts import TAKEN_OUT

MAX_QUERY_CHARS = 4000
MAX_ECHOED_CHARS = 65_536
"""The longest query that is named back to the script; no server takes a longer address."""
MAX_FIELDS = 60
YES = "1"
HOSTS_OWN = "__"
"""The beginning of names that a host or Gradio adds to addresses, such as `__sign` of a private Space, or `__theme`."""


def check_names(query: Mapping[str, str], valid: Sequence[str]) -> None:
    """Raise InvalidValue for a name that is not valid: a misspelt filter would select every vote."""
    unknown = next((name for name in query if name not in valid and not name.startswith(HOSTS_OWN)), None)
    if unknown is not None:
        raise InvalidValue(texts.NO_NAME.format(name=unknown, valid=", ".join(valid)))


def read_query(text: Any) -> dict[str, str]:
    """Return the names and values of a query; a name that is given twice has both values, with a comma.

    Raises:
        InvalidValue: not a text, or too long.
    """
    if not isinstance(text, str) or len(text) > MAX_QUERY_CHARS:
        raise InvalidValue(texts.QUERY_TOO_LONG)
    try:
        pairs = parse_qsl(text.removeprefix("?"), max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise InvalidValue(texts.QUERY_TOO_LONG) from error
    found: dict[str, str] = {}
    for name, value in pairs:
        clean = _clean(value).strip()
        if clean:
            found[name] = f"{found[name]},{clean}" if name in found else clean
    return found


def echoed(text: object) -> str:
    """Return a query as the page names it to its script; empty if it could be none."""
    is_query = isinstance(text, str) and len(text) <= MAX_ECHOED_CHARS and text.isprintable()
    return str(text) if is_query else ""


def is_yes(query: Mapping[str, str], name: str) -> bool:
    """Return True if a name is set; raise InvalidValue for a value that says neither yes nor nothing."""
    value = query.get(name, "")
    if value not in ("", YES):
        raise InvalidValue(
            Message("{name!r} is {value!r}; valid: {yes}, or leave it out", name=name, value=value, yes=YES)
        )
    return bool(value)


def _clean(text: str) -> str:
    for pattern in TAKEN_OUT.values():
        text = pattern.sub("", text)
    return text
