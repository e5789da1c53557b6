"""Cookies are read whatever else stands beside them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ui.cookies import read_cookie, set_cookie


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ours=abc", "abc"),
        ("a=b; ours=abc; c=d", "abc"),
        ('prefs={"theme":"dark"}; ours=abc', "abc"),
        ("bad[name]=1; ours=abc", "abc"),
        ("a=b=c;ours=abc", "abc"),
        ("; ;ours = abc ", "abc"),
        ("ours=a=b", "a=b"),
        ("ours=", ""),
        ("ours=first; ours=second", "first"),
        ("ours", None),
        ("theirours=abc", None),
        ("", None),
    ],
)
def test_cookie_is_read_beside_foreign_ones(header: str, value: str | None) -> None:
    assert read_cookie(header, "ours") == value


@given(st.lists(st.text().filter(lambda text: "ours" not in text and ";" not in text)))
def test_no_foreign_cookie_hides_ours(foreign: list[str]) -> None:
    assert read_cookie("; ".join([*foreign, "ours=abc"]), "ours") == "abc"


def test_cookie_that_is_set_is_hidden_from_scripts() -> None:
    plain = set_cookie("ours", "abc", path="/play", max_age_s=60, same_site="Strict", secure=False)
    assert plain == (b"set-cookie", b"ours=abc; Path=/play; Max-Age=60; HttpOnly; SameSite=Strict")
    secure = set_cookie("ours", "abc", path="/", max_age_s=60, same_site="Lax", secure=True)
    assert secure[1].endswith(b"; HttpOnly; SameSite=Lax; Secure")
