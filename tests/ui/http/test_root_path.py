"""The root path of a proxy: reading it, stripping it, and links and cookies below it."""

from __future__ import annotations

from typing import Any

import pytest

from playground.errors import InvalidValue
from playground.ui.http.root_path import (
    VARIABLE,
    StripRootPath,
    link_to,
    read_root_path,
    read_space_id,
    root_of,
    set_cookie,
)
from tests.support.asking import ask


@pytest.mark.parametrize(
    ("root_path", "root", "cookie"),
    [
        ("", "", "/"),
        ("/", "", "/"),
        ("/play", "/play", "/play"),
        ("/play/", "/play", "/play"),
        ("https://example.org/play", "/play", "/play"),
        ("https://example.org", "", "/"),
        ("/a;b", "/a%3Bb", "/a%3Bb"),
    ],
)
def test_root_path_in_the_scope_is_a_path_or_a_whole_address(root_path: str, root: str, cookie: str) -> None:
    scope: dict[str, Any] = {"root_path": root_path, "path": "/"}
    assert root_of(scope) == root
    assert f"; Path={cookie}; ".encode() in set_cookie(scope, "name", "value", 1, "Lax")[1]


@pytest.mark.parametrize(
    ("root_path", "path", "page", "link"),
    [
        ("", "/", "models", "./models"),
        ("", "/operator", "models", "./models"),
        ("", "/operator/", "models", "../models"),
        ("", "/gradio_api/call/compare", "login", "../../login"),
        ("", "/login", "", "./"),
        ("/play", "/operator", "models", "/play/models"),
        ("/play", "/login", "", "/play/"),
    ],
)
def test_links_are_relative_without_a_root_path(root_path: str, path: str, page: str, link: str) -> None:
    assert link_to({"root_path": root_path, "path": path}, page) == link


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/play/models", "/models"), ("/play", "/"), ("/play/", "/"), ("/models", "/models"), ("/player", "/player")],
)
def test_root_path_may_be_stripped_by_the_proxy_or_not(path: str, seen: str) -> None:
    behind = ask(StripRootPath, address=path, root_path="/play").behind
    assert behind is not None
    assert (behind["path"], behind["root_path"]) == (seen, "/play")


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("", ""),
        ("/", ""),
        ("/play", "/play"),
        ("/play/", "/play"),
        ("/a/b", "/a/b"),
        ("https://example.org", "https://example.org"),
        ("https://example.org/play/", "https://example.org/play"),
    ],
)
def test_variable_is_a_path_or_a_whole_address(given: str, root: str) -> None:
    assert read_root_path({VARIABLE: given}) == root


@pytest.mark.parametrize("given", ["play", "//evil.example", "/a b", "ftp://x", "/play; Domain=x", "/a?b", "https://"])
def test_any_other_value_is_refused(given: str) -> None:
    with pytest.raises(InvalidValue, match="valid: a path such as /play"):
        read_root_path({VARIABLE: given})


@pytest.mark.parametrize(
    ("scheme", "same_site", "ending"),
    [
        ("http", "Strict", "SameSite=Strict"),
        ("https", "Strict", "SameSite=Strict; Secure"),
        ("http", "None", "SameSite=Lax"),
        ("https", "None", "SameSite=None; Secure; Partitioned"),
    ],
)
def test_cookie_is_secure_over_https_and_works_in_frames_if_asked(scheme: str, same_site: Any, ending: str) -> None:
    name, value = set_cookie({"scheme": scheme}, "name", "value", 60, same_site)
    assert (name, value.decode()) == (b"set-cookie", f"name=value; Path=/; Max-Age=60; HttpOnly; {ending}")


@pytest.mark.parametrize(
    ("environ", "space_id"),
    [
        ({"SYSTEM": "spaces", "SPACE_ID": "org/arena"}, "org/arena"),
        ({"SPACE_ID": "org/arena"}, ""),
        ({"SYSTEM": "spaces"}, ""),
        ({}, ""),
    ],
)
def test_the_space_is_known_on_the_hub_only(environ: dict[str, str], space_id: str) -> None:
    assert read_space_id(environ) == space_id
