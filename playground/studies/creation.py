"""A study from its file and the stored answers: the items, what is missing, and its storage.

Boundary: a study's file and a database in, rows out; starts no model.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.errors import InvalidStudy
from playground.records import CheckState, Instruction, ModelCard, StoredStudy, StudyItem
from playground.settings import Settings
from playground.storage.database.rows import to_json
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.tables.generated import LastAttempt
from playground.studies.assignment import Plan
from playground.studies.known_answers import WRITER, KnownAnswers, read_known_answers
from playground.studies.links import new_token, token_hash
from playground.studies.study_file import Study, StudyFile, as_document
from playground.studies.wanted import stored_answers, wanted_of


@dataclass(slots=True)
class Answers:
    """The stored answers to a study's instructions, and counts of what is not there."""

    pairs: list[tuple[str, str]] = field(default_factory=list)  # ids of two generations that differ
    instructions: int = 0
    missing: int = 0  # answers that were never written
    unusable: int = 0  # answers that failed, or are empty
    identical: int = 0  # pairs with the same text twice


@dataclass(frozen=True, slots=True)
class Drafted:
    """A study that is not stored yet."""

    study: StoredStudy
    answers: Answers
    items: tuple[StudyItem, ...]
    known: Mapping[str, Sequence[KnownAnswers]]  # by kind


def find_answers(
    reading: Reading, file: StudyFile, instructions: Mapping[Instruction, str], cards: Mapping[str, ModelCard]
) -> Answers:
    """Find the first answer of each model to each instruction, and pair them.

    The answers are those that `generate` writes with the sampling parameters of each card.
    """
    found = Answers(instructions=len(instructions))
    known: dict[str, dict[Instruction, LastAttempt]] = {}
    for model in file.models:
        wanted = wanted_of(cards[model], cards[model].sampling, instructions, 1, 0)
        known[model] = stored_answers(reading, wanted)
        found.missing += len(instructions) - len(known[model])
        found.unusable += sum(not answer.good for answer in known[model].values())
    for instruction in instructions:
        texts = {}
        for model in file.models:
            answer = known[model].get(instruction)
            generation = reading.generation(answer.generation_id) if answer is not None and answer.good else None
            if generation is not None:
                texts[model] = (generation.id, generation.text)
        for first, second in file.model_pairs:
            if first in texts and second in texts:
                (a, text_a), (b, text_b) = texts[first], texts[second]
                if text_a == text_b:
                    found.identical += 1
                else:
                    found.pairs.append((a, b))
    return found


def draft(study: Study, answers: Answers, limits: Settings, at: str) -> Drafted:
    """Return the study as it would be stored; one that is live has no item yet.

    Raises:
        InvalidStudy: there is nothing to judge, more votes are wanted than the battles give, or a file of known
            answers cannot be used.
    """
    file = study.file
    if not answers.pairs and not file.live:
        raise InvalidStudy(f"{file.id}: no two stored answers to one instruction differ, so there is nothing to judge")
    known = {
        kind: read_known_answers(path, limits)
        for kind, path in (("check", study.check_items), ("attention", study.attention_items))
        if path is not None
    }
    items = tuple(StudyItem(number, "item", a, b) for number, (a, b) in enumerate(answers.pairs, start=1))
    stored = StoredStudy(file.id, study.hash, to_json(as_document(file)), secrets.token_hex(16), at)
    most = most_votes(Plan(stored, file, items))
    if file.votes > most and not file.live:
        raise InvalidStudy(
            f"{file.id}: 'votes' is {file.votes:,}, but {len(items):,} battles give {most:,}; valid: up to {most:,}"
        )
    return Drafted(stored, answers, items, known)


def most_votes(plan: Plan) -> int:
    """Return the votes that the battles give, without third ones where two differ."""
    once, overlapping = plan.file.raters_per_battle, len(plan.overlapping)
    return once * (len(plan.rated) - overlapping) + max(once, 2) * overlapping


def store_study(writing: Writing, drafted: Drafted) -> None:
    """Store a study with its items and its hand-written answers."""
    items = list(drafted.items)
    if drafted.known:
        writing.upsert_model(WRITER)
    for kind, known in drafted.known.items():
        for one in known:
            ids = [secrets.token_hex(16) for _ in range(2)]
            for id, text in zip(ids, (one.answer_a, one.answer_b), strict=True):
                writing.insert_generation(one.generation(text, id, drafted.study.created_at))
            items.append(StudyItem(len(items) + 1, kind, ids[0], ids[1], one.expected))
    writing.insert_study(drafted.study, items)


def add_links(writing: Writing, file: StudyFile, raters: int, at: str) -> list[tuple[int, str]]:
    """Store links for some more raters; return their numbers and tokens, which are stored only as hashes."""
    state = CheckState.NONE if file.check is None else CheckState.WAITING
    made = []
    for _ in range(raters):
        token = new_token()
        made.append((writing.insert_link(file.id, token_hash(token), state, at), token))
    return made
