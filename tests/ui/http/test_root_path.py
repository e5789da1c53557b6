"""Addresses and cookies below the path of a proxy."""

from __future__ import annotations

from typing import Any

import pytest

from playground.ui.http.root_path import StripRootPath, address, cookie_path, root_of
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
def test_root_path_is_a_path_or_a_whole_address(root_path: str, root: str, cookie: str) -> None:
    scope: dict[str, Any] = {"root_path": root_path, "path": "/"}
    assert (root_of(scope), cookie_path(scope)) == (root, cookie)


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
def test_links_stay_below_a_path_that_nobody_told(root_path: str, path: str, page: str, link: str) -> None:
    assert address({"root_path": root_path, "path": path}, page) == link


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/play/models", "/models"), ("/play", "/"), ("/play/", "/"), ("/models", "/models"), ("/player", "/player")],
)
def test_proxy_may_strip_the_path_or_leave_it(path: str, seen: str) -> None:
    behind = ask(StripRootPath, address=path, root_path="/play").behind
    assert behind is not None
    assert (behind["path"], behind["root_path"]) == (seen, "/play")
