"""Documents become records, or one sentence that names the document, the key and the valid ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, Field, NonNegativeInt

from playground.documents import check_id, load_toml, read_json, read_values, strict_keys, toml_files
from playground.errors import InvalidCard, InvalidValue


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def even(number: int) -> int:
    if number % 2:
        raise InvalidValue(f"is {number}; valid: even numbers")
    return number


@strict_keys
@dataclass(frozen=True, slots=True)
class Part:
    name: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.weight > 100:
            raise InvalidValue("a part is too heavy; take less")


@strict_keys
@dataclass(frozen=True, slots=True)
class Thing:
    id: str
    parts: tuple[Part, ...] = ()
    best: Part | None = None
    ids: tuple[NonNegativeInt, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict)
    shelves: Mapping[str, Part] = field(default_factory=dict)
    colour: Colour = Colour.RED
    finish: Literal["matt", "shiny"] = "matt"
    label: Annotated[str, Field(min_length=1)] = "none"
    legs: Annotated[int, AfterValidator(even)] = 4
    flat: bool = False


def test_values_have_the_records_types() -> None:
    values = {"id": "x", "parts": [{"name": "a", "weight": 2}], "sizes": {"a": 1}, "colour": "blue", "ids": [0, 7]}
    thing = read_values(Thing, values, "FILE")
    assert thing == Thing("x", (Part("a", 2.0),), None, (0, 7), {"a": 1.0}, colour=Colour.BLUE)
    assert type(thing.parts[0].weight) is type(thing.sizes["a"]) is float


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"name": "x"},
            "FILE: unknown key 'name'; valid keys: id, parts, best, ids, sizes, shelves, colour, finish, l",
        ),
        ({}, "FILE: missing 'id'; add it to the file"),
        ({"id": "x", "parts": [{}]}, "FILE parts[0]: missing 'name'; add it to the file"),
        ({"id": "x", "parts": [{"name": "a", "size": 1}]}, "FILE parts[0]: unknown key 'size'; valid keys: name, weig"),
        ({"id": "x", "best": {"nmae": "a"}}, "FILE [best]: unknown key 'nmae'; valid keys: name, weight"),
        ({"id": "x", "shelves": {"top": {"n": 1}}}, "FILE [shelves] [top]: unknown key 'n'; valid keys: name, weight"),
        ({"id": "x", "parts": [{"name": "a", "weight": 101}]}, "FILE parts[0]: a part is too heavy; take less"),
        ({"id": "x", "parts": [3]}, "FILE: 'parts[0]' is 3; it has to be a table"),
        ({"id": 3}, "FILE: 'id' is 3; it has to be text"),
        ({"id": "x" * 200, "flat": "y" * 200}, f"FILE: 'flat' is '{'y' * 79}; it has to be true or false"),
        ({"id": "x", "parts": {}}, "FILE: 'parts' is {}; it has to be a list"),
        ({"id": "x", "sizes": []}, "FILE: 'sizes' is []; it has to be a table"),
        ({"id": "x", "sizes": {"a": True}}, "FILE [sizes]: 'a' is True; it has to be a number"),
        ({"id": "x", "ids": [1, -1]}, "FILE: 'ids[1]' is -1; valid: 0 or more"),
        ({"id": "x", "ids": [1.5]}, "FILE: 'ids[0]' is 1.5; it has to be a whole number"),
        ({"id": "x", "colour": "green"}, "FILE: 'colour' is 'green'; valid: 'red' or 'blue'"),
        ({"id": "x", "finish": "dull"}, "FILE: 'finish' is 'dull'; valid: 'matt' or 'shiny'"),
        ({"id": "x", "label": ""}, "FILE: 'label' is ''; it has to be text that is not empty"),
        ({"id": "x", "legs": 3}, "FILE: 'legs' is 3; valid: even numbers"),
        ({"id": date(2020, 1, 2)}, "FILE: 2020-01-02 is a date; write it in quotes"),
    ],
)
def test_an_error_names_document_and_key(values: Mapping[str, object], message: str) -> None:
    with pytest.raises(InvalidCard) as caught:
        read_values(Thing, values, "FILE", InvalidCard)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[1]", "FILE", "FILE: it has to be a table"),
        ('{"id": 1}', "", "'id' is 1; it has to be text"),
        ('{"best": {"n": 1}}', "", "[best]: unknown key 'n'; valid keys: name, weight"),
        ('{"id', "FILE", "FILE is not JSON (EOF while parsing a string at line 1 column 4); correct it"),
        ("[" * 100_000, "", "the text is not JSON (recursion limit exceeded at line 1 column 202); correct it"),
        (b'{"id": "\xff"}', "FILE", "FILE is not JSON (invalid unicode code point at line 1 column 9); correct it"),
    ],
)
def test_bad_json_text_is_refused(text: str | bytes, where: str, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_json(Thing, text, where)
    assert str(caught.value) == message


def test_toml_comes_with_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b'a = "1"\n')
    assert load_toml(path, InvalidCard) == ({"a": "1"}, b'a = "1"\n')


def test_a_folder_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    with pytest.raises(InvalidCard, match=r"x\.toml cannot be read: Is a directory; check the file and its perm"):
        load_toml(tmp_path / "x.toml", InvalidCard)


def test_an_id_is_the_name_of_its_file() -> None:
    check_id("a-1.b_c", Path("a-1.b_c.toml"), InvalidCard)
    for given, name in (("a", "b"), ("A", "A")):
        with pytest.raises(InvalidCard, match=rf"^{name}.toml: 'id' is '{given}'; it has to be the file's name, "):
            check_id(given, Path(f"{name}.toml"), InvalidCard)


def test_files_come_by_folder_and_then_by_name(tmp_path: Path) -> None:
    first, second = tmp_path / "z", tmp_path / "a"
    for folder in (first, second):
        folder.mkdir()
        for name in ("b.toml", "a.toml", "README.md"):
            (folder / name).touch()
    found = list(toml_files([first, second], InvalidCard))
    assert found == [first / "a.toml", first / "b.toml", second / "a.toml", second / "b.toml"]
