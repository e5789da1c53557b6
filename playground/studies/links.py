"""Personal links: a token of 128 random bits, of which only a hash is stored.

Boundary: pure, but for the random bits.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from playground.rater_ids import is_secret, new_secret

new_token = new_secret
"""Make a token: 32 hexadecimal digits."""


def token_hash(token: object) -> str:
    """Return the hash that is stored for a token; that of no token if it has not the form of one."""
    return hashlib.sha256(f"playground study {token if is_secret(token) else ''}".encode()).hexdigest()


def link(base_url: str, study_id: str, token: str) -> str:
    """Return the personal link to the page that asks."""
    return f"{base_url.rstrip('/')}/rate?{urlencode({'study': study_id, 'key': token})}"
