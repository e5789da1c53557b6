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


def number(name: str, value: object) -> int | float:
    """Return a typed setting as a number; a decimal comma is allowed.

    Raises:
        InvalidValue: `value` is not a number.
    """
    if isinstance(value, str) and len(value) <= MAX_NUMBER_CHARS and _NUMBER.fullmatch(value.strip()):
        text = value.strip().replace(",", ".")
        return float(text) if "." in text else int(text)
    raise InvalidValue(texts.NOT_A_NUMBER.format(name=name))
