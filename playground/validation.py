"""Validate and normalise input, the same for the page and the API.

Boundary: values in, clean values out, or an error with a message for the visitor; no file, no model, no Gradio. Every
function is idempotent. Big values are refused by their length before anything else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from playground.errors import InvalidInstruction, InvalidValue, Refused, Unknown
from playground.messages import Counted, Message, marked_forms
from playground.raters import is_id
from playground.records import MOST_NEW_TOKENS, SIDES, Instruction, SamplingParams
from playground.settings import Settings

COMMENT_CHARS = 2000
MAX_REASONS = 20
NAME_CHARS = 200
SEEDS = 2**32

OVERRIDES = tuple(f.name for f in fields(SamplingParams) if f.name != "renormalize_logits")
OVERRIDE_KEYS = (*OVERRIDES, "seed")
BATTLE_ID = re.compile(r"[0-9a-f]{32}")
RATER = re.compile(r"[\w.@:+-]{1,64}")

TAKEN_OUT: Mapping[str, re.Pattern[str]] = {
    "control character": re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]"),
    "lone surrogate": re.compile(r"[\ud800-\udfff]"),
    "noncharacter": re.compile(
        "[\ufdd0-\ufdef"
        + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
        + "]"
    ),
}
"""Characters that are never sent to a model."""
_TAKEN: Mapping[str, tuple[str, str]] = {
    "control character": marked_forms("{count} control character", "{count} control characters"),
    "lone surrogate": marked_forms("{count} lone surrogate", "{count} lone surrogates"),
    "noncharacter": marked_forms("{count} noncharacter", "{count} noncharacters"),
}
"""Their names in the notes."""


def clean_instruction(
    instruction: object, input: object = "", system: object = "", limits: Settings | None = None
) -> tuple[Instruction, tuple[str, ...]]:
    """Return the instruction as the models get it, and notes on removed characters.

    CRLF and CR become LF; nothing is trimmed.

    Raises:
        InvalidInstruction: not text, blank, or longer than the limits.
    """
    limits = limits or Settings()
    notes: list[str] = []
    clean = Instruction(
        _text("instruction", instruction, limits.instruction_chars, notes),
        _text("input", input, limits.instruction_chars, notes),
        _text("system", system, limits.system_chars, notes),
    )
    if is_blank(clean.instruction):
        raise InvalidInstruction(Message("the instruction is empty; write what the models should do"))
    return clean, tuple(notes)


def _text(name: str, value: object, limit: int, notes: list[str]) -> str:
    if not isinstance(value, str):
        raise InvalidInstruction(Message("{name} is {value}; it has to be text", name=name, value=_kind(value)))
    _check_length(name, len(value), limit, 2)  # CRLF may halve
    text = value
    for kind, pattern in TAKEN_OUT.items():
        text, count = pattern.subn("", text)
        if count:
            removed = Counted(*_TAKEN[kind], count=count)
            notes.append(
                Message("{removed} removed from the {field}: not readable by models", removed=removed, field=name)
            )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _check_length(name, len(text), limit, 1)
    return text


def _check_length(name: str, length: int, limit: int, times: int) -> None:
    if length > times * limit:
        raise InvalidInstruction(
            Message(
                "{name} is {length:,} characters long; at most {limit:,}. Shorten it.",
                name=name,
                length=length,
                limit=limit,
            )
        )


def is_blank(text: str) -> bool:
    """Return True if the text has only white space and invisible characters."""
    return all(char.isspace() or unicodedata.category(char) in ("Cc", "Cf") for char in text)


def clean_battle_id(battle_id: object) -> str:
    """Return a battle id of 32 lower-case hexadecimal digits.

    Raises:
        Refused: text of another form (reason ``unknown``).
        InvalidValue: not text.
    """
    if not isinstance(battle_id, str):
        raise InvalidValue(
            Message("battle_id is {battle_id}; it has to be text, 32 hexadecimal digits", battle_id=_kind(battle_id))
        )
    if not BATTLE_ID.fullmatch(battle_id):
        raise Refused(
            "unknown",
            Message("There is no battle {battle_id}; an id is 32 hexadecimal digits.", battle_id=_shown(battle_id)),
        )
    return battle_id


def clean_overrides(params: object) -> dict[str, bool | int | float]:
    """Return sampling parameters for all sides, and `seed` if given; empty: as each card says.

    Raises:
        InvalidValue: an unknown name, a wrong type, NaN, or out of range; naming what is valid.
    """
    if not isinstance(params, Mapping):
        raise InvalidValue(
            Message("params is {params}; it has to be a table such as {{'temperature': 0.7}}", params=_kind(params))
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
            Message("unknown parameter {name}; valid: {valid}", name=_shown(name), valid=", ".join(OVERRIDE_KEYS))
        )
    if not isinstance(value, bool | int | float):
        raise InvalidValue(
            Message(
                "{name!r} is {value}; it has to be a number (do_sample: true or false)", name=name, value=_kind(value)
            )
        )
    if isinstance(value, int) and abs(value) > SEEDS:  # ranges are checked later; no float holds this
        raise InvalidValue(Message("{name!r} is {value}; no parameter is that large", name=name, value=_shown(value)))


def clean_seed(seed: object) -> int:
    """Return a seed, a whole number from 0 to 4,294,967,295.

    Raises:
        InvalidValue: anything else.
    """
    whole = isinstance(seed, int | float) and not isinstance(seed, bool) and seed == seed // 1
    if not isinstance(seed, int | float) or not whole or not 0 <= seed < SEEDS:
        raise InvalidValue(
            Message("seed is {seed}; valid: a whole number, 0 to {number:,}", seed=_shown(seed), number=SEEDS - 1)
        )
    return int(seed)


def clean_models(models: object) -> tuple[str, ...]:
    """Return the ids of 2 to 6 models, which may repeat; empty: the arena chooses.

    Raises:
        InvalidValue: not a list of 2 to 6 ids.
    """
    if not isinstance(models, list | tuple):
        raise InvalidValue(Message("models is {models}; it has to be a list of model ids", models=_kind(models)))
    if models and not 2 <= len(models) <= len(SIDES):
        raise InvalidValue(
            Message(
                "models names {models:,}; choose 2 to {sides}, or none for two of our choice",
                models=len(models),
                sides=len(SIDES),
            )
        )
    return tuple(_name("a model id", model) for model in models)


def clean_model_id(model: object) -> str:
    """Return text that may be the id of a model; the catalog knows if such a model exists.

    Raises:
        Unknown: not text of 1 to 200 printable characters.
    """
    try:
        return _name("a model id", model)
    except InvalidValue as problem:
        raise Unknown(
            Message("unknown model {model}; the valid ids are those that /models lists", model=_shown(model))
        ) from problem


def _name(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(Message("{what} is {value}; it has to be text", what=what, value=_kind(value)))
    if not 0 < len(value) <= NAME_CHARS or any(pattern.search(value) for pattern in TAKEN_OUT.values()):
        raise InvalidValue(
            Message(
                "{what} is {value}; it has to be 1 to {name_chars} printable characters",
                what=what,
                value=_shown(value),
                name_chars=NAME_CHARS,
            )
        )
    return value


@dataclass(frozen=True, slots=True)
class Remarks:
    """A rater's reasons and comment on a vote."""

    reasons: tuple[str, ...] = ()
    comment: str = ""


def clean_comment(reasons: object = (), comment: object = "") -> Remarks:
    """Return the reasons, each once, and the comment, normalised like an instruction.

    Raises:
        InvalidValue: not a list of texts and a text, or too long.
    """
    if not isinstance(reasons, list | tuple):
        raise InvalidValue(Message("reasons is {reasons}; it has to be a list of texts", reasons=_kind(reasons)))
    if len(reasons) > MAX_REASONS:
        raise InvalidValue(
            Message(
                "there are {reasons:,} reasons; at most {max_reasons}", reasons=len(reasons), max_reasons=MAX_REASONS
            )
        )
    names = [_name("a reason", reason) for reason in reasons]
    return Remarks(tuple(dict.fromkeys(names)), _text("comment", comment, COMMENT_CHARS, []))


def clean_rater(rater: object) -> str:
    """Return the rater's name that a program gives.

    Raises:
        InvalidValue: not 1 to 64 letters, digits or ``. _ @ : + -``, or of the form of an id of the page: those are
            public in exports, and must not be used to vote in another rater's name.
    """
    if not isinstance(rater, str) or not RATER.fullmatch(rater):
        raise InvalidValue(
            Message("rater is {rater}; valid: 1 to 64 letters, digits and . _ @ : + -", rater=_shown(rater))
        )
    if is_id(rater):
        raise InvalidValue(
            Message(
                "rater is {rater}, which has the form of a rater of the page; choose another name", rater=_shown(rater)
            )
        )
    return rater


def _kind(value: object) -> str:
    """Return the kind of `value` in a few words, however large it is."""
    words = {type(None): "nothing", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return words.get(type(value), f"of type {type(value).__name__}")


def _shown(value: Any) -> str:
    """Return short text and numbers as they are, everything else by its kind."""
    if isinstance(value, str):
        return ascii(value) if len(value) <= 40 else f"{value[:40]!a}… ({len(value):,} characters)"
    return repr(value) if isinstance(value, float) else str(value) if _is_short(value) else _kind(value)


def _is_short(value: Any) -> bool:
    return isinstance(value, int) and abs(value) < 10**20
