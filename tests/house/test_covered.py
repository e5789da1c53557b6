"""Every fault and bad input that is promised to be withstood has a test, and the page that lists them is true."""

from __future__ import annotations

from tests.support.covered import DOCUMENT, document, promises, proofs


def test_every_promise_has_a_test_that_proves_it() -> None:
    proven = proofs()
    assert [line for lines in promises().values() for line in lines if line not in proven] == []


def test_every_mark_names_a_promise() -> None:
    known = {line for lines in promises().values() for line in lines}
    assert set(proofs()) <= known


def test_the_page_is_made_of_the_tests() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "run python -m tests.support.covered"
