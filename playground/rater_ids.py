"""Ids of raters: on the page derived from a secret in the browser's cookie, over the API a name or a key.

Boundary: pure. A rater's secret lets its holder see and erase the rater's data, so it appears in no table, log, export
or address. The id is a hash of the secret. The same goes for a program's key.
"""

from __future__ import annotations

import hashlib
import re
import secrets

COOKIE = "playground_rater"
"""The cookie that keeps a rater's secret in the browser."""
FREE_PROGRAMS = "api"
"""The rater of a vote over the API without a name; programs without a key count as this one rater."""
_KEYED = "program/"
"""Prefix of the id of a program with a key; a name without a key cannot contain a slash."""
_IMPORTED = "imported/"
"""Prefix of the id of a rater whose votes were imported; nobody who votes here has such an id."""
_DIGITS = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


def new_secret() -> str:
    """Return 128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def is_secret(value: object) -> bool:
    """Return True if `value` has the form of a secret."""
    return is_id(value) and value == str(value).lower()


def is_id(value: object) -> bool:
    """Return True if `value` has the form of a rater's id, or could be mistaken for one."""
    return isinstance(value, str) and _DIGITS.fullmatch(value) is not None


def rater_id(secret: str) -> str:
    """Return the id that is stored for a secret, 32 hexadecimal digits."""
    return hashlib.sha256(f"playground rater {secret}".encode()).hexdigest()[:32]


def keyed_id(name: str) -> str:
    """Return the id of the program whose key has this name."""
    return f"{_KEYED}{name}"


def is_keyed(rater: str) -> bool:
    """Return True if the rater is a program with a key."""
    return rater.startswith(_KEYED)


def imported_id(name: str) -> str:
    """Return the id of a rater whose votes are imported, by their name in the file; such an id stays as it is."""
    return name if name.startswith(_IMPORTED) else f"{_IMPORTED}{name}"


def new_key() -> str:
    """Return a new key for a program: 256 random bits in 43 letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """Return the hash that is stored for a key, 64 hexadecimal digits."""
    return hashlib.sha256(f"playground key {key}".encode()).hexdigest()
