"""Cookies: a tolerant reader, and the header that sets one.

Boundary: pure text; knows no cookie by its name.
"""

from __future__ import annotations


def read_cookie(header: str, name: str) -> str | None:
    """Return the value of the first cookie called `name` in a Cookie header, or None.

    The header is split at ";" and nothing else: `http.cookies.SimpleCookie` stops at the first cookie that it cannot
    parse, and any program on the same host may set such a one.
    """
    for pair in header.split(";"):
        key, equals, value = pair.partition("=")
        if equals and key.strip() == name:
            return value.strip()
    return None


def set_cookie(
    name: str, value: str, *, path: str, max_age_s: int, same_site: str, secure: bool
) -> tuple[bytes, bytes]:
    """Return the Set-Cookie header of a cookie that scripts cannot read; a `max_age_s` of 0 deletes it."""
    ending = "; Secure" if secure else ""
    text = f"{name}={value}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite={same_site}{ending}"
    return b"set-cookie", text.encode("latin-1")
