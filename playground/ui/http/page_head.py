"""Give each page its own title, description and picture, and answer HEAD as GET.

Gradio serves one title for all pages, its own name and a picture of another host in the preview of a link, and nothing
without JavaScript. Its configuration has the texts of components in one language.

Boundary: pure ASGI; rewrites the beginning of a page. Of components it knows their ids and properties.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playground.ui.http.asgi import ASGIApp, Header, Message, Receive, Scope, Send, headers_of
from playground.ui.http.calls import PREFIX
from playground.ui.http.root_path import root_of
from playground.ui.rendering import escape
from playground.ui.texts import TITLE
from playground.ui.texts import previews as texts
from playground.ui.texts.language import present, said

HUB = "https://huggingface.co"
SPACE = "playground.space"
"""The scope's key for owner and name of the Space that this is; "" elsewhere."""
PICTURE = "/picture.png"
PICTURE_FILE = Path(__file__).parents[1] / "assets" / "picture.png"
PICTURE_SIZE = (1200, 630)
"""Width and height, as previews of links show them."""
_OWN_PREVIEW = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
_CONFIG = b"<script>window.gradio_config"
_CHARSET = b'<meta charset="utf-8" />'
_LANGUAGE = b'lang="en"'
_END_OF_SCRIPT = b"</script>"
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[\da-fA-F:.]+\](:\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """Title and description of a page."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Translation:
    """The configuration of all pages in one language, as far as it differs."""

    components: Mapping[int, Mapping[str, Any]]  # properties by id
    heads: Mapping[str, str]  # scripts and styles by the path of their page


@dataclass(frozen=True, slots=True)
class WrittenHead:
    """The parts of one page that are written in place of Gradio's."""

    title: str  # the script of the page sets the one that its configuration has
    tags: str  # of its head
    head: str  # its scripts and styles, which Gradio's script puts into the head
    components: Mapping[int, Mapping[str, Any]] | None = None  # properties by id, in another language


SHARED_BATTLE = LinkPreview(texts.BATTLE_TITLE, texts.BATTLE)


class PageHead:
    """Rewrite the head of the pages in `previews`, given by path; serve the picture of their links.

    Args:
        heads: scripts and styles by the path of their page, in English.
        translations: by the tag of their language; a page in a language without one is not translated.
    """

    def __init__(
        self,
        app: ASGIApp,
        previews: Mapping[str, LinkPreview],
        heads: Mapping[str, str],
        space_id: str = "",
        translations: Mapping[str, Translation] | None = None,
    ) -> None:
        self._app = app
        self._previews = previews
        self._heads = heads
        self._space_id = space_id
        self._translations = translations or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, SPACE: self._space_id}
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        answer = _without_body(send) if scope["method"] == "HEAD" else send
        preview = self._preview(scope)
        if scope["path"] == PICTURE:
            await _send_picture(answer)
        elif preview is None:
            await self._app({**scope, "method": "GET"}, receive, answer)
        else:
            translation = self._translations.get(present().tag)
            heads = self._heads if translation is None else translation.heads
            written = WrittenHead(
                said(preview.title),
                page_head(preview, own_address(scope), address_of_page(scope)),
                heads[scope["path"]],
                None if translation is None else translation.components,
            )
            await self._app({**scope, "method": "GET"}, receive, _rewriting(answer, written))

    def _preview(self, scope: Scope) -> LinkPreview | None:
        preview = self._previews.get(scope["path"])
        is_battle = scope["path"] == "/" and "battle" in parse_qs(scope.get("query_string", b"").decode("latin-1"))
        return SHARED_BATTLE if is_battle else preview


def own_address(scope: Scope) -> str:
    """Return the address of the start page as the browser sees it, without a slash at its end; "" if it is unknown."""
    given = str(scope.get("root_path", ""))
    if urlsplit(given).netloc:
        return given.rstrip("/")
    headers = headers_of(scope)
    host = headers.get("x-forwarded-host", headers.get("host", "")).partition(",")[0].strip()
    return f"{scope.get('scheme', 'http')}://{host}{root_of(scope)}" if _HOST.fullmatch(host) else ""


def space_of(scope: Scope) -> str:
    """Return owner and name of the Space that answers the request; "" if it is none."""
    return str(scope.get(SPACE, ""))


def hub_page(space_id: str) -> str:
    """Return the address of a Space's page at the hub; "" if it is not a Space."""
    return f"{HUB}/spaces/{space_id}" if space_id else ""


def address_of_page(scope: Scope) -> str:
    """Return the address of a page to give to others: the start page of a Space is at the hub. "" if it is unknown."""
    query = scope.get("query_string", b"").decode("latin-1") if scope["path"] == "/" else ""
    suffix = f"?{query}" if "battle" in parse_qs(query) else ""
    at_hub = hub_page(space_of(scope))
    if at_hub and scope["path"] == "/":
        return f"{at_hub}{suffix}"
    base = own_address(scope)
    return f"{base}{scope['path']}{suffix}" if base else ""


def page_head(preview: LinkPreview, base: str, address: str) -> str:
    """Return the tags of a page's head; those that need a whole address only if there is one."""
    width, height = PICTURE_SIZE
    named = {"description": preview.description, "twitter:card": "summary_large_image"}
    properties = {
        "og:type": "website",
        "og:site_name": TITLE,
        "og:title": preview.title,
        "og:description": preview.description,
        "og:url": address,
        "og:image": f"{base}{PICTURE}" if base else "",
        "og:image:alt": texts.PICTURE,
        "og:image:width": str(width),
        "og:image:height": str(height),
    }
    return (
        f"<title>{escape(preview.title)}</title><link rel='icon' href='./favicon.ico'>"
        + _metas("name", named.items())
        + _metas("property", properties.items())
    )


def _metas(attribute: str, pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<meta {attribute}='{name}' content='{escape(value)}'>" for name, value in pairs if value)


def rewrite(page: bytes, written: WrittenHead) -> bytes:
    """Return a page of Gradio's with another head, its language, and a sentence for browsers without scripts."""
    begin, config, rest = page.partition(_CONFIG)
    begin = _OWN_PREVIEW.sub(b"", begin).replace(_CHARSET, _CHARSET + written.tags.encode(), 1)
    language = present()
    begin = begin.replace(
        _LANGUAGE, f'lang="{language.tag}" data-language="{language.tag}" dir="{language.direction}"'.encode(), 1
    )
    if written.components is not None:
        rest = _translated(rest, written.components)
    own = f"title = {_script(written.title)}; window.gradio_config.head = {_script(written.head)}"
    rest = rest.replace(b"</head>", f"<script>window.gradio_config.{own};</script></head>".encode(), 1)
    no_script = f"<noscript><p style='margin:auto;padding:24px;max-width:60ch'>{escape(texts.NO_SCRIPT)}</p></noscript>"
    return begin + config + rest.replace(b"<gradio-app", no_script.encode() + b"<gradio-app", 1)


def _translated(rest: bytes, components: Mapping[int, Mapping[str, Any]]) -> bytes:
    """Return the page from its configuration on, with the texts of another language in it."""
    assignment, _, after = rest.partition(_END_OF_SCRIPT)
    config = json.loads(assignment.decode().strip().removeprefix("=").removesuffix(";"))
    for component in config["components"]:
        component["props"] = components[component["id"]]
    return f" = {_script(config)};".encode() + _END_OF_SCRIPT + after


def _script(value: object) -> str:
    """Return JSON that may stand in a script."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _rewriting(send: Send, written: WrittenHead) -> Send:
    """Hold a page back until it is whole, then send it rewritten; pass anything else on."""
    started: list[Message] = []
    parts: list[bytes] = []

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            started.append(message)
        elif not started:
            await send(message)
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                body = rewrite(b"".join(parts), written)
                kept = [header for header in started[0]["headers"] if header[0] != b"content-length"]
                length = (b"content-length", str(len(body)).encode())
                await send({**started[0], "headers": [*kept, length, *_language_headers()]})
                await send({"type": "http.response.body", "body": body})

    return sent


def _language_headers() -> tuple[Header, ...]:
    return (b"content-language", present().tag.encode()), (b"vary", b"Accept-Language")


def _is_page(message: Message) -> bool:
    content_type = bytes(dict(message.get("headers", [])).get(b"content-type", b""))
    return bool(message["status"] == 200 and content_type.startswith(b"text/html"))


def _without_body(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sent


async def _send_picture(send: Send) -> None:
    picture = PICTURE_FILE.read_bytes()
    headers = [
        (b"content-type", b"image/png"),
        (b"content-length", str(len(picture)).encode()),
        (b"cache-control", b"public, max-age=86400"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": picture})
