"""Check a request to Gradio strictly: its route, its event, and the number of its values.

Only the routes that this page and its programs use are open; every other route of Gradio's (uploads, editors, streams,
components' own servers) is closed.

Boundary: pure; takes bytes, returns a `Call` with the body that Gradio may see.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from playground.errors import InvalidValue, Unknown

PREFIX = "/gradio_api/"
MAX_DEPTH = 12
"""The deepest nesting of lists and objects; the page and the API never send more than four levels."""
READABLE = re.compile(
    r"info|openapi\.json|queue/(data|status)|call/(v2/)?\w{1,64}/[\w-]{1,64}|startup-events|app_id|user|login_check|theme\.css"
)
SESSION = re.compile(r"[\w-]{1,64}")
_CALL = re.compile(r"(?P<way>run|api|call/v2|call)/(?P<name>\w{1,64})|(?P<join>queue/join)|(?P<other>cancel|reset)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One event of the page, or one function of the API."""

    index: int
    name: str
    inputs: int
    parameters: Mapping[str, bool] | None = None  # of the API: name -> is it required? None for an event of the page

    @property
    def is_public(self) -> bool:
        """Return True if programs may call it by its name."""
        return self.parameters is not None


@dataclass(frozen=True, slots=True)
class GradioEndpoints:
    """Every event of the page and every function of the API."""

    by_index: Mapping[int, Endpoint]
    by_name: Mapping[str, Endpoint]

    @classmethod
    def of(cls, endpoints: Iterable[Endpoint]) -> GradioEndpoints:
        """Index endpoints; of two with one name the first has it, as for Gradio."""
        known = tuple(endpoints)
        return cls({e.index: e for e in known}, {e.name: e for e in reversed(known)})


@dataclass(frozen=True, slots=True)
class Call:
    """A request that Gradio may see; `endpoint` is None for one that only ends an event."""

    endpoint: Endpoint | None
    body: bytes


def read_call(route: str, body: bytes, endpoints: GradioEndpoints) -> Call:
    """Check a POST to `route`, the path after `PREFIX`; unknown fields are dropped.

    Raises:
        Unknown: no such route, event or function.
        InvalidValue: a body that is not what the route takes.
    """
    match = _CALL.fullmatch(route.strip("/"))
    if match is None:
        raise Unknown(f"this route takes no requests; to call the API, post to a route such as {PREFIX}call/v2/compare")
    sent = _document(body)
    if match["other"]:
        return Call(None, _bytes({name: _short(name, sent) for name in ("session_hash", "event_id")} | _index(sent)))
    if match["way"] == "call/v2":
        return _call_by_keywords(_public(match["name"], endpoints), sent)
    if match["way"] == "call":
        endpoint = _public(match["name"], endpoints)
        return Call(endpoint, _bytes({"data": _data(sent, endpoint), **_session(sent)}))
    endpoint = _endpoint(match["name"], sent, endpoints)
    kept = {name: sent[name] for name in ("event_data", "trigger_id") if sent.get(name) is not None}
    if not _is_index(kept.get("trigger_id", 0)):
        raise InvalidValue("trigger_id is not a whole number")
    fixed = {"data": _data(sent, endpoint), "fn_index": endpoint.index, **_session(sent, required=bool(match["join"]))}
    return Call(endpoint, _bytes({**fixed, **kept}))


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:  # ValueError: also invalid UTF-8, and numbers of 5,000 digits
        raise InvalidValue("the body is not valid JSON") from error
    if not isinstance(document, dict):
        raise InvalidValue("the body is not a JSON object")
    _check(document)
    return document


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _check(document: dict[str, Any]) -> None:
    """Refuse bodies that are nested too deeply or hold a file: no event takes files."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        inside: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if "path" in value or "_type" in value:
                    raise InvalidValue("the body holds a file; no event takes files")
                inside += value.values()
            elif isinstance(value, list):
                inside += value
        level = inside
        if not level:
            return
    raise InvalidValue(f"the body is nested deeper than {MAX_DEPTH} levels")


def _public(name: str, endpoints: GradioEndpoints) -> Endpoint:
    endpoint = endpoints.by_name.get(name)
    if endpoint is None or not endpoint.is_public:
        valid = ", ".join(f"/{e.name}" for e in endpoints.by_index.values() if e.is_public)
        raise Unknown(f"there is no endpoint with this name; valid: {valid}")
    return endpoint


def _endpoint(name: str | None, sent: Mapping[str, Any], endpoints: GradioEndpoints) -> Endpoint:
    """Return the endpoint that Gradio would take: by number if one is given, else by name."""
    index = sent.get("fn_index")
    if index is None:
        found = endpoints.by_name.get(name or "")
    else:
        found = endpoints.by_index.get(_index(sent)["fn_index"])
    if found is None:
        raise Unknown("the page has no such event; reload it")
    return found


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _data(sent: Mapping[str, Any], endpoint: Endpoint) -> list[Any]:
    data = sent.get("data")
    if not isinstance(data, list):
        raise InvalidValue("data is not a list")
    if len(data) != endpoint.inputs:
        raise InvalidValue(f"data has {len(data):,} values; {endpoint.name} takes {endpoint.inputs}")
    return data


def _call_by_keywords(endpoint: Endpoint, sent: Mapping[str, Any]) -> Call:
    parameters = endpoint.parameters or {}
    missing = [name for name, required in parameters.items() if required and name not in sent]
    if missing:
        raise InvalidValue(f"{missing[0]} is missing; {endpoint.name} takes {', '.join(parameters)}")
    if not sent.keys() <= parameters.keys():
        raise InvalidValue(f"the body has an unknown name; {endpoint.name} takes {', '.join(parameters) or 'nothing'}")
    return Call(endpoint, _bytes(sent))


def _session(sent: Mapping[str, Any], required: bool = False) -> dict[str, str]:
    session = sent.get("session_hash")
    if session is None and not required:
        return {}
    if not isinstance(session, str) or not SESSION.fullmatch(session):
        raise InvalidValue("session_hash is not 1 to 64 letters and digits")
    return {"session_hash": session}


def _short(name: str, sent: Mapping[str, Any]) -> str:
    value = sent.get(name, "")
    if not isinstance(value, str) or len(value) > 64:
        raise InvalidValue(f"{name} is not a short text")
    return value


def _index(sent: Mapping[str, Any]) -> dict[str, int]:
    index = sent.get("fn_index", 0)
    if not _is_index(index):
        raise InvalidValue("fn_index is not a whole number")
    return {"fn_index": index}


def _bytes(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()
