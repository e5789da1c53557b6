"""Typed access to the values of one row, whatever container they came from.

Boundary: values in, values out; an error names the field, what it is, and what is valid.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from playground.errors import InvalidValue

SHOWN_CHARS = 40
NUMBER = "a number"


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a row by column; CSV has only text, in which an empty cell stands for nothing."""

    values: Mapping[str, Any]
    path: str = ""  # of a table inside a row, such as ``sides[0].``

    def given(self, name: str) -> bool:
        """Return True if a field has a value."""
        return self.values.get(name) not in (None, "")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text as it is; `default` if the field is missing or null, an error if there is none."""
        value = self.values.get(name)
        if value is None:
            return self._missing(name) if default is None else default
        if not isinstance(value, str):
            self.refuse(name, "text")
        return value

    def name(self, name: str, default: str | None = None) -> str:
        """Return a text or a whole number, such as an id, as text that is not empty."""
        value = self.values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value in (None, ""):
            return self._missing(name) if default is None else default
        return self.text(name)

    def one_of(self, name: str, valid: Iterable[str], default: str | None = None) -> str:
        """Return one of the valid texts."""
        value = self.text(name, default)
        if value not in (known := tuple(valid)):
            self.refuse(name, ", ".join(known))
        return value

    def number(self, name: str) -> float | None:
        """Return a finite number; None if there is none."""
        value = self.values.get(name)
        if value in (None, ""):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            self.refuse(name, NUMBER)
        try:
            number = float(value)
        except (ValueError, OverflowError):
            self.refuse(name, NUMBER)
        return number if math.isfinite(number) else self.refuse(name, NUMBER)

    def at_least(self, name: str, low: float) -> float | None:
        """Return a number from `low` on; None if there is none."""
        number = self.number(name)
        return number if number is None or number >= low else self.refuse(name, f"{low:g} or more")

    def above_0(self, name: str) -> float | None:
        """Return a number above 0; None if there is none."""
        number = self.number(name)
        return number if number is None or number > 0 else self.refuse(name, "a number above 0, or nothing")

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number in a range."""
        number, value = self.number(name), self.values.get(name)
        if number is None:
            return default
        exact = value if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else None
        whole = int(number if exact is None else exact)  # a float has too few digits for a large number
        if not low <= whole <= high or (exact is None and number != whole):
            self.refuse(name, f"a whole number, {low} to {high}")
        return whole

    def flag(self, name: str, default: bool | None = None) -> bool:
        """Return true or false, also written as text or as 1 and 0."""
        value = self.values.get(name)
        if value in (None, ""):
            return self._missing(name) if default is None else default
        word = str(value).casefold()
        if word in ("true", "1", "1.0"):
            return True
        return False if word in ("false", "0", "0.0") else self.refuse(name, "true, false")

    def time(self, name: str, default: str | None = None) -> str:
        """Return a time as UTC with milliseconds; it may be ISO 8601 (without a zone: UTC), or seconds since 1970."""
        value = self.values.get(name)
        if value in (None, ""):
            return self._missing(name) if default is None else default
        try:
            if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
                found = datetime.fromisoformat(value)
            elif isinstance(value, datetime):
                found = value
            else:
                found = datetime.fromtimestamp(self.number(name) or 0.0, UTC)
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            return found.astimezone(UTC).isoformat(timespec="milliseconds")
        except (ValueError, OverflowError, OSError):
            self.refuse(name, "a time such as 2026-11-29T12:00:00+00:00, or seconds since 1970")

    def items(self, name: str, default: list[Any] | None = None) -> list[Any]:
        """Return a list, which a cell of CSV holds as JSON text."""
        value = self._nested(name)
        if value is None:
            return self._missing(name) if default is None else default
        return value if isinstance(value, list) else self.refuse(name, "a list")

    def table(self, name: str) -> dict[str, Any]:
        """Return a table, which a cell of CSV holds as JSON text; empty if there is none."""
        value = self._nested(name)
        if value is None:
            return {}
        return value if isinstance(value, dict) else self.refuse(name, "a table")

    def tables(self, name: str) -> list[Fields]:
        """Return the tables of a list."""
        found = self.items(name)
        if not all(isinstance(item, Mapping) for item in found):
            self.refuse(name, "a list of tables")
        return [Fields(item, f"{self.path}{name}[{number}].") for number, item in enumerate(found)]

    def refuse(self, name: str, valid: str) -> NoReturn:
        """Raise InvalidValue on the value of a field."""
        raise InvalidValue(f"'{self.path}{name}' is {shown(self.values.get(name))}; valid: {valid}")

    def _nested(self, name: str) -> Any:
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return parse_json(value)
        except InvalidValue as error:
            raise InvalidValue(f"'{self.path}{name}' {error}") from error

    def _missing(self, name: str) -> NoReturn:
        raise InvalidValue(f"'{self.path}{name}' is missing or empty; fill it in")


def shown(value: object) -> str:
    """Return a value for a message, shortened, in characters that any terminal can print."""
    if isinstance(value, str):
        return ascii(value) if len(value) <= SHOWN_CHARS else f"{value[:SHOWN_CHARS]!a}… ({len(value):,} characters)"
    words = {type(None): "nothing", list: "a list", dict: "a table"}
    return words.get(type(value), ascii(value)[:SHOWN_CHARS])


def parse_json(text: str | bytes) -> Any:
    """Return the value of JSON text.

    Raises:
        InvalidValue: it is not JSON or not UTF-8, holds NaN or infinity, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except InvalidValue:  # of a constant; it is a ValueError too
        raise
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise InvalidValue(f"is not JSON: {error.msg}, at {line}character {error.colno}") from error
    except RecursionError as error:
        raise InvalidValue("is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise InvalidValue("is not valid UTF-8; save the text as UTF-8") from error
    except ValueError as error:  # a number with thousands of digits
        raise InvalidValue(f"cannot be read: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidValue(f"holds {name}, which is not a number in JSON")
