"""A panel on the loopback interface: it signs links as Prolific does, serves its keys, and takes raters back by code.

Boundary: HTTP; knows nothing of the playground but the address that it was given.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

STUDY_ID = "65a1f0c2d3e4b5a697887766"
KEYS = "/.well-known/study/jwks.json"


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@dataclass
class PanelServer:
    """State of the panel, and what was asked of it."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: new_key("one"))
    served: list[RSAKey] = field(default_factory=list)  # instead of `key`, if there are some
    codes: list[str] = field(default_factory=list)  # that raters came back with
    asked: int = 0  # requests of any kind
    keys_asked: int = 0
    is_down: bool = False

    def key_set(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.served or [self.key]]}

    def token(self, rater: str, session: str, audience: str, **changes: Any) -> str:
        """Return a signed token; `changes` are to its claims (None: without it), or to `ids` and `key`."""
        key = changes.pop("key", self.key)
        ids = {"PROLIFIC_PID": rater, "STUDY_ID": STUDY_ID, "SESSION_ID": session, **changes.pop("ids", {})}
        now = int(time.time())
        claims = {
            "iss": "https://www.prolific.com",
            "aud": audience,
            "sub": session,
            "iat": now,
            "exp": now + 300,
            "prolific": {**ids, "workspace_id": "workspace"},
            **changes,
        }
        named = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": key.kid}, named, key)

    def link(self, page: str, rater: str, session: str, **changes: Any) -> str:
        """Return the address that a rater's browser is sent to, with the ids and a token beside them."""
        ids = {"PROLIFIC_PID": rater, "STUDY_ID": STUDY_ID, "SESSION_ID": session}
        return f"{page}&{urlencode({**ids, 'prolific_token': self.token(rater, session, page, **changes)})}"


@contextmanager
def paneling() -> Iterator[PanelServer]:
    """Serve a panel at a free port."""
    panel = PanelServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            panel.asked += 1
            body, status = b"Welcome back.", 200
            if panel.is_down:
                body, status = b"", 503
            elif asked.path == KEYS:
                panel.keys_asked += 1
                body = json.dumps(panel.key_set()).encode()
            elif asked.path == "/complete":
                panel.codes += parse_qs(asked.query).get("cc", [])
            else:
                status = 404
            self.send_response(status)
            self.send_header("content-type", "text/plain")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        panel.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield panel
        server.shutdown()
        thread.join()
