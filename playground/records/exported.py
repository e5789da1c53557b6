"""Rows that exports and lists of battles read: flat, in the order of their query.

Boundary: values only. Columns of JSON stay bytes, which are copied into JSON files without decoding.
"""

from __future__ import annotations

from typing import NamedTuple


class CountedVote(NamedTuple):
    """A vote without words: all that decides whether it counts."""

    origin: str
    blind: int
    drawn: int
    own_sampling: int
    flags: str | None
    names_itself: int
    imported: str | None
    decision_s: float | None
    vote_row: int
    created_at: str
    vote_id: str
    rater_id: str
    one_model: int


class ExportedPair(NamedTuple):
    """A judged pair with its instruction and answers, flat."""

    origin: str
    blind: int
    drawn: int
    own_sampling: int
    flags: str | None
    names_itself: int
    imported: str | None
    decision_s: float | None
    vote_row: int  # the vote's number in its table
    created_at: str
    vote_id: str
    rater_id: str
    one_model: int  # 1 if all judged answers of the vote are of one model
    withheld: str  # "", "erased" or "hidden"
    battle_id: str
    comparison_id: str
    strength: float | None
    choice: str
    category: str
    instruction: str
    input: str
    system: str
    side_a: str
    side_b: str
    model_a: str
    model_b: str
    winner: str  # model_a | model_b | tie | both_bad
    weight: float
    license_a: str
    license_b: str
    generation_a: str
    generation_b: str
    text_a: str
    text_b: str
    tokens_a: int  # of the answer
    tokens_b: int
    prompt_tokens_a: int
    prompt_tokens_b: int


class ExportedSide(NamedTuple):
    """A judged answer of a vote with its provenance."""

    vote_row: int
    side: str
    model_id: str
    text: str
    license: str
    repo: str
    model_revision: str
    generation_id: str
    finish_reason: str
    params: bytes  # JSON
    seed: int
    template_id: str
    template_hash: str
    prompt_text: str
    prompt_ids: bytes  # JSON
    token_ids: bytes  # JSON
    engine: str
    device: str
    dtype: str
    versions: bytes  # JSON
    faithful: int
    created_at: str
    first_token_s: float | None
    duration_s: float


class ExportedVote(NamedTuple):
    """A vote that stands, with its battle, its notes and its judged answers."""

    origin: str
    blind: int
    drawn: int
    own_sampling: int
    flags: str | None
    names_itself: int
    imported: str | None
    decision_s: float | None
    vote_row: int
    voted_at: str
    vote_id: str
    rater_id: str
    withheld: str
    battle_id: str
    comparison_id: str
    parent_id: str | None
    strength: float | None
    choice: str
    revision: int
    owner: str
    source: str
    state: str
    draw_probability: float | None
    created_at: str
    opened_at: str | None
    final_at: str | None
    category: str
    instruction: str
    input: str
    system: str
    overrides: bytes  # JSON
    reasons: bytes  # JSON
    comment: str
    sides: tuple[ExportedSide, ...] = ()


class BattleRow(NamedTuple):
    """A judged battle in a list."""

    cursor: str  # of this row, for `before`
    battle_id: str
    vote_id: str
    created_at: str  # of the vote
    start: str  # of the instruction
    category: str
    models: tuple[str, ...]  # of the judged answers, by side
    winner: str  # a model, tie, both_bad, or an order such as b>a=c
    reasons: tuple[str, ...]
    origin: str
    blind: bool
