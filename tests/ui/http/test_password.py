"""The password gate, cookie, form and limits of a private instance."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from playground.ui.http.limits import ATTEMPTS_PER_MINUTE
from playground.ui.http.password import COOKIE, COOKIE_MAX_AGE_S, STARTED, PasswordGate
from tests.support.asking import BROWSER, Answer, ask

PASSWORD = "grüner Tee; 50 %"


@pytest.fixture(autouse=True)
def _quick_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys in few rounds: hundreds of gates are made here."""
    monkeypatch.setattr("playground.ui.http.password.KEY_ROUNDS", 2)


class Gate:
    """One gate for several requests, with a clock that the test sets."""

    def __init__(self, password: str = PASSWORD) -> None:
        self.now_s = 1_000_000.0
        self._gates: list[PasswordGate] = []
        self._password = password

    def _made(self, app: Any) -> PasswordGate:
        """Return the same gate each time, around another app."""
        if not self._gates:
            self._gates.append(PasswordGate(app, self._password, now_s=lambda: self.now_s))
        self._gates[0]._app = app
        return self._gates[0]

    def ask(self, address: str = "/", **how: Any) -> Answer:
        return ask(self._made, address=address, **how)

    def post(self, password: str = PASSWORD, then: str = "", browser: bool = True, **how: Any) -> Answer:
        headers = BROWSER if browser else {}
        return self.ask("/login", form={"password": password, "next": then}, headers=headers, **how)

    def lets_in(self, **headers: str) -> bool:
        return self.ask(headers=headers).behind is not None


def basic(password: str, user: str = "anybody") -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize(
    "address",
    ["/", "/leaderboard", "/config", "/theme.css", "/assets/index.js", "/static/img/logo.svg", "/favicon.ico",
     "/robots.txt", "/operator", "/operator?token=x", "/login/huggingface", "/logout", "/x", "//", "/health/x",
     "/gradio_api/info", "/gradio_api/queue/data", "/gradio_api/call/compare/1", "/gradio_api/heartbeat/1"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
def test_nothing_is_reached_without_the_password(address: str, method: str) -> None:
    for headers in ({}, BROWSER):
        answer = Gate().ask(address, method=method, headers=headers)
        assert (answer.status, answer.behind) == (401, None)
        assert "basic" not in answer.header("www-authenticate").lower(), (
            "a browser would send it with other sites' requests"
        )
        assert (answer.body == "") is (method == "HEAD")


def test_browser_gets_a_form_and_program_a_message() -> None:
    form = Gate().ask("/leaderboard?category=code", headers=BROWSER).body
    assert "<label for='secret'>Password</label>" in form
    assert "action='./login'" in form
    assert "value='leaderboard?category=code'" in form
    assert not re.search(r"(src|href)=[\"'](?!data:,)", form), "nothing is loaded from elsewhere"
    assert "<script" not in form
    assert "prefers-color-scheme: dark" in form
    assert "send its password as HTTP Basic" in Gate().ask("/config").body


def test_form_sets_a_cookie_and_redirects_to_the_requested_page() -> None:
    gate = Gate()
    answer = gate.post(then="leaderboard?category=code")
    assert (answer.status, answer.location) == (303, "./leaderboard?category=code")
    assert answer.header("cache-control") == "no-store"
    assert gate.lets_in(cookie=f'prefs={{"a":"b"}}; {answer.cookie}')
    assert PASSWORD not in str(answer.headers)


def test_cookie_is_scoped_and_survives_links_from_other_sites() -> None:
    cookie = Gate().post(root_path="/play").header("set-cookie")
    assert re.fullmatch(
        rf"{COOKIE}=\d+\.[0-9a-f]{{64}}; Path=/play; Max-Age={COOKIE_MAX_AGE_S}; HttpOnly; SameSite=Lax", cookie
    )
    assert (
        Gate()
        .post(scheme="https")
        .header("set-cookie")
        .endswith("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure")
    )


def test_cookie_outlasts_a_restart_and_no_other_password() -> None:
    cookie = Gate().post().cookie
    assert Gate().lets_in(cookie=cookie)
    assert not Gate("another password").lets_in(cookie=cookie)


def test_cookie_expires() -> None:
    gate = Gate()
    cookie = gate.post().cookie
    gate.now_s += COOKIE_MAX_AGE_S - 1
    assert gate.lets_in(cookie=cookie)
    gate.now_s += 1
    assert not gate.lets_in(cookie=cookie)


@pytest.mark.parametrize(
    "value", ["", ".", "9999999999.", "9999999999.00", "²." + "0" * 64, "1" * 30, f"{PASSWORD}", "é.é"]
)
def test_forged_cookie_is_refused(value: str) -> None:
    assert not Gate().lets_in(cookie=f"{COOKIE}={value}")


def test_cookie_cannot_be_prolonged() -> None:
    mac = Gate().post().cookie.partition(".")[2]
    assert not Gate().lets_in(cookie=f"{COOKIE}=9999999999.{mac}")


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", PASSWORD[:-1]])
def test_wrong_password_shows_the_form_again(password: str) -> None:
    answer = Gate().post(password, then="models")
    assert (answer.status, answer.cookie) == (401, "")
    assert "role='alert'" in answer.body
    assert "aria-describedby='error'" in answer.body
    assert "value='models'" in answer.body


def test_wrong_passwords_are_limited_per_address_and_way() -> None:
    gate = Gate()
    cookie = gate.post().cookie
    assert [gate.post("wrong").status for _ in range(ATTEMPTS_PER_MINUTE + 1)] == [401] * ATTEMPTS_PER_MINUTE + [429]
    refused = gate.post()
    assert (refused.status, refused.cookie) == (429, ""), "or the limit would limit nothing"
    assert 0 < int(refused.header("retry-after")) <= 6
    assert gate.lets_in(cookie=cookie)
    assert gate.lets_in(authorization=basic(PASSWORD))
    assert gate.post(host="203.0.113.8").status == 303


def test_wrong_basic_passwords_are_limited() -> None:
    gate = Gate()
    statuses = [gate.ask(headers={"authorization": basic("wrong")}).status for _ in range(ATTEMPTS_PER_MINUTE + 1)]
    assert statuses == [401] * ATTEMPTS_PER_MINUTE + [429]
    assert not gate.lets_in(authorization=basic(PASSWORD))
    assert gate.post().status == 303


def test_http_basic_passes_with_any_user_name() -> None:
    assert Gate().lets_in(authorization=basic(PASSWORD))
    assert Gate().lets_in(authorization=basic(PASSWORD, "").replace("Basic", "basic"))


@pytest.mark.parametrize("header", ["Basic", "Basic !!", "Basic YWJj", "Bearer abc", f"Basic {PASSWORD}"])
def test_other_authorization_headers_count_as_no_attempt(header: str) -> None:
    gate = Gate()
    statuses = {gate.ask(headers={"authorization": header}).status for _ in range(ATTEMPTS_PER_MINUTE + 1)}
    assert statuses == {401}


def test_gradio_client_logs_in_without_a_redirect() -> None:
    answer = Gate().post(browser=False)
    assert (answer.status, answer.body) == (200, '{"success": true}')
    assert Gate().lets_in(cookie=answer.cookie)
    assert Gate().post("wrong", browser=False).body == '{"error": "This is not the password of this playground."}'


@pytest.mark.parametrize(
    "then",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "../admin",
        "a\r\nset-cookie: x=y",
        "/models",
        "é",
        "<b>",
    ],
)
def test_form_redirects_to_no_other_site(then: str) -> None:
    assert Gate().post(then=then).location == "./"


def test_form_redirects_to_no_other_scheme() -> None:
    assert Gate().post(then="javascript:alert(1)").location == "./javascript:alert(1)"


def test_form_stays_below_the_root_path() -> None:
    form = Gate().ask("/models", headers=BROWSER, root_path="/play").body
    assert "action='/play/login'" in form
    assert Gate().post(then="models", root_path="/play").location == "/play/models"


def test_login_page_redirects_with_a_cookie() -> None:
    gate = Gate()
    cookie = gate.post().cookie
    assert (gate.ask("/login").status, gate.ask("/login", headers={"cookie": cookie}).location) == (200, "./")


def test_frame_shows_a_link_instead_of_the_form() -> None:
    page = Gate().ask("/models", headers={**BROWSER, "sec-fetch-dest": "iframe"}).body
    assert "<form" not in page
    assert "<a href='./models' target='_blank' rel='noopener'>" in page


def test_websocket_without_the_password_is_closed() -> None:
    gate = Gate()
    assert gate.ask(kind="websocket").closed == 1008
    assert gate.ask(kind="websocket", headers={"cookie": gate.post().cookie}).behind is not None


def test_startup_request_of_gradio_passes_once() -> None:
    gate = Gate()
    assert gate.ask(STARTED).behind is not None
    assert gate.ask(STARTED).behind is None
