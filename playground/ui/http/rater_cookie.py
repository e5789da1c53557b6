"""The cookie that keeps a rater's secret in their browser: read from a request, and made for a response.

Boundary: `rater_ids` makes secrets and ids; whoever answers a request decides whether a cookie is set.
"""

from __future__ import annotations

from playground.rater_ids import COOKIE, is_secret, rater_id
from playground.ui.http.asgi import Header, HttpRequest, Scope, cookie_values, whole_header
from playground.ui.http.root_path import set_cookie

COOKIE_MAX_AGE_S = 365 * 24 * 3600


def secret_of(request: HttpRequest) -> str | None:
    """Return the rater's secret that the browser keeps; None if it keeps none."""
    return secret_in(whole_header(request.headers.getlist("cookie")))


def rater_of(request: HttpRequest) -> str | None:
    """Return the id of the rater whose browser sends the request; None if it keeps no secret."""
    secret = secret_of(request)
    return None if secret is None else rater_id(secret)


def secret_in(cookies: str) -> str | None:
    """Return the rater's secret in the value of a `Cookie` header; None if there is none."""
    return next((value for value in cookie_values(cookies, COOKIE) if is_secret(value)), None)


def rater_cookie(scope: Scope, secret: str) -> Header:
    """Return the header that has the browser keep a secret."""
    return set_cookie(scope, COOKIE, secret, COOKIE_MAX_AGE_S, "None")
