"""A strict table gives what it holds, in order, and refuses the rest by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import InvalidCard
from playground.tomlfile import Table, files, read_table


def table(**values: object) -> Table:
    return Table(values, "FILE", InvalidCard)


def test_values_come_out_in_their_types() -> None:
    t = table(a="x", b=3, c=["x", "y"], d=[0, 1], e={"f": 1, "g": 0.5}, h=[{"a": "1"}, {"a": "2"}])
    assert (t.text("a"), t.integer("b", None), t.texts("c"), t.ids("d")) == ("x", 3, ("x", "y"), (0, 1))
    assert t.numbers("e") == {"f": 1.0, "g": 0.5}
    assert [item.text("a") for item in t.tables("h")] == ["1", "2"]
    assert t.table("e").integer("f", None) == 1
    assert (table(i=True).flag("i"), table(i=False).flag("i"), t.flag("i")) == (True, False, False)


def test_what_is_not_there_has_its_default() -> None:
    t = table()
    assert (t.text("a"), t.text("a", "x"), t.integer("b", 7), t.texts("c"), t.ids("d")) == ("", "x", 7, (), ())
    assert (t.numbers("e"), t.table("e").values, list(t.tables("f"))) == ({}, {}, [])


def test_refusals_are_of_the_readers_kind_and_name_the_place() -> None:
    with pytest.raises(InvalidCard, match=r"^FILE \[e\]: 'f' is 1; it has to be text$"):
        table(e={"f": 1}).table("e").text("f")


def test_files_come_by_folder_and_then_by_name(tmp_path: Path) -> None:
    first, second = tmp_path / "z", tmp_path / "a"
    for folder in (first, second):
        folder.mkdir()
        for name in ("b.toml", "a.toml", "README.md"):
            (folder / name).touch()
    assert list(files([first, second], InvalidCard)) == [
        first / "a.toml",
        first / "b.toml",
        second / "a.toml",
        second / "b.toml",
    ]


def test_the_bytes_come_with_the_table(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b'a = "1"\n')
    t, data = read_table(path, InvalidCard)
    assert (t.text("a"), t.where, data) == ("1", str(path), b'a = "1"\n')


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    with pytest.raises(
        InvalidCard, match=r"x\.toml cannot be read: Is a directory; check the file and its permissions"
    ):
        read_table(tmp_path / "x.toml", InvalidCard)
