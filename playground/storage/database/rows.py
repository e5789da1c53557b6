"""Convert records to rows and back, without loss.

Boundary: pure; no connection. Fields with structure (parameters, token ids, a card) are JSON text in their columns;
a field and its column have the same name.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from playground.documents import convert, keys_of, read_json
from playground.errors import StorageError
from playground.records import (
    Battle,
    BattleSide,
    Generation,
    Instruction,
    JudgedPair,
    ModelCard,
    Prompt,
    SamplingParams,
    Vote,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
Row = Mapping[str, Any] | sqlite3.Row

PRIVATE = frozenset({"servers", "served_name", "server_params", "key_variable", "daily_tokens"})
"""Fields of a card that are never stored, and so never published: they are about this playground's servers."""
CARD_COLUMNS = ("id", "name", "repo", "revision", "license")
"""The fields of a card with columns of their own, for queries."""
PAIR_COLUMNS = ", ".join(keys_of(JudgedPair))
"""The columns of the view `pairs` that a record has; sorting all columns takes twice the time."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
NOT_GENERATION_COLUMNS = frozenset({"instruction", "prompt"})
NOT_BATTLE_COLUMNS = frozenset({"instruction", "sides", "vote", "revision", "erased_at", "hidden_at"})


def to_json(value: object) -> str:
    """Return compact JSON, keys in their order; NaN and infinity are refused."""
    return _ENCODER.encode(value)


@lru_cache(maxsize=128)
def instruction_id(instruction: Instruction) -> str:
    """Return the sha256 (hex) over all fields: the same content is one row."""
    parts = [instruction.instruction, instruction.input, instruction.system, instruction.category]
    return hashlib.sha256(to_json(parts).encode()).hexdigest()


def instruction_row(instruction: Instruction) -> dict[str, Any]:
    """Return the row of `instructions`."""
    return {"id": instruction_id(instruction)} | _flat(instruction)


def read_instruction(row: Row) -> Instruction:
    """Read the columns `instruction, input, system, category`."""
    return _read(Instruction, row)


def model_row(card: ModelCard) -> dict[str, Any]:
    """Return the row of `models`."""
    stored = {name: value for name, value in asdict(card).items() if name not in PRIVATE}
    return {name: stored[name] for name in CARD_COLUMNS} | {"card": to_json(stored)}


def read_card(row: Row) -> ModelCard:
    """Read the columns `id, card`.

    Raises:
        StorageError: a field is unknown, such as one of a newer version, missing or wrong.
    """
    return read_json(ModelCard, row["card"], f"the card of {row['id']} in the database", StorageError)


def read_any_card(row: Row) -> ModelCard:
    """Read the columns of `models`; a card that cannot be read becomes what its other columns say, which is logged."""
    try:
        return read_card(row)
    except StorageError as error:
        return _card_of_columns(*(row[name] for name in CARD_COLUMNS), str(error))


@lru_cache(maxsize=64)  # so that it is logged once
def _card_of_columns(id: str, name: str, repo: str, revision: str, license: str, why: str) -> ModelCard:
    log.warning("%s; only its name, repository and license are known", why)
    unknown = "unknown"
    return ModelCard(
        id=id,
        name=name.strip() or id,
        repo=repo.strip() or unknown,
        revision=revision.strip() or unknown,
        license=license.strip() or unknown,
        architecture=unknown,
        context_length=2,
        dtype="float32",
        template=unknown,
        sampling=SamplingParams(),
        sampling_source="ours",
        notes=("The stored card cannot be read.",),
    )


@lru_cache(maxsize=256)
def read_params(text: str) -> SamplingParams:
    """Read a column `params`; few different ones are in use.

    Raises:
        StorageError: a parameter is unknown, such as one of a newer version, or wrong.
    """
    return read_json(SamplingParams, text, "sampling parameters in the database", StorageError)


@lru_cache(maxsize=256)
def _params_text(params: SamplingParams) -> str:
    return to_json(asdict(params))


def generation_row(generation: Generation) -> dict[str, Any]:
    """Return the row of `generations`."""
    prompt = generation.prompt
    return _flat(generation, NOT_GENERATION_COLUMNS) | {
        "instruction_id": instruction_id(generation.instruction),
        "good": generation.good,
        "chars": len(generation.text),
        "template_id": prompt.template_id,
        "template_hash": prompt.template_hash,
        "params": _params_text(generation.params),
        "versions": to_json(dict(generation.versions)),
        "prompt_text": prompt.text,
        "prompt_ids": to_json(prompt.token_ids),
        "token_ids": to_json(generation.token_ids),
    }


def read_generation(row: Row) -> Generation:
    """Read the columns of `generations` and of its instruction."""
    prompt_ids = tuple(json.loads(row["prompt_ids"]))
    return _read(
        Generation,
        row,
        instruction=read_instruction(row),
        prompt=Prompt(row["prompt_text"], prompt_ids, row["template_id"], row["template_hash"]),
        params=read_params(row["params"]),
        token_ids=json.loads(row["token_ids"]),
        versions=json.loads(row["versions"]),
    )


def battle_row(battle: Battle) -> dict[str, Any]:
    """Return the row of `battles`."""
    return _flat(battle, NOT_BATTLE_COLUMNS) | {
        "instruction_id": instruction_id(battle.instruction),
        "overrides": to_json(dict(battle.overrides)),
    }


def side_row(battle_id: str, side: BattleSide) -> dict[str, Any]:
    """Return the row of `battle_sides`."""
    return _flat(side, frozenset({"generation"})) | {
        "battle_id": battle_id,
        "params": _params_text(side.params),
        "generation_id": None if side.generation is None else side.generation.id,
    }


def read_side(row: Row) -> BattleSide:
    """Read the columns `side, side_model_id, side_seed, side_params`, and those of its generation if there is one."""
    generation = None if row["id"] is None else read_generation(row)
    return BattleSide(row["side"], row["side_model_id"], row["side_seed"], read_params(row["side_params"]), generation)


def vote_row(vote: Vote) -> dict[str, Any]:
    """Return the row of `votes`."""
    return _flat(vote)


def read_battle(row: Row, sides: Iterable[BattleSide]) -> Battle:
    """Read the columns of `battles`, of its instruction, and of its latest vote, an undo too, or NULLs for none."""
    vote = None
    if row["choice"] not in (None, "undo"):
        vote = _read(Vote, row, id=row["vote_id"], battle_id=row["id"], created_at=row["voted_at"])
    return _read(
        Battle,
        row,
        instruction=read_instruction(row),
        overrides=json.loads(row["overrides"]),
        sides=tuple(sides),
        vote=vote,
        revision=row["revision"] or 0,
    )


def read_pair(row: Row) -> JudgedPair:
    """Read the columns of `pairs`."""
    return _read(JudgedPair, row)


def _flat(record: Any, left_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return a record's fields by name."""
    return {name: getattr(record, name) for name in keys_of(type(record)) if name not in left_out}


def _read(kind: type[T], row: Row, **given: Any) -> T:
    """Read a record from the columns that are named like its fields, except those that are `given`."""
    names = [name for name in keys_of(kind) if name not in given]
    values = dict(zip(names, itemgetter(*names)(row), strict=True)) | given
    return convert(kind, values, f"a {kind.__name__} in the database", StorageError)
