"""Validate ids: of battles, of models, and the names of raters that programs give.

Boundary: their form only; whether a battle or a model exists is known elsewhere.
"""

from __future__ import annotations

import re

from playground.errors import InvalidValue, Refused, Unknown
from playground.messages import Message
from playground.rater_ids import is_id
from playground.records import SIDES
from playground.validation.shown import kind_of, shown
from playground.validation.texts import clean_name

BATTLE_ID = re.compile(r"[0-9a-f]{32}")
RATER = re.compile(r"[\w.@:+-]{1,64}")


def clean_battle_id(battle_id: object) -> str:
    """Return a battle id of 32 lower-case hexadecimal digits.

    Raises:
        Refused: text of another form (reason ``unknown``).
        InvalidValue: not text.
    """
    if not isinstance(battle_id, str):
        raise InvalidValue(
            Message("battle_id is {battle_id}; it has to be text, 32 hexadecimal digits", battle_id=kind_of(battle_id))
        )
    if not BATTLE_ID.fullmatch(battle_id):
        raise Refused(
            "unknown",
            Message("There is no battle {battle_id}; an id is 32 hexadecimal digits.", battle_id=shown(battle_id)),
        )
    return battle_id


def clean_models(models: object) -> tuple[str, ...]:
    """Return the ids of 2 to 6 models, which may repeat; empty: the arena chooses.

    Raises:
        InvalidValue: not a list of 2 to 6 ids.
    """
    if not isinstance(models, list | tuple):
        raise InvalidValue(Message("models is {models}; it has to be a list of model ids", models=kind_of(models)))
    if models and not 2 <= len(models) <= len(SIDES):
        raise InvalidValue(
            Message(
                "models names {models:,}; choose 2 to {sides}, or none for two of our choice",
                models=len(models),
                sides=len(SIDES),
            )
        )
    return tuple(clean_name("a model id", model) for model in models)


def clean_model_id(model: object) -> str:
    """Return text that may be the id of a model; the catalog knows if such a model exists.

    Raises:
        Unknown: not text of 1 to 200 printable characters.
    """
    try:
        return clean_name("a model id", model)
    except InvalidValue as problem:
        raise Unknown(
            Message("unknown model {model}; the valid ids are those that /models lists", model=shown(model))
        ) from problem


def clean_rater(rater: object) -> str:
    """Return the rater's name that a program gives.

    Raises:
        InvalidValue: not 1 to 64 letters, digits or ``. _ @ : + -``, or of the form of an id of the page: those are
            public in exports, and must not be used to vote in another rater's name.
    """
    if not isinstance(rater, str) or not RATER.fullmatch(rater):
        raise InvalidValue(
            Message("rater is {rater}; valid: 1 to 64 letters, digits and . _ @ : + -", rater=shown(rater))
        )
    if is_id(rater):
        raise InvalidValue(
            Message(
                "rater is {rater}, which has the form of a rater of the page; choose another name", rater=shown(rater)
            )
        )
    return rater
