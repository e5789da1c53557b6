"""The terms: a new text has a new version, and no battle is stored without consent to one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from playground.arena.terms import read_terms
from playground.errors import InvalidValue

VERSIONS = {
    "2026-11-21": "4234a29d96964bf569e41f8d24c89f7dee2ec40b4b232bf1fb5214dce9c05f3f",
    "2026-11-29": "a9c5a27c946a2cfdaf6b1a6fd45c0b1b2bc5b672135d32b84ec14a4cd0639acd",
    "2026-11-29.2": "21afca67c250daee0863d6fa084f6affc0055c01f0de7b7c8ff19ca66a98d935",
    "2026-11-29.3": "b0e06f1c30a4873c146593288f9119f9b3cc34d83fe883d193c464cd49f5517f",
    "2026-11-30": "c89ffb71c7773f4193757cb61e2d3371928471a3bb017014e623a095deb1565d",
    "2026-12-01": "21d78fb923e00b79d1a3b3acd0793d9c9070e51ad3ead49843700df2c4575b60",
    "2026-12-01.2": "eb8160481661cf52e49cc50f703fc622236438936adad80f2addcee48d8e5f48",
}
"""sha256 of every text that was ever in force; a text that changes needs a new version, and a new line here."""


def test_the_version_changes_with_the_text() -> None:
    terms = read_terms()
    assert VERSIONS.get(terms.version) == hashlib.sha256(terms.text.encode()).hexdigest()
    assert terms.version == max(VERSIONS)


@pytest.mark.parametrize("text", ["", "Version: soon\n\nText", "Text without a version", "Version: 2026-11-21\nText"])
def test_terms_without_a_version_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "terms.md").write_text(text)
    with pytest.raises(InvalidValue, match="has to begin with a line such as"):
        read_terms(tmp_path / "terms.md")


def test_a_day_can_have_two_versions(tmp_path: Path) -> None:
    (tmp_path / "terms.md").write_text("Version: 2026-11-21.2\n\nShort.\n")
    assert read_terms(tmp_path / "terms.md").version == "2026-11-21.2"
