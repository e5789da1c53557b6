"""Judged battles from a file into the database, many in each transaction.

Boundary: writes records; reads no file. A record is written entirely or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from playground.errors import InvalidValue, StorageError
from playground.records import JudgedBattle, ModelCard
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.store import Store
from playground.storage.database.tables.imports import Presence


@dataclass(frozen=True, slots=True)
class Incoming:
    """A judged battle with what is needed to store it."""

    judged: JudgedBattle
    known_as: tuple[str, ...]  # see `ImportReads.presence`
    names: Mapping[str, str]  # the words with which answers name their models, by generation id
    cards: tuple[ModelCard, ...]  # of its models


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """The result of one record."""

    presence: Presence  # before it was written
    why: str = ""  # it was not written
    models: tuple[str, ...] = ()  # that it added


def find_outcomes(reading: Reading, incoming: Sequence[Incoming]) -> Sequence[ImportOutcome]:
    """Return the results that writing would have, as far as the records do not concern each other."""
    return [ImportOutcome(*reading.presence(record.judged, record.known_as)) for record in incoming]


def add_judged(store: Store, incoming: Sequence[Incoming]) -> Sequence[ImportOutcome]:
    """Write the records that are new, in one transaction; one that the database refuses fails alone.

    Raises:
        StorageError: the database cannot be written, and none was.
    """
    try:
        return store.write(partial(_write, incoming=incoming))
    except (InvalidValue, StorageError) as error:
        if isinstance(error, StorageError) and not isinstance(error.__cause__, sqlite3.IntegrityError):
            raise
        half = len(incoming) // 2
        if not half:
            return [ImportOutcome(Presence.CONFLICT, f"the database refuses it: {error}")]
        return [*add_judged(store, incoming[:half]), *add_judged(store, incoming[half:])]


def _write(writing: Writing, incoming: Sequence[Incoming]) -> Sequence[ImportOutcome]:
    return [_write_one(writing, record) for record in incoming]


def _write_one(writing: Writing, record: Incoming) -> ImportOutcome:
    presence, why = writing.presence(record.judged, record.known_as)
    if presence is not Presence.NEW:
        return ImportOutcome(presence, why)
    added = tuple(card.id for card in record.cards if writing.add_model(card))
    writing.insert_judged(record.judged, record.names)
    battle = record.judged.battle
    if writing.shows_hidden_answers(battle.id):
        writing.decide(battle.id, battle.created_at, True)
    return ImportOutcome(presence, models=added)
