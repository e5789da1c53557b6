"""The values of the composer's fields when a comparison is asked for.

Boundary: reads mode and numbers; `validation` checks everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from playground.errors import InvalidValue
from playground.ui.texts import compare as texts

MAX_NUMBER_CHARS = 20
MAX_SETTINGS_CHARS = 300
_NUMBER = re.compile(r"-?\d+([.,]\d*)?")


@dataclass(frozen=True, slots=True)
class Typed:
    """Unchecked values of the composer."""

    instruction: object
    input: object
    system: object
    mode: object
    columns: object
    who_chooses: object
    forget: object
    models: tuple[object, ...]
    own: tuple[object, ...]  # settings of each column, such as "temperature 0.2, seed 7"
    sampling: Mapping[str, object]

    @property
    def blind(self) -> bool:
        """Return True unless the mode is explicitly "open"."""
        return self.mode != "open"

    @property
    def overrides(self) -> dict[str, object]:
        """Return the sampling parameters that were given; a seed only in open mode."""
        return {
            name: number(name, value)
            for name, value in self.sampling.items()
            if value not in (None, "") and not (self.blind and name == "seed")
        }

    def overrides_by_column(self, columns: int) -> tuple[dict[str, object], ...]:
        """Return the parameters of each column, its own over those for all; empty if no column has its own."""
        if self.blind or self.who_chooses != "mine":
            return ()
        own = [column_settings(value) for value in self.own[:columns]]
        return tuple({**self.overrides, **values} for values in own) if any(own) else ()


def column_settings(value: object) -> dict[str, object]:
    """Return the settings of one column, as a visitor writes them or the page shows them.

    Raises:
        InvalidValue: not names with numbers.
    """
    if value is None:
        return {}
    if not isinstance(value, str) or len(value) > MAX_SETTINGS_CHARS:
        raise InvalidValue(texts.NOT_SETTINGS.format(written=str(value)[:40]))
    parts = [part.split() for part in re.split(r"[,;·\n]\s+|[;·\n]|,(?!\d)", value.replace("=", " ").replace(":", " "))]
    settings: dict[str, object] = {}
    for words in filter(None, parts):
        if len(words) != 2:
            raise InvalidValue(texts.NOT_SETTINGS.format(written=" ".join(words)[:40]))
        settings[words[0]] = number(*words)
    return settings


def number(name: str, value: object) -> int | float:
    """Return a typed setting as a number; a decimal comma is allowed.

    Raises:
        InvalidValue: `value` is not a number.
    """
    if isinstance(value, str) and len(value) <= MAX_NUMBER_CHARS and _NUMBER.fullmatch(value.strip()):
        text = value.strip().replace(",", ".")
        return float(text) if "." in text else int(text)
    raise InvalidValue(texts.NOT_A_NUMBER.format(name=name))
