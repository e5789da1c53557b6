"""The links by which a panel sends its raters: reading them, signing them, and the hashes of the ids in them.

A generic link ends in ``rater=…&sig=…``, where `sig` is the HMAC-SHA-256 of the id under a secret of the study. Links
of Prolific name the rater, the study and the session, and a token signs them if the study's file asks for that.

Boundary: pure but for the keys of signed links, which a caller hands in; stores nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from playground.errors import InvalidLink, InvalidValue
from playground.messages import Message
from playground.records import StoredStudy
from playground.studies.panel import PROLIFIC_ID, Panel

PROLIFIC = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
PROLIFIC_TOKEN = "prolific_token"
RATER, SIGNATURE = "rater", "sig"
PARAMETERS = frozenset({*PROLIFIC, PROLIFIC_TOKEN, RATER, SIGNATURE})
"""The parameters by which a link of a panel is known."""
MOST_ID_CHARS = 200

Claims = Callable[[str], Mapping[str, Any]]
"""Returns the claims of a signed token; raises InvalidLink."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The ids of a rater whom a panel sends."""

    rater: str
    session: str = ""


def read_arrival(panel: Panel, study: StoredStudy, query: Mapping[str, str], claims: Claims) -> Arrival:
    """Return whom a link names.

    Raises:
        InvalidLink: an id is missing, has not the form of one or belongs to another study, or the signature is wrong.
    """
    if panel.kind == "link":
        return _signed(study, query)
    ids = {name: query[name] for name in PROLIFIC if name in query}
    if panel.jwks is not None:
        ids = _claimed(ids, claims(_needed(query, PROLIFIC_TOKEN)))
    rater, there, session = (_needed(ids, name) for name in PROLIFIC)
    for name, value in ids.items():
        if not PROLIFIC_ID.fullmatch(value):
            raise InvalidLink(
                Message(
                    "{name} in this link does not have the form of an id. Open the study from the"
                    " page of your panel again.",
                    name=name,
                )
            )
    if there != panel.study_id:
        raise InvalidLink(Message("This link is for another study: its STUDY_ID is not the one that is expected here."))
    return Arrival(rater, session)


def check_id(rater: str) -> None:
    """Raise InvalidValue if no link can name a rater so."""
    if not rater or len(rater) > MOST_ID_CHARS or not rater.isprintable() or rater != rater.strip():
        raise InvalidValue(
            f"{rater[:MOST_ID_CHARS]!r} is not a rater's id; valid: up to {MOST_ID_CHARS} printable characters, without"
            " spaces at its ends"
        )


def signing_secret(study: StoredStudy) -> str:
    """Return the secret of a study's links, 64 hexadecimal digits; a panel that has it signs its own."""
    return _keyed(study, "panel links", "").hex()


def signature(secret: str, rater: str) -> str:
    """Return the signature of an id: HMAC-SHA-256 in hexadecimal digits, both texts in UTF-8."""
    return hmac.digest(secret.encode(), rater.encode(), hashlib.sha256).hex()


def signed_link(base_url: str, study: StoredStudy, rater: str) -> str:
    """Return the address of one rater of a generic panel."""
    signed = {"study": study.id, RATER: rater, SIGNATURE: signature(signing_secret(study), rater)}
    return f"{_page(base_url)}?{urlencode(signed)}"


def address_pattern(base_url: str, study: StoredStudy, panel: Panel) -> str:
    """Return the address to paste at the panel, with the panel's own placeholders."""
    start = f"{_page(base_url)}?{urlencode({'study': study.id})}"
    if panel.kind == "link":
        return f"{start}&{RATER}=ID&{SIGNATURE}=SIGNATURE"
    return start + "".join(f"&{name}={{{{%{name}%}}}}" for name in PROLIFIC)


def id_hash(study: StoredStudy, rater: str) -> str:
    """Return the keyed hash of a panel's id, 64 hexadecimal digits; the same person has another one in each study."""
    return _keyed(study, "panel id", rater).hex()


def session_hash(study: StoredStudy, session: str) -> str | None:
    """Return the keyed hash of a panel's session; None without one."""
    return _keyed(study, "panel session", session).hex() if session else None


def token_of(study: StoredStudy, rater: str) -> str:
    """Return the token of a rater's place in the study, which only the database's secret can make."""
    return _keyed(study, "panel token", rater).hex()[:32]


def _keyed(study: StoredStudy, purpose: str, text: str) -> bytes:
    return hmac.digest(bytes.fromhex(study.secret), f"{purpose}\n{text}".encode(), hashlib.sha256)


def _signed(study: StoredStudy, query: Mapping[str, str]) -> Arrival:
    rater, given = _needed(query, RATER), _needed(query, SIGNATURE)
    try:
        check_id(rater)
        expected = signature(signing_secret(study), rater)
    except ValueError:  # also a lone surrogate
        raise InvalidLink(
            Message(
                "{name} in this link does not have the form of an id. Open the study from the"
                " page of your panel again.",
                name=RATER,
            )
        ) from None
    if not hmac.compare_digest(given.lower().encode("utf-8", "replace"), expected.encode()):
        raise InvalidLink(
            Message("The signature of this link is not valid. Open the study from the page of your panel again.")
        )
    return Arrival(rater)


def _claimed(ids: Mapping[str, str], claims: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids that a token signs; those beside it in the address have to be the same."""
    signed = claims.get("prolific")
    found = {name: str(signed[name]) for name in PROLIFIC if name in signed} if isinstance(signed, dict) else {}
    if any(found.get(name) != value for name, value in ids.items()):
        raise InvalidLink(
            Message("The signature of this link is not valid. Open the study from the page of your panel again.")
        )
    return found


def _needed(query: Mapping[str, str], name: str) -> str:
    value = query.get(name, "")
    if not value:
        raise InvalidLink(
            Message(
                "This link is not complete: {name} is missing. Open the study from the page of your panel again.",
                name=name,
            )
        )
    return value


def _page(base_url: str) -> str:
    return f"{base_url.rstrip('/')}/rate"
