"""One strict TOML table: every key taken by name and type, everything else refused by name.

Boundary: knows nothing of cards or templates; who reads says which error is raised.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from playground.errors import InvalidValue

TYPE_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


class Table:
    """A TOML table being read; messages name the file and the key."""

    def __init__(self, values: Mapping[str, Any], where: str, error: type[InvalidValue]) -> None:
        self.values, self.where, self.error = values, where, error

    def only(self, valid: tuple[str, ...]) -> None:
        """Refuse keys that are not in `valid`."""
        for key in self.values:
            if key not in valid:
                raise self.fail(f"unknown key {key!r}; valid keys: {', '.join(valid)}")

    def need(self, *keys: str) -> None:
        """Refuse a table in which one of `keys` is missing."""
        missing = [key for key in keys if key not in self.values]
        if missing:
            raise self.fail(f"missing {', '.join(repr(key) for key in missing)}; add it to the file")

    def text(self, key: str, default: str = "") -> str:
        """A text value."""
        value: str = self._typed(key, str, default)
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when it is not there."""
        value: bool = self._typed(key, bool, False)
        return value

    def integer(self, key: str, default: int | None, low: int = 0) -> int | None:
        """A whole number of at least `low`."""
        if key not in self.values:
            return default
        value: int = self._typed(key, int, 0)
        if value < low:
            raise self.fail(f"{key!r} is {value}; valid: {low} or more")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, none of them empty."""
        return tuple(self._item(key, item, str, bool(item), "non-empty texts") for item in self._list(key))

    def ids(self, key: str) -> tuple[int, ...]:
        """A list of token ids."""
        return tuple(self._id(key, item) for item in self._list(key))

    def one_of(self, key: str, valid: tuple[str, ...], default: str) -> str:
        """A text out of `valid`."""
        value = self.text(key, default)
        if value not in valid:
            raise self.fail(f"{key!r} is {value!r}; valid: {', '.join(valid)}")
        return value

    def table(self, key: str) -> Table:
        """The table under `key`, empty when it is not there."""
        return Table(self._typed(key, dict, {}), f"{self.where} [{key}]", self.error)

    def tables(self, key: str) -> Iterator[Table]:
        """The list of tables under `key`."""
        for index, item in enumerate(self._list(key)):
            self._item(key, item, dict, True, "tables")
            yield Table(item, f"{self.where} {key}[{index}]", self.error)

    def numbers(self, key: str) -> dict[str, float]:
        """The table under `key`, all its values numbers."""
        values: dict[str, Any] = self._typed(key, dict, {})
        return {name: float(self._item(key, value, float, True, "numbers")) for name, value in values.items()}

    def fail(self, words: str) -> InvalidValue:
        """The error that says `words` about this table."""
        return self.error(f"{self.where}: {words}")

    def _list(self, key: str) -> list[Any]:
        value: list[Any] = self._typed(key, list, [])
        return value

    def _id(self, key: str, item: Any) -> int:
        value: int = self._item(key, item, int, isinstance(item, int) and item >= 0, "token ids, 0 or more")
        return value

    def _item(self, key: str, item: Any, kind: type, ok: bool, words: str) -> Any:
        if not _is(item, kind) or not ok:
            raise self.fail(f"{key!r} holds {item!r}; it has to hold {words}")
        return item

    def _typed(self, key: str, kind: type, default: Any) -> Any:
        value = self.values.get(key, default)
        if not _is(value, kind):
            raise self.fail(f"{key!r} is {value!r}; it has to be {TYPE_WORDS[kind]}")
        return value


def _is(value: Any, kind: type) -> bool:
    """Whether a TOML value is of `kind`: true is not a number, a whole number is a number."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def read_table(path: Path, error: type[InvalidValue]) -> tuple[Table, bytes]:
    """The file's top table and its bytes.

    Raises:
        InvalidValue: as the class `error`: the file cannot be read, is not UTF-8 or not TOML.
    """
    try:
        data = path.read_bytes()
        return Table(tomllib.loads(data.decode("utf-8")), str(path), error), data
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror}; check the file and its permissions") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise error(f"{path} is not TOML in UTF-8: {problem}; correct the file") from problem


def files(folders: Iterable[Path], error: type[InvalidValue]) -> Iterator[Path]:
    """Every ``*.toml`` of the folders, by name; a folder that is not there is refused."""
    for folder in folders:
        if not folder.is_dir():
            raise error(f"{folder} is not a folder; name one that holds .toml files")
        yield from sorted(folder.glob("*.toml"))
