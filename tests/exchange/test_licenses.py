"""Licenses: one spelling, and which of them allow commercial use."""

from __future__ import annotations

import pytest

from playground.exchange.licenses import COMMERCIAL, allows_commercial_use, license_class, license_of
from playground.records import spdx


@pytest.mark.parametrize(
    ("license", "allowed"),
    [("Apache-2.0", True), ("mit", True), (" MIT ", True), ("cc-by-nc-sa-4.0", False), ("other", False), ("", False)],
)
def test_only_known_licenses_allow_commercial_use(license: str, allowed: bool) -> None:
    assert allows_commercial_use(license) is allowed


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("CC-by-NC-4.0", "CC-BY-NC-4.0"),
        ("llama3", "llama3"),
        ("", "unknown"),
        (" ", "unknown"),
    ],
)
def test_licenses_have_one_spelling(given: str, spelled: str) -> None:
    assert spdx(given) == spelled == spdx(spelled)


def test_commercial_licenses_are_spelled_as_spdx_does() -> None:
    assert {spdx(license.lower()) for license in COMMERCIAL} == COMMERCIAL


def test_all_licenses_of_a_row_have_to_allow_commercial_use() -> None:
    assert license_class(["MIT", "apache-2.0"]) == "commercial"
    assert license_class(["MIT", "unknown"]) == license_class(["CC-BY-NC-4.0", "MIT"]) == "other"


@pytest.mark.parametrize(
    ("own", "on_card", "license"),
    [
        ("apache-2.0", "MIT", "Apache-2.0"),
        ("unknown", "mit", "MIT"),
        ("other", "MIT", "MIT"),
        ("other", "", "other"),
        ("", "unknown", "unknown"),
    ],
)
def test_card_tells_a_license_that_was_not_known(own: str, on_card: str, license: str) -> None:
    assert license_of(own, on_card) == license
