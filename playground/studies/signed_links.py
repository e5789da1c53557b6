"""The public keys of a panel that signs its links, and the claims of a token that one of them signed.

Prolific signs with RS256: the claims are issuer, audience, time of expiry and, under `prolific`, the ids. Its keys are
at one address, and a client is asked to read them again at least daily.

Boundary: HTTP and JSON Web Tokens; knows no study.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2 as httpx

from playground.clock import Clock
from playground.errors import InvalidLink, KeysUnavailable
from playground.messages import Message
from playground.studies.panel import is_key_set

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

log = logging.getLogger(__name__)

ISSUER = "https://www.prolific.com"
ALGORITHMS = ("RS256",)
"""The only one that Prolific signs with."""
LEEWAY_S = 60
"""Seconds that the clocks of the panel and of this machine may differ."""
KEEP_S = 6 * 3600.0
AGAIN_S = 60.0
"""Seconds between two fetches for a key that is not known."""
RETRY_S = 10.0
"""Seconds from a fetch that failed to the next one."""
FETCH_S = 10.0
SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: KeySet | None  # None: they could not be read yet
    at_s: float
    is_new: bool = True  # False: of an earlier time, since they could not be read at this one


def fetch(address: str) -> str:
    """Return the text at an address.

    Raises:
        httpx.HTTPError: there is none.
    """
    found = httpx.get(address, timeout=FETCH_S)
    found.raise_for_status()
    return str(found.text)


class SigningKeys:
    """Keys by their source: a key set itself, or an address that is read when a token needs it."""

    def __init__(self, clock: Clock | None = None, read: Callable[[str], str] = fetch) -> None:
        self._clock = clock or Clock()
        self._read = read
        self._fetched: dict[str, _Fetched] = {}
        self._lock = threading.Lock()

    def claims(self, token: str, source: str, audience: str, now_s: int) -> Mapping[str, Any]:
        """Return the claims of a token.

        Args:
            now_s: seconds since 1970.

        Raises:
            InvalidLink: no key signed it, it has expired, or it is for another site.
            KeysUnavailable: the keys cannot be fetched.
        """
        from joserfc import errors, jwt  # not at the start, which only few studies need it for

        try:
            found = jwt.decode(token, self._key_of(source), algorithms=ALGORITHMS).claims
            registry = jwt.JWTClaimsRegistry(
                now=now_s, leeway=LEEWAY_S, iss={"essential": True, "value": ISSUER}, exp={"essential": True}
            )
            registry.validate(found)
        except errors.ExpiredTokenError:
            raise InvalidLink(
                Message("This link has expired. Open the study from the page of your panel again.")
            ) from None
        except (errors.JoseError, ValueError):
            found = {}
        if not found or not _is_for(found.get("aud"), audience):
            raise InvalidLink(
                Message("The signature of this link is not valid. Open the study from the page of your panel again.")
            )
        return found

    def _key_of(self, source: str) -> Callable[[Any], KeySet]:
        """Return the function that finds the keys for a token, by the name of one in its header."""
        return lambda signed: self._keys(source, signed.headers().get("kid"))

    def _keys(self, source: str, key_id: object) -> KeySet:
        """Return the keys of a source; those that were read before if it cannot be read now."""
        with self._lock:
            known = self._fetched.get(source)
            if known is None or not self._is_current(known, source, key_id):
                known = self._fetched[source] = self._fetch(source, known)
        if known.keys is None:
            raise KeysUnavailable(Message("The signature of this link cannot be checked now. Try again in a minute."))
        return known.keys

    def _is_current(self, known: _Fetched, source: str, key_id: object) -> bool:
        if is_key_set(source):
            return True
        age_s = self._clock.monotonic() - known.at_s
        if known.keys is None or not known.is_new:
            return age_s < RETRY_S
        is_known = key_id is None or any(key.kid == key_id for key in known.keys)
        return age_s < (KEEP_S if is_known else AGAIN_S)

    def _fetch(self, source: str, known: _Fetched | None) -> _Fetched:
        from joserfc import errors
        from joserfc.jwk import KeySet

        try:
            keys = KeySet.import_key_set(json.loads(source if is_key_set(source) else self._read(source)))
        except (httpx.HTTPError, errors.JoseError, ValueError, LookupError, TypeError) as error:
            log.warning("the keys of a panel cannot be read from %s: %s", source[:SHOWN_CHARS], error)
            return _Fetched(None if known is None else known.keys, self._clock.monotonic(), is_new=False)
        return _Fetched(keys, self._clock.monotonic())


def _is_for(claimed: object, audience: str) -> bool:
    """Return True if an audience is this site: its address or any page of it, or its bare host."""
    names = claimed if isinstance(claimed, list) else [claimed]
    expected = urlsplit(audience)
    return any(isinstance(name, str) and _is_site(name, expected.scheme, expected.netloc) for name in names)


def _is_site(name: str, scheme: str, host: str) -> bool:
    try:
        found = urlsplit(name)
    except ValueError:
        return False
    return (found.scheme, found.netloc) == (scheme, host) if "://" in name else name == host
