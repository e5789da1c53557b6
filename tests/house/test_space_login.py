"""The login of a Space's operator with an OpenID provider on this machine, step by step as in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2 as httpx
import itsdangerous
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from tests.conftest import LiveApp, free_port, start_app, stop_app
from tests.support.browsing import visiting
from tests.support.oidc_server import CLIENT_ID, CLIENT_SECRET, Provider, providing
from tests.support.page_events import event_of

LOGIN = "/login/huggingface?_target_url=%2Foperator"
MODEL = "pocket-orca-mini"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Space:
    """An app with the environment of Ada's Space, and its OpenID provider."""

    app: LiveApp
    hub: Provider


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    with providing(free_port()) as hub:
        app = start_app(
            tmp_path_factory.mktemp("space"),
            f"--models={MODEL}",
            forked=False,  # Gradio reads the variables of the login while it is imported
            PLAYGROUND_OPERATOR_TOKEN="",
            SYSTEM="spaces",
            SPACE_ID="ada/playground",
            SPACE_AUTHOR_NAME="ada",
            OAUTH_CLIENT_ID=CLIENT_ID,
            OAUTH_CLIENT_SECRET=CLIENT_SECRET,
            OAUTH_SCOPES="openid profile",
            OPENID_PROVIDER_URL=hub.url,
        )
        yield Space(app, hub)
        stop_app(app)


@dataclass
class Browser:
    """A client that also keeps Secure cookies over http, as browsers do on this machine and httpx does not."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, address: str) -> httpx.Response:
        return self._kept(httpx.get(self._whole(address), headers=self._headers(), timeout=60))

    def post(self, address: str, **how: object) -> httpx.Response:
        headers = {**self._headers(), "Origin": self.url}
        return self._kept(httpx.post(self._whole(address), headers=headers, timeout=60, **how))

    def follow(self, address: str) -> list[httpx.Response]:
        """Return every reply up to the last redirect's."""
        replies = [self.get(address)]
        while (location := replies[-1].headers.get("location")) is not None:
            assert len(replies) < 10
            replies.append(self.get(str(replies[-1].url.join(location))))
        return replies

    def unloads(self, space: Space) -> bool:
        body = {
            "fn_index": event_of(space.app, "models-list", "click"),
            "data": [],
            "session_hash": "abc",
            "event_data": {"do": "unload", "model": MODEL},
        }
        reply = self.post("/gradio_api/run/predict", json=body)
        assert reply.status_code == 200, reply.text
        return "Only the operator" not in reply.text

    def _whole(self, address: str) -> str:
        return address if address.startswith("http") else self.url + address

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def _kept(self, reply: httpx.Response) -> httpx.Response:
        for cookie in reply.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in cookie or "1970" in cookie:
                del self.cookies[name]
        return reply


def test_author_signs_in_becomes_the_operator_and_signs_out(space: Space) -> None:
    browser = Browser(space.app.url)
    assert not browser.unloads(space)
    space.hub.user = "ada"
    replies = browser.follow(LOGIN)
    assert [reply.url.path for reply in replies] == [
        "/login/huggingface", "/oauth/authorize", "/login/callback", "/operator", "/operator",
    ]  # fmt: skip
    assert replies[-1].status_code == 200
    assert set(browser.cookies) == {"playground_operator", "playground_rater"}, "the login itself is not kept"
    assert browser.unloads(space)
    browser.post("/operator", data={"sign_out": "1"})
    assert not browser.unloads(space)


@pytest.mark.parametrize("user", ["ben", "Ada", "ada-playground"])
def test_another_user_does_not_become_the_operator(space: Space, user: str) -> None:
    browser = Browser(space.app.url)
    space.hub.user = user
    last = browser.follow(LOGIN)[-1]
    assert last.status_code == 403
    assert f"You are signed in to Hugging Face as {user}. The operator of this playground is the Space" in last.text
    assert "playground_operator" not in browser.cookies
    assert not browser.unloads(space)


def test_login_begun_in_another_browser_is_refused(space: Space) -> None:
    """A callback with another browser's state and code would sign the victim in as somebody else."""
    attacker, victim = Browser(space.app.url), Browser(space.app.url)
    space.hub.user = "ada"
    consent = attacker.get(LOGIN).headers["location"]
    callback = attacker.get(consent).headers["location"]
    assert "oauth_info" not in str(victim.get(callback).headers)
    assert victim.get("/operator").status_code == 200
    assert "playground_operator" not in victim.cookies


def test_cookie_of_a_forged_login_is_refused(space: Space) -> None:
    """Gradio's mocked login signs with a key that is known: that of an empty secret."""
    info = {"oauth_info": {"expires_at": int(time.time()) + 999, "userinfo": {"preferred_username": "ada"}}}
    signer = itsdangerous.TimestampSigner(hashlib.sha256(b"-v4").hexdigest())
    forged = signer.sign(base64.b64encode(json.dumps(info).encode())).decode()
    browser = Browser(space.app.url, {"session": forged})
    assert browser.get("/operator").status_code == 200
    assert "playground_operator" not in browser.cookies


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "////evil.example/operator"]
)
def test_login_redirects_to_no_other_site(space: Space, target: str) -> None:
    replies = Browser(space.app.url).follow(str(httpx.URL("/login/huggingface", params={"_target_url": target})))
    hosts = {reply.url.host for reply in replies}
    assert hosts == {"127.0.0.1"}


def test_space_prints_no_token_and_shows_no_secret(space: Space) -> None:
    log = space.app.log.read_text()
    assert "operator?token" not in log
    assert CLIENT_SECRET not in log
    config = httpx.get(f"{space.app.url}/config", timeout=60).text
    assert CLIENT_SECRET not in config
    named = httpx.get(f"{space.app.url}/gradio_api/info", timeout=60).json()["named_endpoints"]
    assert not [name for name in named if re.search("login", name)]


def test_logout_and_other_routes_of_gradio_are_closed(space: Space) -> None:
    for path in ("/logout", "/login", "/gradio_api/token"):
        assert httpx.get(space.app.url + path, timeout=60).status_code == 404


@pytest.mark.browser
def test_button_of_the_models_page_signs_in_in_a_new_tab(space: Space, browser: Chromium) -> None:
    space.hub.user = "ada"
    with visiting(browser, space.app.url) as visitor:
        visitor.page.goto(f"{space.app.url}/models")
        link = visitor.page.get_by_role("link", name="Sign in with Hugging Face")
        with visitor.page.context.expect_page() as opened:
            link.click()
        expect(opened.value).to_have_url(f"{space.app.url}/models")
        expect(opened.value.locator("#models-operator")).to_contain_text("You are the operator in this browser.")
        expect(opened.value.locator("[data-do]:visible").first).to_be_visible()
        assert {cookie["name"] for cookie in opened.value.context.cookies()} == {
            "playground_operator",
            "playground_rater",
        }


def test_space_without_a_variable_of_the_login_does_not_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(RuntimeError, match="OAUTH_CLIENT_ID is set, but not OAUTH_CLIENT_SECRET"):
        start_app(
            tmp_path_factory.mktemp("half"), SYSTEM="spaces", SPACE_ID="ada/playground", OAUTH_CLIENT_ID=CLIENT_ID
        )
