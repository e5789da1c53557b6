"""Who judges: on the page a secret that the browser keeps and the id that is stored, over the API a name or a key.

Boundary: pure. The secret is the rater's receipt: whoever knows it may see and erase what is theirs, so that it
stands in no table, log, export or address; the id follows from it and not the other way round. So it is with keys.
"""

from __future__ import annotations

import hashlib
import re
import secrets

FREE_PROGRAMS = "api"
"""The rater of a vote over the API without a name; programs without a key count as this one rater."""
_KEYED = "program/"
"""How the id of a program with a key begins; a free name cannot hold a slash."""
_DIGITS = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


def new_secret() -> str:
    """128 random bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def is_secret(value: object) -> bool:
    """Whether it has the form of one."""
    return is_id(value) and value == str(value).lower()


def is_id(value: object) -> bool:
    """Whether it has the form of a rater's id, or of one that may be taken for it."""
    return isinstance(value, str) and _DIGITS.fullmatch(value) is not None


def rater_id(secret: str) -> str:
    """The id that is stored, 32 hexadecimal digits."""
    return hashlib.sha256(f"playground rater {secret}".encode()).hexdigest()[:32]


def keyed_id(name: str) -> str:
    """The id of the program that has a key of this name."""
    return f"{_KEYED}{name}"


def is_keyed(rater: str) -> bool:
    """Whether a rater's id is that of a program with a key."""
    return rater.startswith(_KEYED)


def new_key() -> str:
    """A key for a program: 256 random bits in 43 letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What is stored of a key, 64 hexadecimal digits."""
    return hashlib.sha256(f"playground key {key}".encode()).hexdigest()
