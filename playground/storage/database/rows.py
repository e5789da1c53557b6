"""Records to rows and back, without loss.

Boundary: pure; no connection. What has structure (parameters, token ids, a card) is JSON text in its column.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any

from playground.records import (
    Battle,
    BattleSide,
    BattleState,
    FinishReason,
    Generation,
    Instruction,
    JudgedPair,
    JudgedTexts,
    ModelCard,
    Origin,
    Prompt,
    SamplingParams,
    Vote,
)

Row = Mapping[str, Any] | sqlite3.Row

OWN_BUSINESS = frozenset({"servers", "served_name"})
"""Of a card: how this playground's own machines are reached; never stored, so never published."""
PAIR_COLUMNS = ", ".join(f.name for f in fields(JudgedPair))
"""Those of the view `pairs` that a record has; to sort all of them costs twice the time."""
_VOTE = tuple(f.name for f in fields(Vote))


def to_json(value: object) -> str:
    """Compact JSON, keys as they stand; NaN and infinity are refused."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def instruction_id(instruction: Instruction) -> str:
    """sha256 (hex) over all of it: the same content is one row."""
    parts = [instruction.instruction, instruction.input, instruction.system, instruction.category]
    return hashlib.sha256(to_json(parts).encode()).hexdigest()


def instruction_row(instruction: Instruction) -> dict[str, Any]:
    """The row of `instructions`."""
    return {"id": instruction_id(instruction), **asdict(instruction)}


def read_instruction(row: Row) -> Instruction:
    """From columns `instruction, input, system, category`."""
    return Instruction(row["instruction"], row["input"], row["system"], row["category"])


def model_row(card: ModelCard) -> dict[str, Any]:
    """The row of `models`."""
    return {
        "id": card.id,
        "name": card.name,
        "repo": card.repo,
        "revision": card.revision,
        "license": card.license,
        "card": to_json(
            {f.name: getattr(card, f.name) for f in fields(card) if f.name not in OWN_BUSINESS}
            | {"sampling": asdict(card.sampling), "metrics": dict(card.metrics)}
        ),
    }


def read_card(row: Row) -> ModelCard:
    """From the column `card`."""
    data = json.loads(row["card"])
    data["sampling"] = SamplingParams(**data["sampling"])
    for name in ("limitations", "notes"):
        data[name] = tuple(data[name])
    data["self_names"] = tuple(data.get("self_names", ()))  # rows of earlier versions have none
    return ModelCard(**data)


@lru_cache(maxsize=256)
def read_params(text: str) -> SamplingParams:
    """From a column `params`; few different ones are in use."""
    return SamplingParams(**json.loads(text))


def generation_row(generation: Generation) -> dict[str, Any]:
    """The row of `generations`."""
    prompt = generation.prompt
    return {
        "id": generation.id,
        "model_id": generation.model_id,
        "instruction_id": instruction_id(generation.instruction),
        "finish_reason": generation.finish_reason.value,
        "good": generation.good,
        "chars": len(generation.text),
        "created_at": generation.created_at,
        "first_token_s": generation.first_token_s,
        "duration_s": generation.duration_s,
        "seed": generation.seed,
        "faithful": generation.faithful,
        "model_revision": generation.model_revision,
        "repo": generation.repo,
        "license": generation.license,
        "template_id": prompt.template_id,
        "template_hash": prompt.template_hash,
        "engine": generation.engine,
        "device": generation.device,
        "dtype": generation.dtype,
        "params": to_json(asdict(generation.params)),
        "versions": to_json(dict(generation.versions)),
        "error": generation.error,
        "text": generation.text,
        "prompt_text": prompt.text,
        "prompt_ids": to_json(prompt.token_ids),
        "token_ids": to_json(generation.token_ids),
    }


def read_generation(row: Row) -> Generation:
    """From the columns of `generations` and of its instruction."""
    prompt_ids = tuple(json.loads(row["prompt_ids"]))
    return Generation(
        id=row["id"],
        model_id=row["model_id"],
        model_revision=row["model_revision"],
        repo=row["repo"],
        license=row["license"],
        instruction=read_instruction(row),
        prompt=Prompt(row["prompt_text"], prompt_ids, row["template_id"], row["template_hash"]),
        params=read_params(row["params"]),
        seed=row["seed"],
        text=row["text"],
        token_ids=tuple(json.loads(row["token_ids"])),
        finish_reason=FinishReason(row["finish_reason"]),
        error=row["error"],
        engine=row["engine"],
        device=row["device"],
        dtype=row["dtype"],
        versions=json.loads(row["versions"]),
        faithful=bool(row["faithful"]),
        created_at=row["created_at"],
        first_token_s=row["first_token_s"],
        duration_s=row["duration_s"],
    )


def battle_row(battle: Battle) -> dict[str, Any]:
    """The row of `battles`."""
    return {
        "id": battle.id,
        "comparison_id": battle.comparison_id,
        "parent_id": battle.parent_id,
        "owner": battle.owner,
        "source": battle.source,
        "blind": battle.blind,
        "state": battle.state.value,
        "instruction_id": instruction_id(battle.instruction),
        "overrides": to_json(dict(battle.overrides)),
        "draw_probability": battle.draw_probability,
        "created_at": battle.created_at,
        "opened_at": battle.opened_at,
        "final_at": battle.final_at,
        "void_reason": battle.void_reason,
    }


def side_row(battle_id: str, side: BattleSide) -> dict[str, Any]:
    """The row of `battle_sides`."""
    return {
        "battle_id": battle_id,
        "side": side.side,
        "model_id": side.model_id,
        "seed": side.seed,
        "params": to_json(asdict(side.params)),
        "generation_id": None if side.generation is None else side.generation.id,
    }


def read_side(row: Row) -> BattleSide:
    """From columns `side, side_model_id, side_seed, side_params`, and those of its generation if there is one."""
    generation = None if row["id"] is None else read_generation(row)
    return BattleSide(row["side"], row["side_model_id"], row["side_seed"], read_params(row["side_params"]), generation)


def vote_row(vote: Vote) -> dict[str, Any]:
    """The row of `votes`."""
    return {name: getattr(vote, name) for name in _VOTE}


def read_vote(row: Row) -> Vote:
    """From the columns of `votes`."""
    return Vote(
        row["id"],
        row["battle_id"],
        row["revision"],
        row["choice"],
        row["rater_id"],
        row["created_at"],
        row["decision_s"],
        Origin(row["origin"]),
    )


def read_battle(row: Row, sides: Iterable[BattleSide]) -> Battle:
    """From the columns of `battles`, of its instruction, and of its latest vote, an undo too, or NULLs for none."""
    return Battle(
        id=row["id"],
        comparison_id=row["comparison_id"],
        parent_id=row["parent_id"],
        owner=row["owner"],
        source=row["source"],
        blind=bool(row["blind"]),
        state=BattleState(row["state"]),
        instruction=read_instruction(row),
        overrides=json.loads(row["overrides"]),
        sides=tuple(sides),
        created_at=row["created_at"],
        opened_at=row["opened_at"],
        final_at=row["final_at"],
        void_reason=row["void_reason"],
        vote=None if row["choice"] in (None, "undo") else _standing_vote(row),
        revision=row["revision"] or 0,
        draw_probability=row["draw_probability"],
        erased_at=row["erased_at"],
    )


def _standing_vote(row: Row) -> Vote:
    """From the columns of a battle's latest vote beside those of the battle."""
    vote = (row["vote_id"], row["id"], row["revision"], row["choice"], row["rater_id"])
    return Vote(*vote, row["voted_at"], row["decision_s"], Origin(row["origin"]))


def read_pair(row: Row) -> JudgedPair:
    """From the columns of `pairs`."""
    return JudgedPair(
        vote_id=row["vote_id"],
        battle_id=row["battle_id"],
        rater_id=row["rater_id"],
        model_a=row["model_a"],
        model_b=row["model_b"],
        winner=row["winner"],
        weight=row["weight"],
        blind=bool(row["blind"]),
        category=row["category"],
        chars_a=row["chars_a"],
        chars_b=row["chars_b"],
        decision_s=row["decision_s"],
        created_at=row["created_at"],
        names_itself=bool(row["names_itself"]),
        seen_before=bool(row["seen_before"]),
        seen_elsewhere=bool(row["seen_elsewhere"]),
        capped=bool(row["capped"]),
        origin=Origin(row["origin"]),
        drawn=bool(row["drawn"]),
        own_sampling=bool(row["own_sampling"]),
    )


def read_texts(row: Row) -> JudgedTexts:
    """From the columns of `pairs`, of the instruction, and both texts."""
    return JudgedTexts(
        read_pair(row), read_instruction(row), row["text_a"], row["text_b"], row["license_a"], row["license_b"]
    )
