"""Judgements on the answers of a Space: what is right, what is wrong, and what cures it.

Boundary: pure; takes answers, sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playground.rater_ids import COOKIE

IN_A_FRAME = ("SameSite=None", "Secure", "Partitioned", "HttpOnly")
"""Attributes without which browsers keep no cookie inside another site's frame, or scripts could read it."""
ENDPOINTS = ("/compare", "/vote", "/models", "/leaderboard", "/prompt")
UP = ("ready", "asleep", "in turns", "off")
GUIDE = "docs/hosting.md"


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, or the trouble instead of one."""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    error: str = ""

    def values(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def said(self) -> str:
        """The answer in a few words."""
        return self.error or f"status {self.status}"


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected state of the Space: this checkout, in this frame."""

    playground: str
    gradio: str
    code: str
    frame: str


@dataclass(frozen=True, slots=True)
class SpacePoint:
    """One finding."""

    name: str
    ok: bool
    found: str
    cure: str = field(default="")  # empty if nothing is wrong


def document(answer: Response) -> dict[str, Any] | None:
    """Return the JSON object of an answer; None if it has none."""
    try:
        found = json.loads(answer.text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def first_model(listed: Response) -> str:
    """Return the id of the first model that answers, from the API's list of models; "" if there is none."""
    found = document(listed) or {}
    try:
        return next((str(row["id"]) for row in found["data"][0] if row["state"] in UP and row["state"] != "off"), "")
    except (LookupError, TypeError):
        return ""


def answers(health: Response) -> SpacePoint:
    """Judge whether the playground answers at all."""
    if health.error:
        return _wrong(
            "answers", health.error, "Open the Space on the hub: it may be building, sleeping, paused or broken."
        )
    if document(health) is None:
        cure = (
            "Open the Space on the hub and read its log; a private Space needs HF_TOKEN, one with a password its own."
        )
        return _wrong("answers", f"/health is not the playground's ({health.said})", cure)
    return _right("answers", f"/health: {health.said}")


def health(answer: Response, expected: Expected) -> Iterator[SpacePoint]:
    """Judge each part of the report of ``/health``."""
    report = document(answer) or {}
    reasons = "; ".join(str(reason) for reason in _list(report, "reasons"))
    status = str(report.get("status", "missing"))
    yield _point(
        "health", status == "ok", f"{status}{f': {reasons}' if reasons else ''}", "Mend what the reasons name."
    )
    database = _object(report, "database")
    yield _point(
        "votes can be stored",
        database.get("writable") is True,
        f"{database.get('vote_rows', 0)} rows of votes" if database.get("writable") else str(database.get("error")),
        "Read the log: the disk or the mounted bucket refuses writes, or another process holds the database.",
    )
    workers = [worker for worker in _list(report, "workers") if isinstance(worker, dict)]
    down = [f"{worker.get('model')} {worker.get('state')}" for worker in workers if worker.get("state") not in UP]
    yield _point(
        "models",
        bool(workers) and not down,
        ", ".join(down) or f"{len(workers)} up",
        "Wait if they load; a failed one says why on the Models page.",
    )
    if "store" in report:
        yield _store(_object(report, "store"))
    yield from _versions(_object(report, "versions"), expected)


def _store(state: dict[str, Any]) -> SpacePoint:
    """Judge the copy of the votes outside of the Space."""
    troubles = {
        "the last copy failed": state.get("error"),
        "it is late": state.get("late"),
        "it has a warning": state.get("warnings"),
    }
    trouble = ", ".join(words for words, is_so in troubles.items() if is_so)
    waiting = f", {state['waiting']} wait" if state.get("waiting") else ""
    cure = (
        "Check PLAYGROUND_STORE, and that HF_TOKEN may write to it; the Leaderboard page tells the operator the reason."
    )
    found = f"up to vote {state.get('votes', 'unknown')}{waiting}{f': {trouble}' if trouble else ''}"
    return _point("votes are copied out", not trouble, found, cure)


def _versions(versions: dict[str, Any], expected: Expected) -> Iterator[SpacePoint]:
    found = [f"{name} {versions.get(name)}" for name in ("playground", "gradio")]
    equal = (versions.get("playground"), versions.get("gradio")) == (expected.playground, expected.gradio)
    yield _point(
        "versions",
        equal,
        ", ".join(found),
        f"This checkout has playground {expected.playground}, gradio {expected.gradio}: build and upload again.",
    )
    code = versions.get("build")
    yield _point(
        "code",
        code == expected.code,
        f"build {code}" if code else "not written by `space build`",
        f"This checkout is build {expected.code}: upload it, or check from the checkout that was uploaded.",
    )


def page(answer: Response) -> SpacePoint:
    """Judge the start page."""
    is_ours = answer.status == 200 and "connection-words" in answer.text
    cure = f"A proxy or the hub answers instead of the playground; see {GUIDE} and the log."
    return _point("page", is_ours, answer.said if is_ours else f"not the playground's page ({answer.said})", cure)


def cookie(answer: Response, url: str) -> SpacePoint:
    """Judge whether the rater's cookie is kept inside the frame of another site."""
    cookies = [value for value in answer.values("set-cookie") if value.startswith(f"{COOKIE}=")]
    attributes = {part.strip().lower() for part in cookies[0].split(";")[1:]} if cookies else set()
    missing = [name for name in IN_A_FRAME if name.lower() not in attributes]
    if urlsplit(url).scheme != "https":
        return _wrong(
            "cookie in the frame", "the address is http", "Browsers keep it over https only: check that address."
        )
    found = "no cookie" if not cookies else f"without {', '.join(missing)}" if missing else ", ".join(IN_A_FRAME)
    cure = f"The proxy has to send X-Forwarded-Proto, and FORWARDED_ALLOW_IPS has to name it; see {GUIDE}."
    return _point("cookie in the frame", bool(cookies) and not missing, found, cure)


def frame(answer: Response, origin: str) -> SpacePoint:
    """Judge whether pages of `origin` may show the playground in a frame."""
    policies = "; ".join(answer.values("content-security-policy"))
    allowed = next((part.split()[1:] for part in policies.split(";") if part.split()[:1] == ["frame-ancestors"]), None)
    found = "no frame-ancestors" if allowed is None else " ".join(allowed)
    cure = f"Add {origin} to PLAYGROUND_FRAME_ANCESTORS."
    is_allowed = allowed is not None and origin in allowed and not answer.values("x-frame-options")
    return _point("frame", is_allowed, found, cure)


def own_address(answer: Response) -> SpacePoint:
    """Judge whether the page can send: a request whose Origin is the Space's own address."""
    cure = f"The proxy has to pass on Host as the browser sent it; see {GUIDE}."
    is_read = answer.status in (200, 400)  # the request itself is empty, which is told to its sender
    return _point("the page can send", is_read, "its requests arrive" if is_read else answer.said, cure)


def foreign_address(answer: Response) -> SpacePoint:
    """Judge whether another site's page is refused."""
    cure = "The proxy rewrites Origin or Host so that every site looks like this one; leave both as they are."
    is_refused = answer.status == 403
    return _point("other sites cannot send", is_refused, "refused" if is_refused else answer.said, cure)


def operator(answer: Response) -> SpacePoint:
    """Judge whether anybody can become the operator."""
    is_there = answer.status in (200, 303)
    cure = (
        "Add `hf_oauth: true` to the Space's README.md, or set the secret PLAYGROUND_OPERATOR_TOKEN; unset "
        "PLAYGROUND_LOCKED."
    )
    return _point("operator", is_there, "can sign in" if is_there else "nobody can", cure)


def endpoints(answer: Response) -> SpacePoint:
    """Judge whether programs find the API."""
    named = _object(document(answer) or {}, "named_endpoints")
    missing = [name for name in ENDPOINTS if name not in named]
    cure = "The code there is another version than this checkout's: build and upload again."
    return _point("API", not missing, f"without {', '.join(missing)}" if missing else ", ".join(ENDPOINTS), cure)


def dry_request(model: str, stream: Response) -> SpacePoint:
    """Judge a request whose answer comes as a stream, and that stores nothing."""
    name = "dry request"
    if not model:
        return _wrong(name, "no model answers here", "Wait for the models, or see the Models page.")
    lines = [line.removeprefix("data:") for line in stream.text.splitlines() if line.startswith("data:")]
    try:
        ids = json.loads(lines[-1])[0]["num_tokens"] if lines else 0
    except (ValueError, LookupError, TypeError):
        ids = 0
    found = f"the prompt of {model} has {ids} token ids" if ids else f"no answer from /prompt ({stream.said})"
    return _point(name, bool(ids), found, f"A proxy may hold back or compress text/event-stream; see {GUIDE}.")


def _object(report: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a part of a report; an empty one if another program answered with something else."""
    found = report.get(name)
    return found if isinstance(found, dict) else {}


def _list(report: dict[str, Any], name: str) -> list[Any]:
    found = report.get(name)
    return found if isinstance(found, list) else []


def _point(name: str, ok: bool, found: str, cure: str) -> SpacePoint:
    return _right(name, found) if ok else _wrong(name, found, cure)


def _right(name: str, found: str) -> SpacePoint:
    return SpacePoint(name, True, found)


def _wrong(name: str, found: str, cure: str) -> SpacePoint:
    return SpacePoint(name, False, found, cure)
