"""Read records from JSON text and TOML files; pydantic checks them, the errors are the playground's own.

Boundary: knows no record by name; callers say which record is read, which error is raised and how the document is
called in messages.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from playground.errors import InvalidValue, PlaygroundError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

T = TypeVar("T")

strict_keys = with_config(ConfigDict(extra="forbid"))
"""Class decorator of a dataclass that is read from documents: unknown keys are refused."""

ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
SHOWN_CHARS = 80
"""Characters of a refused value in a message."""
EXPECTED: Mapping[str, str] = {
    "string_type": "it has to be text",
    "int_type": "it has to be a whole number",
    "int_from_float": "it has to be a whole number",
    "float_type": "it has to be a number",
    "bool_type": "it has to be true or false",
    "tuple_type": "it has to be a list",
    "list_type": "it has to be a list",
    "frozen_set_type": "it has to be a list",
    "dict_type": "it has to be a table",
    "mapping_type": "it has to be a table",
    "dataclass_type": "it has to be a table",
    "string_too_short": "it has to be text that is not empty",
    "literal_error": "valid: {expected}",
    "enum": "valid: {expected}",
    "greater_than": "valid: above {gt}",
    "greater_than_equal": "valid: {ge} or more",
    "less_than_equal": "valid: {le} or less",
}
"""The requirement that a value misses, by pydantic's type of error."""
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""pydantic's reader of a type; made when first used, because that takes milliseconds."""
UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")


def read_json(kind: type[T], text: str | bytes, where: str, error: type[PlaygroundError] = InvalidValue) -> T:
    """Read a record from JSON text.

    Args:
        where: the name of the document in messages; may be empty.

    Raises:
        PlaygroundError: as `error`: the text is not JSON, or an unknown key, a missing one, a wrong type or value;
            the message names the document, the key and the valid ones.
    """
    try:
        record: T = _adapter(kind).validate_json(text, strict=True)
    except ValidationError as problem:
        raise error(_message(problem, kind, where)) from problem
    return record


def read_values(kind: type[T], values: Mapping[str, Any], where: str, error: type[PlaygroundError] = InvalidValue) -> T:
    """Read a record from a parsed table, by way of JSON: pydantic's strict mode refuses lists as tuples elsewhere.

    Raises:
        PlaygroundError: as `read_json`; a date is refused too.
    """

    def refuse(value: object) -> NoReturn:
        raise error(f"{where}: {value} is a {type(value).__name__}; write it in quotes")

    return read_json(kind, json.dumps(values, default=refuse), where, error)


def convert(kind: type[T], values: object, where: str, error: type[PlaygroundError] = InvalidValue) -> T:
    """Make a record of values that this program wrote itself: a row of SQLite, a message between two processes.

    In contrast to `read_values`, 1 may stand for true and a list for a tuple.

    Raises:
        PlaygroundError: as `read_json`.
    """
    try:
        record: T = _adapter(kind).validate_python(values)
    except ValidationError as problem:
        raise error(_message(problem, kind, where)) from problem
    return record


def load_toml(path: Path, error: type[PlaygroundError]) -> tuple[dict[str, Any], bytes]:
    """Return a file's top table and its bytes.

    Raises:
        PlaygroundError: as `error`: the file cannot be read, is not UTF-8 or not TOML.
    """
    try:
        data = path.read_bytes()
        return tomllib.loads(data.decode("utf-8")), data
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror}; check the file and its permissions") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise error(f"{path} is not TOML in UTF-8: {problem}; correct the file") from problem


def toml_files(folders: Iterable[Path], error: type[PlaygroundError]) -> Iterator[Path]:
    """Yield every ``*.toml`` of the folders, by name.

    Raises:
        PlaygroundError: as `error`: a folder does not exist.
    """
    for folder in folders:
        if not folder.is_dir():
            raise error(f"{folder} is not a folder; name one that holds .toml files")
        yield from sorted(folder.glob("*.toml"))


def check_id(given: str, path: Path, error: type[PlaygroundError]) -> None:
    """Refuse a document whose id is not the name of its file.

    Raises:
        PlaygroundError: as `error`.
    """
    if not ID.fullmatch(given) or given != path.stem:
        raise error(f"{path}: 'id' is {given!r}; it has to be the file's name, {path.stem!r}")


def names_of(kind: Any) -> tuple[str, ...]:
    """Return the keys of a record."""
    return _names_of(kind)


@cache
def _names_of(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def _message(problem: ValidationError, kind: Any, where: str) -> str:
    """Return one sentence on the document's first problem: unknown keys first, since they explain missing ones."""
    found = problem.errors(include_url=False)
    unknown = next((one for one in found if one["type"] in UNKNOWN), None)
    if unknown:
        *path, key = unknown["loc"]
        valid = ", ".join(names_of(_kind_at(kind, path)))
        return _join(_place(where, path), f"unknown key {key!r}; valid keys: {valid}")
    missing = [one["loc"] for one in found if one["type"] == "missing"]
    if missing:
        path = list(missing[0][:-1])
        names = ", ".join(repr(loc[-1]) for loc in missing if list(loc[:-1]) == path)
        return _join(_place(where, path), f"missing {names}; add it to the file")
    return _wrong(found[0], kind, where)


def _wrong(found: ErrorDetails, kind: Any, where: str) -> str:
    """Return the sentence on a value of a wrong type, or one that a check of ours refused."""
    loc, context = found["loc"], found.get("ctx", {})
    if found["type"] == "json_invalid":
        return f"{where or 'the text'} is not JSON ({context['error']}); correct it"
    said = str(context["error"]) if found["type"] == "value_error" else ""
    if not loc or (said and is_dataclass(_kind_at(kind, loc))):
        return _join(_place(where, loc), said or "it has to be a table")
    path, key = _split(loc)
    return _join(_place(where, path), f"{key!r} {said or _unexpected(found)}")


def _unexpected(found: ErrorDetails) -> str:
    value, expected = repr(found["input"])[:SHOWN_CHARS], EXPECTED.get(found["type"], found["msg"])
    return f"is {value}; {expected.format(**found.get('ctx', {}))}"


def _split(loc: Sequence[str | int]) -> tuple[Sequence[str | int], str]:
    """Split a location into that of a table and the key in it: an item of a list is called ``key[0]``."""
    if isinstance(loc[-1], str):
        return loc[:-1], loc[-1]
    return loc[:-2], f"{loc[-2]}[{loc[-1]}]"


def _place(where: str, path: Sequence[str | int]) -> str:
    """Name a table of a document: ``card.toml [sampling]``, ``template.toml with_input[0]``."""
    words = where
    for part, following in zip(path, [*path[1:], ""], strict=False):
        if isinstance(part, int):
            words += f"[{part}]"
        else:
            words += f" {part}" if isinstance(following, int) else f" [{part}]"
    return words.strip()


def _join(place: str, sentence: str) -> str:
    return f"{place}: {sentence}" if place else sentence


def _kind_at(kind: Any, path: Sequence[str | int]) -> Any:
    """Return the type of the value at a place of a record: of ``x: tuple[Part, ...]`` at ``x, 0`` it is ``Part``."""
    for part in path:
        if is_dataclass(kind) and isinstance(part, str):
            kind = get_type_hints(kind)[part]
        else:
            kind = get_args(kind)[0 if isinstance(part, int) else -1]
        if get_origin(kind) is UnionType:  # with None
            kind = get_args(kind)[0]
    return kind
