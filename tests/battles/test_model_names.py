"""names.toml is read into words, or refused with the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.battles.model_names import NAMES_FILE, Organisation, lexicon
from playground.errors import InvalidCard

EMPTY = "generic = []\neveryday = []\ndescriptive = []\nordinary = []\n"
ACME = """
[[organisations]]
owners = ["Acme-AI"]
families = ["Road Runner"]
names = ["RoadRunner"]
makers = ["Acme AI"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "names.toml"


def test_names_are_compared_word_by_word_in_lower_case(file: Path) -> None:
    file.write_text(EMPTY + ACME)
    known = lexicon(file)
    assert known.organisations == (
        Organisation(frozenset({"acme-ai"}), frozenset({"roadrunner"}), (("road", "runner"),), (("acme", "ai"),)),
    )
    assert known.parts == {"roadrunner": ("road", "runner")}


def test_the_built_in_file_is_valid() -> None:
    assert lexicon(NAMES_FILE).organisations


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (EMPTY, "FILE: missing 'organisations'; add it"),
        (
            EMPTY + ACME + "colour = 1",
            "FILE organisations[0]: unknown key 'colour'; valid keys: owners, ",
        ),
        (EMPTY + ACME.replace('["RoadRunner"]', "[3]"), "FILE organisations[0]: 'names[0]' is 3; it has to be text"),
        (EMPTY.replace("generic = []", "generic = 3") + ACME, "FILE: 'generic' is 3; it has to be a list"),
    ],
)
def test_errors_name_file_and_key(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(InvalidCard) as caught:
        lexicon(file)
    assert str(caught.value).replace(str(file), "FILE").startswith(message)
