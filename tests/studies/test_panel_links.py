"""Links of panels: ids, signatures, and tokens that Prolific signs, with keys that a panel on loopback serves."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from playground.clock import Clock
from playground.errors import InvalidLink, KeysUnavailable
from playground.records import StoredStudy
from playground.studies.panel_links import (
    Arrival,
    address_pattern,
    id_hash,
    read_arrival,
    signature,
    signed_link,
    signing_secret,
    token_of,
)
from playground.studies.signed_links import AGAIN_S, KEEP_S, RETRY_S, SigningKeys
from tests.support.panel_server import KEYS, PanelServer, new_key, paneling
from tests.support.paneling import LINK, PROLIFIC, RATER, SESSION, ids

STUDY = StoredStudy("helpful", "5a" * 32, "{}", "ab" * 16, "2026-11-20T19:00:00.000+00:00")
OTHER = replace(STUDY, id="other", secret="cd" * 16)
PAGE = "https://play.example.org"
ODD = (
    "ada",
    "R-17",
    "a b",
    "a+b",
    "a&b=c#d?e/f%20",
    "łukasz@x.org",
    "评分员",
    "👩🔬",
    "=1+1",
    "'; DROP TABLE",
    "x" * 200,
)


def refuse(_: str) -> Any:
    raise AssertionError("no token is read")


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


@pytest.mark.parametrize("rater", ODD)
def test_signed_link_names_its_rater(rater: str) -> None:
    address = signed_link(f"{PAGE}/", STUDY, rater)
    assert address.startswith(f"{PAGE}/rate?study=helpful&rater=")
    assert read_arrival(LINK, STUDY, query_of(address), refuse) == Arrival(rater)


def test_signature_is_what_a_panel_computes_itself() -> None:
    secret = signing_secret(STUDY)
    expected = hmac.new(secret.encode(), "łukasz".encode(), hashlib.sha256).hexdigest()
    assert query_of(signed_link(PAGE, STUDY, "łukasz"))["sig"] == expected
    assert signing_secret(OTHER) != secret


@pytest.mark.parametrize(
    "changes",
    [
        {"rater": "bob"},
        {"rater": "Ada"},
        {"rater": "ada "},
        {"sig": "0" * 64},
        {"sig": "é"},
        {"sig": signature(signing_secret(OTHER), "ada")},
        {"rater": "", "sig": signature(signing_secret(STUDY), "")},
        {"rater": "a\nb", "sig": signature(signing_secret(STUDY), "a\nb")},
        {"rater": "a\u202eb", "sig": signature(signing_secret(STUDY), "a\u202eb")},
        {"rater": "x" * 201, "sig": signature(signing_secret(STUDY), "x" * 201)},
        {"rater": "\ud800"},
        {"sig": ""},
    ],
)
def test_forged_link_is_refused(changes: dict[str, str]) -> None:
    query = query_of(signed_link(PAGE, STUDY, "ada")) | changes
    with pytest.raises(InvalidLink, match="Open the study from the page of your panel again"):
        read_arrival(LINK, STUDY, query, refuse)


def test_ids_of_prolific_are_taken_without_a_signature() -> None:
    assert read_arrival(PROLIFIC, STUDY, ids(), refuse) == Arrival(RATER, SESSION)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"PROLIFIC_PID": ""}, "PROLIFIC_PID is missing"),
        ({"SESSION_ID": ""}, "SESSION_ID is missing"),
        ({"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"}, "PROLIFIC_PID in this link does not have the form of an id"),
        ({"PROLIFIC_PID": "5f" * 11 + "é1"}, "PROLIFIC_PID in this link does not have the form"),
        ({"PROLIFIC_PID": f"{RATER}\n"}, "PROLIFIC_PID in this link does not have the form"),
        ({"SESSION_ID": "../../x"}, "SESSION_ID in this link does not have the form"),
        ({"STUDY_ID": "0" * 24}, "This link is for another study: its STUDY_ID"),
    ],
)
def test_link_of_prolific_is_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidLink) as refused:
        read_arrival(PROLIFIC, STUDY, ids() | changes, refuse)
    assert said in str(refused.value)


def test_address_for_prolific_has_its_placeholders() -> None:
    assert address_pattern(PAGE, STUDY, PROLIFIC) == (
        f"{PAGE}/rate?study=helpful&PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}&STUDY_ID={{{{%STUDY_ID%}}}}"
        "&SESSION_ID={{%SESSION_ID%}}"
    )


def test_hashes_differ_by_study_and_purpose() -> None:
    assert len({id_hash(STUDY, RATER), id_hash(OTHER, RATER), id_hash(STUDY, SESSION)}) == 3
    assert token_of(STUDY, RATER) not in id_hash(STUDY, RATER)
    assert RATER not in id_hash(STUDY, RATER)


# Signed links


@pytest.fixture(scope="module")
def served() -> Iterator[PanelServer]:
    with paneling() as panel:
        yield panel


class Reader:
    """Keys of the panel, read by a clock that is set by hand."""

    def __init__(self, server: PanelServer) -> None:
        self.server, self.now_s = server, 0.0
        self.panel = replace(PROLIFIC, jwks=server.url + KEYS, audience=PAGE)
        self.keys = SigningKeys(Clock(monotonic=lambda: self.now_s))

    def arrive(self, token: str, query: dict[str, str] | None = None) -> Arrival:
        def claims(given: str) -> Any:
            return self.keys.claims(given, self.panel.jwks or "", self.panel.audience or "", int(time.time()))

        return read_arrival(self.panel, STUDY, {**(query or {}), "prolific_token": token}, claims)


@pytest.fixture
def reader(served: PanelServer) -> Iterator[Reader]:
    yield Reader(served)
    served.served, served.is_down = [], False


@pytest.mark.parametrize("audience", [PAGE, f"{PAGE}/rate?study=helpful", "play.example.org", ["x.org", PAGE]])
@pytest.mark.parametrize("query", [{}, ids()])
def test_signed_ids_are_taken(reader: Reader, audience: Any, query: dict[str, str]) -> None:
    assert reader.arrive(reader.server.token(RATER, SESSION, audience), query) == Arrival(RATER, SESSION)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": new_key("one")}, "The signature of this link is not valid"),  # another key under the known name
        ({"key": new_key("mallory")}, "The signature of this link is not valid"),
        ({"aud": "https://play.example.org.evil.net"}, "The signature of this link is not valid"),
        ({"aud": "http://play.example.org"}, "The signature of this link is not valid"),
        ({"aud": None}, "The signature of this link is not valid"),
        ({"aud": "https://["}, "The signature of this link is not valid"),
        ({"iss": "https://evil.net"}, "The signature of this link is not valid"),
        ({"exp": None}, "The signature of this link is not valid"),
        ({"exp": 1_700_000_000}, "This link has expired"),
        ({"prolific": "all"}, "PROLIFIC_PID is missing"),
        ({"ids": {"STUDY_ID": "0" * 24}}, "This link is for another study"),
        ({"ids": {"PROLIFIC_PID": "a'b"}}, "PROLIFIC_PID in this link does not have the form"),
    ],
)
def test_forged_token_is_refused(reader: Reader, changes: dict[str, Any], said: str) -> None:
    token = reader.server.token(RATER, SESSION, PAGE, **changes)
    with pytest.raises(InvalidLink) as refused:
        reader.arrive(token)
    assert said in str(refused.value)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "..", "eyJhbGciOiJub25lIn0.e30."])
def test_text_that_is_no_token_is_refused(reader: Reader, token: str) -> None:
    with pytest.raises(InvalidLink):
        reader.arrive(token)


def test_token_signed_with_the_public_key_as_a_secret_is_refused(reader: Reader) -> None:
    _, claims, _ = reader.server.token(RATER, SESSION, PAGE).split(".")
    head = urlsafe_b64encode(b'{"alg": "HS256", "kid": "one"}').rstrip(b"=").decode()
    public = reader.server.key.as_pem(private=False)
    signed = hmac.digest(public, f"{head}.{claims}".encode(), hashlib.sha256)
    with pytest.raises(InvalidLink, match="signature"):
        reader.arrive(f"{head}.{claims}.{urlsafe_b64encode(signed).rstrip(b'=').decode()}")


def test_ids_beside_the_token_are_the_signed_ones(reader: Reader) -> None:
    token = reader.server.token(RATER, SESSION, PAGE)
    with pytest.raises(InvalidLink, match="signature"):
        reader.arrive(token, ids(rater="7f" * 12))


def test_unsigned_ids_do_not_do_where_links_are_signed(reader: Reader) -> None:
    with pytest.raises(InvalidLink, match="prolific_token is missing"):
        read_arrival(reader.panel, STUDY, ids(), refuse)


def test_keys_are_read_again_when_they_are_old_or_a_new_one_signs(reader: Reader) -> None:
    server, asked = reader.server, reader.server.keys_asked
    token = server.token(RATER, SESSION, PAGE)
    for _ in range(3):
        reader.arrive(token)
    assert server.keys_asked == asked + 1
    new = new_key("two")
    server.served = [new]
    rotated = server.token(RATER, SESSION, PAGE, key=new)
    for _ in range(2):  # at most one fetch a minute for unknown names
        with pytest.raises(InvalidLink):
            reader.arrive(rotated)
    assert server.keys_asked == asked + 1
    reader.now_s += AGAIN_S
    reader.arrive(rotated)
    assert server.keys_asked == asked + 2
    reader.now_s += KEEP_S
    with pytest.raises(InvalidLink):
        reader.arrive(token)  # its key is gone
    assert server.keys_asked == asked + 3


def test_keys_that_cannot_be_fetched_are_no_forgery(reader: Reader) -> None:
    token = reader.server.token(RATER, SESSION, PAGE)
    server, asked = reader.server, reader.server.asked
    server.is_down = True
    for _ in range(3):  # one fetch for all of them
        with pytest.raises(KeysUnavailable, match="cannot be checked now"):
            reader.arrive(token)
    assert server.asked == asked + 1
    server.is_down = False
    reader.now_s += RETRY_S
    reader.arrive(token)
    server.is_down = True
    reader.now_s += KEEP_S
    for _ in range(3):  # old keys are better than none
        reader.arrive(token)
    assert server.asked == asked + 3
    server.is_down, server.served = False, [new_key("two")]
    reader.now_s += RETRY_S
    with pytest.raises(InvalidLink):
        reader.arrive(token)
