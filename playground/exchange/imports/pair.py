"""A judged pair of another program as a battle: two answers, one vote, ids derived from the row.

Boundary: a `Pair` in, a `ReadBattle` out. The same row gives the same ids, whatever file and container it stands in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from playground.exchange.imports.formats import Origins, ReadBattle
from playground.exchange.imports.texts import Cleaner
from playground.rater_ids import imported_id
from playground.records import (
    Battle,
    BattleSide,
    BattleState,
    FinishReason,
    Generation,
    Instruction,
    JudgedBattle,
    Origin,
    Prompt,
    SamplingParams,
    Vote,
)
from playground.storage.database.rows import to_json

CHOICES: Mapping[str, str] = {"model_a": "a", "model_b": "b", "tie": "tie", "both_bad": "both_bad"}
"""Choices by the outcome of a pair, as the view `pairs` spells it."""
IMPORTED = "imported"
"""The word in place of what a file does not say: engine, template, repository and revision."""
UNKNOWN = "unknown"
"""A license or rater that a file does not name."""
PARAMS = SamplingParams()


@dataclass(frozen=True, slots=True)
class ImportedAnswer:
    """One side of a pair."""

    model: str
    text: str
    license: str = ""


@dataclass(frozen=True, slots=True)
class StudyBattle:
    """The study that a battle is of."""

    id: str
    hash: str
    kind: str  # one of STUDY_KINDS
    own_words: bool = False  # its rater wrote the instruction


@dataclass(frozen=True, slots=True)
class Pair:
    """A judged pair, as far as its format has it."""

    key: str  # the file's own id of the row; empty if it has none
    a: ImportedAnswer
    b: ImportedAnswer
    winner: str  # one of CHOICES
    instruction: str
    input: str = ""
    system: str = ""
    category: str = ""
    rater: str = ""
    origin: Origin = Origin.PERSON
    blind: bool = True  # formats that do not say it come from blind arenas
    created_at: str = ""  # empty: not known
    decision_s: float | None = None
    strength: float | None = None
    study: StudyBattle | None = None


def judged_pair(format: str, pair: Pair, origins: Origins, known_as: tuple[str, ...] = ()) -> ReadBattle:
    """Make a battle of a pair.

    Raises:
        InvalidValue: a text or a name that is not valid.
    """
    cleaner = Cleaner(origins.limits)
    instruction = cleaner.instruction(pair.instruction, pair.input, pair.system, pair.category)
    rater = imported_id(cleaner.id("rater", pair.rater or UNKNOWN))
    a, b = (_cleaned(letter, answer, cleaner) for letter, answer in (("a", pair.a), ("b", pair.b)))
    content = _content(format, pair, rater, instruction, (a, b))
    battle_id, at = derived_id("battle", content), pair.created_at or origins.now
    vote = Vote(
        id=derived_id("vote", content),
        battle_id=battle_id,
        revision=1,
        choice=CHOICES[pair.winner],
        rater_id=rater,
        created_at=at,
        decision_s=pair.decision_s,
        origin=pair.origin,
        strength=pair.strength,
        imported=origins.file,
    )
    sides = tuple(
        _side(letter, answer, derived_id(f"generation {letter}", content), instruction, at)
        for letter, answer in (("a", a), ("b", b))
    )
    battle = _battle(vote, pair, instruction, sides)
    return ReadBattle(JudgedBattle(vote, battle, (), ""), known_as, cleaner.cleaned)


def _cleaned(letter: str, answer: ImportedAnswer, cleaner: Cleaner) -> ImportedAnswer:
    model = cleaner.id(f"model_{letter}", answer.model)
    license = answer.license and cleaner.id(f"license_{letter}", answer.license)
    return ImportedAnswer(model, cleaner.answer(f"answer of {model}", answer.text), license)


def _content(
    format: str, pair: Pair, rater: str, asked: Instruction, answers: tuple[ImportedAnswer, ImportedAnswer]
) -> bytes:
    """Return what tells a row of a format from others, in cleaned texts: a program may have changed the line ends."""
    a, b = ((answer.model, answer.text, answer.license) for answer in answers)
    about = (asked.instruction, asked.input, asked.system, asked.category)
    vote = (pair.winner, rater, pair.origin, pair.blind, pair.created_at, pair.decision_s, pair.strength)
    study = () if pair.study is None else (pair.study.id, pair.study.hash, pair.study.kind)  # no id changed by them
    return to_json((format, pair.key, a, b, *about, *vote, *study)).encode("utf-8", "surrogatepass")


def derived_id(what: str, content: bytes) -> str:
    """Return 32 hexadecimal digits that are always the same for the same content."""
    return hashlib.sha256(f"playground import {what} ".encode() + content).hexdigest()[:32]


def _battle(vote: Vote, pair: Pair, asked: Instruction, sides: tuple[BattleSide, ...]) -> Battle:
    study = pair.study
    return Battle(
        id=vote.battle_id,
        comparison_id=vote.battle_id,
        parent_id=None,
        owner=vote.rater_id,
        source="page",
        blind=pair.blind,
        state=BattleState.REVEALED,
        instruction=asked,
        overrides={},
        sides=sides,
        created_at=vote.created_at,
        opened_at=vote.created_at,
        final_at=vote.created_at,
        vote=vote,
        revision=1,
        study=None if study is None else study.id,
        study_hash=None if study is None else study.hash,
        study_kind=None if study is None else study.kind,
        own_words=study is not None and study.own_words,
    )


def _side(letter: str, answer: ImportedAnswer, id: str, asked: Instruction, at: str) -> BattleSide:
    generation = Generation(
        id=id,
        model_id=answer.model,
        model_revision=IMPORTED,
        repo=IMPORTED,
        license=answer.license or UNKNOWN,
        instruction=asked,
        prompt=Prompt("", (), IMPORTED, ""),
        params=PARAMS,
        seed=0,
        text=answer.text,
        token_ids=(),
        finish_reason=FinishReason.STOP,
        error=None,
        engine=IMPORTED,
        device="",
        dtype="",
        versions={},
        faithful=False,
        created_at=at,
        first_token_s=None,
        duration_s=0.0,
    )
    return BattleSide(letter, answer.model, 0, PARAMS, generation)
