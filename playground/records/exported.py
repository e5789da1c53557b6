"""Rows that exports and lists of battles read: flat, in the order of their query.

Boundary: values only. Columns of JSON stay bytes, which are copied into JSON files without decoding.
"""

from __future__ import annotations

from typing import NamedTuple

from playground.records.prompts import Instruction


class ExportedAnswer(NamedTuple):
    """A judged answer; its provenance, from `repo` on, is empty where it was not asked for."""

    model_id: str
    text: str
    license: str
    repo: str = ""
    model_revision: str = ""
    generation_id: str = ""
    finish_reason: str = ""
    params: bytes = b"{}"  # JSON
    seed: int = 0
    template_id: str = ""
    template_hash: str = ""
    prompt_text: str = ""
    prompt_ids: bytes = b"[]"  # JSON
    token_ids: bytes = b"[]"  # JSON
    engine: str = ""
    device: str = ""
    dtype: str = ""
    versions: bytes = b"{}"  # JSON
    faithful: int = 0
    created_at: str = ""
    first_token_s: float | None = None
    duration_s: float = 0.0
    reasoning: str = ""
    written_together: int | None = None


class ExportedSide(NamedTuple):
    """An answer of a battle, and where it stood."""

    side: str
    answer: ExportedAnswer


class ExportedVote(NamedTuple):
    """A vote that stands, with its battle, its notes and its judged answers."""

    origin: str
    blind: int
    drawn: int
    own_sampling: int
    flags: str | None
    names_itself: int
    study_extra: int  # 1 for a repeat, a check or an attention item of a study
    study_running: int  # 1 if its study is not closed
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
    parent_id: str | None
    strength: float | None
    choice: str
    study: str | None
    study_hash: str | None
    study_kind: str | None
    own_words: int  # 1 if its rater wrote the instruction, in a live study
    asked: Instruction
    revision: int = 0  # from here on: of a pair's vote not read, and empty
    owner: str = ""
    source: str = ""
    state: str = ""
    draw_probability: float | None = None
    battle_created_at: str = ""
    opened_at: str | None = None
    final_at: str | None = None
    overrides: bytes = b"{}"  # JSON
    reasons: bytes = b"[]"  # JSON
    comment: str = ""
    criteria: bytes = b"[]"  # JSON
    sides: tuple[ExportedSide, ...] = ()  # none if the words are withheld


class ExportedPair(NamedTuple):
    """Two answers of which a vote judged one against the other."""

    vote: ExportedVote
    side_a: str
    side_b: str
    winner: str  # model_a | model_b | tie | both_bad
    a: ExportedAnswer
    b: ExportedAnswer


class BattleRow(NamedTuple):
    """A judged battle in a list."""

    cursor: str  # of this row, for `before`
    battle_id: str
    vote_id: str
    created_at: str  # of the vote
    start: str  # of the instruction
    category: str
    models: tuple[str, ...]  # of the judged answers, by side
    winner: str  # a model, tie, both_bad, or an order of models such as y>x=z
    reasons: tuple[str, ...]
    origin: str
    blind: bool
