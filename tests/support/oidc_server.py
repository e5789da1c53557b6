"""A local OpenID provider like Hugging Face's: discovery, consent, code for token, keys.

Boundary: HTTP; signs everyone in as `user`, without a password.
"""

from __future__ import annotations

import json
import secrets
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

CLIENT_ID, CLIENT_SECRET = "the-space", "the-secret-of-the-space"


@dataclass
class Provider:
    """State of the provider and the paths it was asked for."""

    url: str = ""
    user: str = "ada"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"}))
    nonces: dict[str, str] = field(default_factory=dict)  # by code
    asked: list[str] = field(default_factory=list)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/oauth/authorize",
            "token_endpoint": f"{self.url}/oauth/token",
            "userinfo_endpoint": f"{self.url}/oauth/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def consent(self, query: dict[str, list[str]]) -> str:
        """Return the URL to which the browser is redirected."""
        assert query["client_id"] == [CLIENT_ID]
        code = secrets.token_urlsafe(8)
        self.nonces[code] = query["nonce"][0]
        back = query["redirect_uri"][0]
        return f"{back}{'&' if '?' in back else '?'}{urlencode({'code': code, 'state': query['state'][0]})}"

    def token(self, form: dict[str, list[str]]) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "6032802e1f993496bc14d9e3",
            "iat": now,
            "exp": now + 3600,
            "nonce": self.nonces.pop(form["code"][0]),
            "name": self.user.title(),
            "preferred_username": self.user,
            "profile": f"{self.url}/{self.user}",
            "picture": f"{self.url}/{self.user}.png",
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return {
            "access_token": "hf_oauth_of_the_user",
            "token_type": "bearer",
            "expires_in": 3600,
            "scope": "openid profile",
            "id_token": signed,
        }


@contextmanager
def providing(port: int) -> Iterator[Provider]:
    """Run a provider."""
    provider = Provider(f"http://127.0.0.1:{port}")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            provider.asked.append(where.path)
            match where.path:
                case "/.well-known/openid-configuration":
                    self._json(provider.discovery())
                case "/keys":
                    self._json({"keys": [provider.key.as_dict(private=False)]})
                case "/oauth/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.consent(parse_qs(where.query)))
                    self.end_headers()
                case _:
                    self.send_error(404)

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._json(provider.token(parse_qs(body)))

        def _json(self, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()
