"""One request through a middleware, as an ASGI server would send it; what is behind answers with 200."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

FAR = "203.0.113.7"
BROWSER = {"accept": "text/html,application/xhtml+xml"}


@dataclass
class Answer:
    """The response to the client; `behind` is the scope that got through, None where none did."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""
    behind: dict[str, Any] | None = None
    closed: int = 0  # the code with which a websocket was closed

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def location(self) -> str:
        return self.header("location")

    @property
    def cookie(self) -> str:
        """The cookie that was set, as the browser sends it back."""
        return self.header("set-cookie").partition(";")[0]


def ask(
    made: Callable[[Any], Any],
    method: str = "GET",
    address: str = "/",
    form: dict[str, str] | None = None,
    host: str = FAR,
    root_path: str = "",
    scheme: str = "http",
    kind: str = "http",
    session: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """`made` puts the middleware around an app; `form` is posted as a browser does."""
    answer = Answer()
    path, _, query = address.partition("?")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        answer.behind = dict(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"behind"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": urlencode(form or {}).encode(), "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
        elif message["type"] == "websocket.close":
            answer.closed = message["code"]
        else:
            answer.body += message["body"].decode()

    scope = {
        "type": kind,
        "method": "POST" if form is not None else method,
        "path": path,
        "query_string": query.encode(),
        "scheme": scheme,
        "root_path": root_path,
        "client": (host, 1),
        "headers": [(b"host", b"play.example"), *((n.encode(), v.encode()) for n, v in (headers or {}).items())],
        **({} if session is None else {"session": session}),
    }
    asyncio.run(made(app)(scope, receive, send))
    return answer
