"""Who judges on the page: a secret that her browser keeps, and the id under which everything of hers is stored.

Boundary: pure. The secret is her receipt: whoever knows it may see and erase what is hers, so that it stands in no
table, log, export or address; the id follows from it and not the other way round.
"""

from __future__ import annotations

import hashlib
import re
import secrets

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
