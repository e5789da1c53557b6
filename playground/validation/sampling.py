"""Validate sampling parameters and seeds that a visitor or a program chooses.

Boundary: names and ranges are those of `SamplingParams`; which model takes them is the caller's matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from playground.errors import InvalidValue
from playground.messages import Message
from playground.records import MOST_NEW_TOKENS, SIDES, SamplingParams
from playground.validation.shown import kind_of, shown

SEEDS = 2**32
OVERRIDES = tuple(f.name for f in fields(SamplingParams) if f.name != "renormalize_logits")
OVERRIDE_KEYS = (*OVERRIDES, "seed")


def clean_overrides(params: object) -> dict[str, bool | int | float]:
    """Return sampling parameters for all sides, and `seed` if given; empty: as each card says.

    Raises:
        InvalidValue: an unknown name, a wrong type, NaN, or out of range; naming what is valid.
    """
    if not isinstance(params, Mapping):
        raise InvalidValue(
            Message("params is {params}; it has to be a table such as {{'temperature': 0.7}}", params=kind_of(params))
        )
    for name, value in params.items():
        _check_override(name, value)
    sampling = {name: value for name, value in params.items() if name != "seed"}
    changed = SamplingParams(max_new_tokens=MOST_NEW_TOKENS).changed(sampling)
    clean: dict[str, bool | int | float] = {name: getattr(changed, name) for name in sampling}
    if "seed" in params:
        clean["seed"] = clean_seed(params["seed"])
    return clean


def clean_params(params: object) -> dict[str, Any]:
    """Return sampling parameters for all sides, or by side if `params` is a list of them in the order of the models.

    Raises:
        InvalidValue: as `clean_overrides`, or more of them than sides.
    """
    if not isinstance(params, list):
        return dict(clean_overrides(params))
    if len(params) > len(SIDES):
        raise InvalidValue(
            Message(
                "params has {params:,} entries; valid: one per model, up to {sides}",
                params=len(params),
                sides=len(SIDES),
            )
        )
    return {side: clean_overrides(own) for side, own in zip(SIDES, params, strict=False)}


def _check_override(name: object, value: object) -> None:
    if name not in OVERRIDE_KEYS:
        raise InvalidValue(
            Message("unknown parameter {name}; valid: {valid}", name=shown(name), valid=", ".join(OVERRIDE_KEYS))
        )
    if not isinstance(value, bool | int | float):
        raise InvalidValue(
            Message(
                "{name!r} is {value}; it has to be a number (do_sample: true or false)", name=name, value=kind_of(value)
            )
        )
    if isinstance(value, int) and abs(value) > SEEDS:  # ranges are checked later; no float holds this
        raise InvalidValue(Message("{name!r} is {value}; no parameter is that large", name=name, value=shown(value)))


def clean_seed(seed: object) -> int:
    """Return a seed, a whole number from 0 to 4,294,967,295.

    Raises:
        InvalidValue: anything else.
    """
    whole = isinstance(seed, int | float) and not isinstance(seed, bool) and seed == seed // 1
    if not isinstance(seed, int | float) or not whole or not 0 <= seed < SEEDS:
        raise InvalidValue(
            Message("seed is {seed}; valid: a whole number, 0 to {number:,}", seed=shown(seed), number=SEEDS - 1)
        )
    return int(seed)
