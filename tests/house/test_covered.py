"""Every fault and bad input that is promised to be withstood has a test, and the page that lists them is true."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.support.covered import DOCUMENT, Proof, document, promises, proofs


@pytest.fixture(scope="module")
def proven() -> Mapping[str, list[Proof]]:
    return proofs()


def test_every_promise_has_a_test_that_proves_it(proven: Mapping[str, list[Proof]]) -> None:
    assert [line for lines in promises().values() for line in lines if line not in proven] == []


def test_every_mark_names_a_promise(proven: Mapping[str, list[Proof]]) -> None:
    known = {line for lines in promises().values() for line in lines}
    assert set(proven) <= known


def test_the_page_is_made_of_the_tests(proven: Mapping[str, list[Proof]]) -> None:
    assert DOCUMENT.read_text("utf-8") == document(proven), "run python -m tests.support.covered"
