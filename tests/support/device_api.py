"""The service that lends GPUs to a ZeroGPU Space, as the package `spaces` calls it, over real HTTP on loopback.

A visitor whose token says `SPENT` has no quota left.

Boundary: answers and remembers; has no GPU.
"""

from __future__ import annotations

import base64
import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SPENT = "spent"


def token_of(user: str) -> str:
    """Return a visitor's token as the hub's proxy sends it: three parts, the middle one with their name."""
    payload = base64.urlsafe_b64encode(json.dumps({"user": user}).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


@dataclass
class DeviceApi:
    """Requests by path, in order."""

    url: str = ""
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def of(self, path: str) -> list[Mapping[str, str]]:
        """Return the parameters of the requests to a path."""
        return [query for asked, query in tuple(self.asked) if asked == path]

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, Mapping[str, str], Any]:
        """Return status, headers and document."""
        self.asked.append((path, query))
        if path != "/schedule":
            return 200, {}, {}
        if query.get("token") == token_of(SPENT):
            return 429, {"X-Approve-Result": "quota-exceeded", "X-Authenticated": "regular"}, {"left": 3, "wait": 3600}
        number = next(self._numbers)
        return 200, {}, {"idle": False, "nvidiaIndex": number, "nvidiaUUID": "GPU-0", "allowToken": f"token-{number}"}


@contextmanager
def lending() -> Iterator[DeviceApi]:
    """Serve the API."""
    api = DeviceApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            status, headers, document = api.answer(parts.path, dict(parse_qsl(parts.query)))
            body = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
