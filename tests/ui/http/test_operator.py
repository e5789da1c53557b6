"""Becoming and being the operator, by the token, a sign-in or the login of a Space."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from playground.clock import Clock
from playground.errors import InvalidValue
from playground.settings import Settings
from playground.settings_sources import read_settings
from playground.ui.http.limits import ATTEMPTS_PER_MINUTE, FailedAttempts
from playground.ui.http.operator import (
    COOKIE,
    HEADER,
    MOST_SIGN_INS,
    NOBODY,
    SIGN_IN_S,
    OperatorAccess,
    OperatorGate,
    SignIns,
    operator_access,
    operator_url,
    scope_status,
)
from playground.ui.http.root_path import base_url
from tests.support.asking import Answer, ask

TOKEN = "correct-horse-battery-staple-and-more"
ACCESS = OperatorAccess(TOKEN, is_new=True)
SPACE = {
    "SYSTEM": "spaces",
    "SPACE_ID": "ada/playground",
    "SPACE_AUTHOR_NAME": "ada",
    "SPACE_HOST": "ada-playground.hf.space,play.example",
    "OAUTH_CLIENT_ID": "id",
    "OAUTH_CLIENT_SECRET": "secret",
    "OAUTH_SCOPES": "openid profile",
    "OPENID_PROVIDER_URL": "https://huggingface.co",
}


class Gate:
    """One gate for several requests, with a clock that the test sets."""

    def __init__(self, access: OperatorAccess = ACCESS) -> None:
        self.now_s = 1000.0
        clock = Clock(monotonic=lambda: self.now_s)
        self.sign_ins = SignIns(clock)
        self.made: Callable[[Any], OperatorGate] = lambda app: OperatorGate(
            app, access, self.sign_ins, self._attempts, now_s=lambda: self.now_s
        )
        self._attempts = FailedAttempts(clock=clock)

    def ask(self, address: str = "/operator", **how: Any) -> Answer:
        return ask(self.made, address=address, **how)

    def enter(self, token: str = TOKEN, **how: Any) -> Answer:
        return self.ask(f"/operator?{urlencode({'token': token})}", **how)

    def is_operator(self, **headers: str) -> bool:
        behind = self.ask("/gradio_api/run/press", form={}, headers=headers).behind
        return behind is not None and scope_status(behind).is_operator


# The token


def test_token_is_new_at_each_start_and_has_128_bits_or_more() -> None:
    first, second = (operator_access(Settings(), {}) for _ in range(2))
    assert first.token != second.token
    assert first.is_new
    assert re.fullmatch(r"[\w-]{43}", first.token), "256 bits in base 64"


def test_token_may_be_set_and_is_then_not_printed() -> None:
    access = operator_access(read_settings({}, {"PLAYGROUND_OPERATOR_TOKEN": TOKEN}), {})
    assert (access.token, access.is_new) == (TOKEN, False)
    assert TOKEN not in operator_url(access, "http://127.0.0.1:7860")


@pytest.mark.parametrize(
    ("token", "words"), [("x" * 31, "has 31 characters; valid: 32 or more"), ("x y" * 20, "space")]
)
def test_invalid_token_is_refused_and_not_repeated(token: str, words: str) -> None:
    with pytest.raises(InvalidValue, match=words) as caught:
        read_settings({}, {"PLAYGROUND_OPERATOR_TOKEN": token})
    assert token not in str(caught.value)


def test_secrets_are_in_no_repr() -> None:
    assert "sesame" not in repr(Settings(operator_token="sesame" * 6, password="sesame"))


@pytest.mark.parametrize(
    ("flags", "is_open"),
    [({}, True), ({"locked": True}, False), ({"share": True}, False), ({"share": True, "share_operator": True}, True)],
)
def test_locked_or_shared_playground_has_no_operator(flags: dict[str, bool], is_open: bool) -> None:
    assert operator_access(Settings(operator_token=TOKEN, **flags), {}).is_open is is_open


@pytest.mark.parametrize(
    ("host", "root_path", "url"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:7860"),
        ("0.0.0.0", "", "http://127.0.0.1:7860"),
        ("::", "", "http://[::1]:7860"),
        ("[::1]", "", "http://[::1]:7860"),
        ("192.168.1.20", "", "http://192.168.1.20:7860"),
        ("localhost", "/play/", "http://localhost:7860/play"),
        ("0.0.0.0", "https://example.org/play", "https://example.org/play"),
    ],
)
def test_printed_link_can_be_opened(host: str, root_path: str, url: str) -> None:
    assert operator_url(ACCESS, base_url(host, 7860, root_path)) == f"{url}/operator?token={TOKEN}"


# Becoming the operator


def test_right_token_signs_in_and_redirects_to_a_clean_address() -> None:
    gate = Gate()
    answer = gate.enter()
    assert (answer.status, answer.location) == (303, "./operator")
    assert answer.header("referrer-policy") == "no-referrer"
    assert answer.header("cache-control") == "no-store"
    assert TOKEN not in str(answer.headers)
    assert gate.is_operator(cookie=f'prefs={{"a":"b"}}; {answer.cookie}')


@pytest.mark.parametrize(
    ("site", "page"),
    [("none", "operator"), ("same-origin", "operator"), ("same-site", "models"), ("cross-site", "models")],
)
def test_browser_sent_by_another_site_gets_a_page_that_needs_no_cookie(site: str, page: str) -> None:
    assert Gate().enter(headers={"sec-fetch-site": site}).location == f"./{page}"


def test_cookie_is_strict_and_has_the_root_path() -> None:
    cookie = Gate().enter(root_path="/play").header("set-cookie")
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; Path=/play; Max-Age={SIGN_IN_S}; HttpOnly; SameSite=Strict", cookie)
    assert Gate().enter().header("set-cookie").split("; ")[1] == "Path=/"


@pytest.mark.parametrize("how", [{"scheme": "https"}])
def test_cookie_is_secure_over_https(how: dict[str, Any]) -> None:
    assert Gate().enter(**how).header("set-cookie").endswith("; SameSite=Strict; Secure")


def test_redirect_stays_below_the_root_path() -> None:
    assert Gate().enter(root_path="https://example.org/play").location == "/play/operator"


def test_token_can_be_typed_into_a_form() -> None:
    gate = Gate()
    form = gate.ask()
    assert form.status == 200
    assert "<label for='secret'>" in form.body
    assert "action='./operator'" in form.body
    posted = gate.ask(form={"token": TOKEN})
    assert (posted.status, posted.location) == (303, "./operator")
    assert gate.is_operator(cookie=posted.cookie)


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é"])
def test_wrong_token_is_refused(token: str) -> None:
    for answer in (Gate().ask(form={"token": token}), Gate().enter(f"x{token}")):
        assert (answer.status, answer.cookie) == (403, "")
        assert "not the operator&#x27;s token" in answer.body


def test_wrong_tokens_are_limited_per_address_and_the_right_one_is_not() -> None:
    gate = Gate()
    assert [gate.enter("wrong").status for _ in range(ATTEMPTS_PER_MINUTE + 2)] == [403] * ATTEMPTS_PER_MINUTE + [
        429
    ] * 2
    assert gate.enter("wrong").header("retry-after") == "6"
    assert gate.enter("wrong", host="203.0.113.8").status == 403
    assert gate.enter().status == 303
    gate.now_s += 6
    assert gate.enter("wrong").status == 403


def test_head_is_answered_as_get() -> None:
    assert (Gate().ask(method="HEAD").status, Gate().ask(method="HEAD").body) == (200, "")
    assert Gate().enter("wrong", method="HEAD").status == 403


def test_no_operator_means_no_operator_page() -> None:
    answer = Gate(NOBODY).enter("")
    assert answer.behind is not None
    assert not scope_status(answer.behind).is_operator


# Being the operator


def test_header_with_the_token_is_the_operators() -> None:
    gate = Gate()
    assert gate.is_operator(**{HEADER: TOKEN})
    refused = gate.ask("/gradio_api/run/x", form={}, headers={HEADER: "wrong"})
    assert (refused.status, refused.behind) == (403, None)
    statuses = [gate.ask("/", headers={HEADER: "wrong"}).status for _ in range(ATTEMPTS_PER_MINUTE)]
    assert statuses[-1] == 429
    assert gate.is_operator(**{HEADER: TOKEN})


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:7860"},
        {"cookie": f"{COOKIE}="},
        {"cookie": f"{COOKIE}={TOKEN}"},
        {"cookie": f"{COOKIE}=None"},
        {"x-forwarded-for": "127.0.0.1"},
        {"authorization": f"Bearer {TOKEN}"},
    ],
    ids=str,
)
def test_address_host_and_forged_sign_in_prove_nothing(headers: dict[str, str]) -> None:
    gate = Gate()
    gate.enter()
    behind = gate.ask("/models", host="127.0.0.1", headers=headers).behind
    assert behind is not None
    assert not scope_status(behind).is_operator


@pytest.mark.parametrize(("site", "is_operator"), [("same-origin", True), ("none", True), ("same-site", False)])
def test_page_on_another_port_cannot_use_the_sign_in(site: str, is_operator: bool) -> None:
    gate = Gate()
    assert gate.is_operator(cookie=gate.enter().cookie, **{"sec-fetch-site": site}) is is_operator


def test_cookie_of_the_same_name_hides_no_sign_in() -> None:
    gate = Gate()
    cookie = gate.enter().cookie
    assert gate.is_operator(cookie=f"{COOKIE}=other; {cookie}")
    gate.ask(form={"sign_out": "1"}, headers={"cookie": f"{COOKIE}=other; {cookie}"})
    assert not gate.is_operator(cookie=cookie)


def test_sign_in_expires_and_ends_by_signing_out() -> None:
    gate = Gate()
    one, other = gate.enter().cookie, gate.enter().cookie
    out = gate.ask(form={"sign_out": "1"}, headers={"cookie": one})
    assert (out.status, out.location) == (303, "./models")
    assert out.header("set-cookie").startswith(f"{COOKIE}=; Path=/; Max-Age=0;")
    assert (gate.is_operator(cookie=one), gate.is_operator(cookie=other)) == (False, True)
    gate.now_s += SIGN_IN_S
    assert not gate.is_operator(cookie=other)


def test_oldest_of_too_many_sign_ins_ends() -> None:
    sign_ins = SignIns()
    ids = [sign_ins.start() for _ in range(MOST_SIGN_INS + 1)]
    assert [ids[0] in sign_ins, ids[1] in sign_ins, ids[-1] in sign_ins] == [False, True, True]


def test_cookie_does_not_hold_the_token() -> None:
    assert TOKEN not in Gate().enter().cookie


# On a Space


def test_author_of_a_space_is_the_operator_and_no_token_is_made() -> None:
    access = operator_access(Settings(), SPACE)
    assert (access.token, access.hub_names, access.names_are_set) == ("", ("ada",), False)
    assert access.hub_login == "https://ada-playground.hf.space/login/huggingface?_target_url=%2Foperator"


def test_setting_names_the_operators_of_a_space() -> None:
    settings = read_settings({}, {"PLAYGROUND_OPERATORS": "ben, cleo"})
    assert operator_access(settings, SPACE).hub_names == ("ben", "cleo")


def test_space_without_a_login_needs_a_set_token() -> None:
    environ = {name: value for name, value in SPACE.items() if not name.startswith("OAUTH")}
    assert operator_access(Settings(), environ) == NOBODY
    assert operator_access(Settings(operator_token=TOKEN), environ) == OperatorAccess(TOKEN)
    assert operator_access(Settings(locked=True), SPACE) == NOBODY


@pytest.mark.parametrize("name", ["SPACE_ID", "OAUTH_CLIENT_SECRET", "OPENID_PROVIDER_URL"])
def test_login_without_its_variables_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match=f"OAUTH_CLIENT_ID is set, but not {name}"):
        operator_access(Settings(), {**SPACE, name: ""})


def test_client_id_outside_a_space_attaches_no_login() -> None:
    environ = {name: value for name, value in SPACE.items() if name != "SYSTEM"}
    assert operator_access(Settings(), environ).hub_login == ""


def login(name: str, expires_at: float = 2000.0) -> dict[str, Any]:
    """Return the part of a login that Gradio keeps on the server."""
    return {"oauth_info": {"expires_at": expires_at, "userinfo": {"preferred_username": name}}}


def test_author_becomes_the_operator_and_the_login_is_dropped() -> None:
    gate, session = Gate(operator_access(Settings(), SPACE)), login("ada")
    answer = gate.ask(session=session)
    assert (answer.status, answer.location) == (303, "./operator")
    assert gate.is_operator(cookie=answer.cookie)
    assert session == {}


@pytest.mark.parametrize("name", ["Ada", "ben", "ada ", ""])
def test_another_hub_user_is_told_the_operators_name(name: str) -> None:
    answer = Gate(operator_access(Settings(), SPACE)).ask(session=login(name))
    assert answer.cookie == ""
    if name:
        assert answer.status == 403
        assert f"You are signed in to Hugging Face as {name}" in answer.body
        assert "If ada is an organisation, set PLAYGROUND_OPERATORS" in answer.body


@pytest.mark.parametrize("session", [{}, login("ada", 1000.0), {"oauth_info": None}, {"oauth_info": {"userinfo": {}}}])
def test_missing_or_expired_login_is_asked_for_again(session: dict[str, Any]) -> None:
    answer = Gate(operator_access(Settings(), SPACE)).ask(session=session)
    assert (answer.status, answer.cookie) == (200, "")
    assert "target='_blank'" in answer.body


def test_hub_login_outside_a_space_is_ignored() -> None:
    assert Gate().ask(session=login("ada")).cookie == ""
