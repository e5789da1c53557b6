"""The head of a page: its own title and preview, no other host, and HEAD answered as GET."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import gradio
import pytest

from playground.ui.http.asgi import Message, Receive, Scope, Send
from playground.ui.http.page_head import (
    LinkPreview,
    PageHead,
    Translation,
    WrittenHead,
    address_of_page,
    own_address,
    rewrite,
)
from playground.ui.texts.language import Language, speaking
from tests.support.pseudo import PseudoTranslations

GRADIO = Path(gradio.__file__).parent / "templates" / "frontend" / "index.html"
HEADS = {"/leaderboard": "<script>board()</script>", "/": "<script>compare()</script>"}
PREVIEW = LinkPreview("Board · Playground", 'Ranked by "votes" & <intervals>')
HTML = (b"content-type", b"text/html; charset=utf-8")


def template() -> bytes:
    """Return Gradio's own page, its configuration filled in as a program would."""
    text = GRADIO.read_text("utf-8").replace(
        "{{ config | toorjson }}", '{"title":"Gradio","head":"\\u003c/head>","components":[]}'
    )
    return re.sub(r"{{.*?}}", "", text).encode()


def ask(method: str = "GET", path: str = "/leaderboard", query: bytes = b"", **scope: Any) -> tuple[Message, bytes]:
    """Return the start and the body of the response, through the middleware, of an app that only knows GET."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = scope["method"] == "GET"
        body = template() if found else b"no"
        start = {"type": "http.response.start", "status": 200 if found else 405}
        await send({**start, "headers": [HTML, (b"content-length", str(len(body)).encode()), (b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": body[:5000], "more_body": True})
        await send({"type": "http.response.body", "body": body[5000:]})

    async def send(message: Message) -> None:
        sent.append(message)

    request: Scope = {"type": "http", "method": method, "path": path, "query_string": query, "scheme": "http"}
    request |= {"headers": [(b"host", b"localhost:7860")], "root_path": ""}
    translations = scope.pop("translations", None)
    previews = dict.fromkeys(HEADS, PREVIEW)
    page = PageHead(app, previews, HEADS, space_id=scope.pop("space_id", ""), translations=translations)
    asyncio.run(page(request | scope, None, send))  # type: ignore[arg-type]  # the app reads nothing
    return sent[0], b"".join(message.get("body", b"") for message in sent[1:])


def header(start: Message, name: bytes) -> bytes:
    return bytes(dict(start["headers"])[name])


def metas(page: bytes) -> dict[str, str]:
    return dict(re.findall(r"<meta (?:name|property)='([^']+)' content='([^']*)'>", page.decode()))


def test_page_has_its_own_title_description_and_picture() -> None:
    start, page = ask()
    assert b"<title>Board \xc2\xb7 Playground</title>" in page
    assert 'window.gradio_config.title = "Board · Playground";' in page.decode()
    assert metas(page) | {
        "og:title": "Board · Playground",
        "og:description": "Ranked by &quot;votes&quot; &amp; &lt;intervals&gt;",
        "og:url": "http://localhost:7860/leaderboard",
        "og:image": "http://localhost:7860/picture.png",
    } == metas(page)
    assert header(start, b"content-length") == str(len(page)).encode()
    assert header(start, b"x-own") == b"1"


def test_page_names_no_other_host() -> None:
    page = ask()[1].decode().replace("http://localhost:7860", "")
    named = set(re.findall(r"https?://([\w.-]+)", page))
    assert named == set()
    assert "{url}" not in page
    assert "gradio" not in page.partition("<script>window.gradio_config")[0].lower()


def test_page_says_without_scripts_what_is_missing() -> None:
    page = ask()[1].decode()
    assert page.index("<noscript>") < page.index("<gradio-app")
    assert "needs JavaScript" in page


def test_shared_battle_has_a_preview_of_its_own_that_tells_nothing() -> None:
    shown = metas(ask(path="/", query=b"battle=0123&x=1")[1])
    assert shown["og:title"] == "One instruction, several answers · Playground"
    assert shown["og:url"] == "http://localhost:7860/?battle=0123&amp;x=1"
    assert metas(ask(path="/", query=b"battle=4567&x=1")[1]) | {"og:url": ""} == shown | {"og:url": ""}
    assert metas(ask(path="/", query=b"x=1")[1])["og:title"] == PREVIEW.title


def test_address_of_a_space_is_the_hubs() -> None:
    shown = metas(ask(path="/", query=b"battle=0123", space_id="ada/playground")[1])
    assert shown["og:url"] == "https://huggingface.co/spaces/ada/playground?battle=0123"
    assert shown["og:image"] == "http://localhost:7860/picture.png"


@pytest.mark.parametrize(
    ("scope", "address"),
    [
        ({}, "http://localhost:7860"),
        ({"root_path": "/play/", "scheme": "https"}, "https://localhost:7860/play"),
        ({"root_path": "https://example.org/play/"}, "https://example.org/play"),
        ({"headers": [(b"host", b"inside"), (b"x-forwarded-host", b"example.org, inner")]}, "http://example.org"),
        ({"headers": [(b"host", b"[::1]:7860")]}, "http://[::1]:7860"),
        ({"headers": [(b"host", b"<script>")]}, ""),
        ({"headers": []}, ""),
    ],
)
def test_own_address_is_as_the_browser_sees_it(scope: Scope, address: str) -> None:
    asked = {"headers": [(b"host", b"localhost:7860")], "scheme": "http", "root_path": "", "path": "/models"} | scope
    assert own_address(asked) == address
    assert address_of_page(asked) == (f"{address}/models" if address else "")


def test_page_without_an_address_has_no_address_in_its_preview() -> None:
    shown = metas(ask(headers=[])[1])
    assert "og:url" not in shown
    assert "og:image" not in shown
    assert shown["og:title"] == PREVIEW.title


@pytest.mark.parametrize("path", ["/leaderboard", "/config", "/picture.png"])
def test_head_gets_the_headers_of_get_alone(path: str) -> None:
    got, body = ask(path=path)
    start, nothing = ask("HEAD", path)
    assert (start, nothing) == (got, b"")
    assert header(start, b"content-length") == str(len(body)).encode()


def test_head_of_an_event_is_not_turned_into_get() -> None:
    assert ask("HEAD", "/gradio_api/queue/data")[0]["status"] == 405


def test_picture_is_a_small_png_of_the_size_that_previews_show() -> None:
    start, picture = ask(path="/picture.png")
    assert header(start, b"content-type") == b"image/png"
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (1200, 630)
    assert len(picture) < 60_000


def test_refusal_is_passed_on() -> None:
    assert rewrite(b"no page", WrittenHead("x", "y", "z")) == b"no page"


def test_page_names_its_language_and_direction() -> None:
    start, page = ask()
    assert b'lang="en" data-language="en" dir="ltr"' in page
    with speaking(Language("ar", PseudoTranslations())):
        start, page = ask()
    assert b'lang="ar" data-language="ar" dir="rtl"' in page
    assert (header(start, b"content-language"), header(start, b"vary")) == (b"ar", b"Accept-Language")


def test_page_has_the_components_of_its_language() -> None:
    config = {"title": "Playground", "components": [{"id": 7, "props": {"label": "Stop"}}]}
    page = f"<script>window.gradio_config = {json.dumps(config)};</script><script>more</script>".encode()
    told = rewrite(page, WrittenHead("Spielplatz", "", "", {7: {"label": "Halt </script>"}})).decode()
    script, _, rest = told.removeprefix("<script>window.gradio_config = ").partition(";</script>")
    props = {"label": "Halt </script>"}
    assert json.loads(script) == {**config, "components": [{"id": 7, "props": props}]}
    assert rest == "<script>more</script>"


def test_page_has_its_own_scripts_in_its_language() -> None:
    def head_of(path: str) -> str:
        page = ask(path=path, translations={"de": Translation({}, {"/leaderboard": "<script>tafel()</script>"})})[1]
        assert page.count(b"window.gradio_config.head = ") == 1
        told = page.partition(b"window.gradio_config.head = ")[2].partition(b";</script></head>")[0]
        assert b"</script>" not in told
        return str(json.loads(told))

    assert [head_of(path) for path in HEADS] == list(HEADS.values())
    with speaking(Language("de", PseudoTranslations())):
        assert head_of("/leaderboard") == "<script>tafel()</script>"
