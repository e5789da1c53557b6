"""``replay``: write the answers of stored battles again, and say whether and why they differ.

Boundary: reads arguments and the database, prints; the answers are written by `arena`. Nothing is stored.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TextIO

from tqdm import tqdm

from playground.arena.replay import Replay
from playground.arena.replayed import Replayed, ReplayOutcome
from playground.battles.generations import without_withheld_words
from playground.catalog.catalog import Catalog
from playground.cli.database import open_read_only
from playground.cli.printing import print_result
from playground.engines.fleet import Fleet
from playground.errors import InvalidValue, Unknown
from playground.ratings.phrases import number_of
from playground.records import Battle
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.storage.database.store import Store

MOST = 10_000
"""Battles of one run."""
SHOWN_CHARS = 60
"""Characters that are shown of each text, from the first that differs."""
BAR_DELAY_S = 1.0
"""A command that ends sooner shows no bar."""

WORDS = {
    ReplayOutcome.SAME: "same",
    ReplayOutcome.SAME_SO_FAR: "same as far as it was written",
    ReplayOutcome.DIFFERENT: "different",
    ReplayOutcome.NOT_WRITTEN: "not written",
}


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `replay`."""
    command.add_argument("battles", nargs="*", metavar="BATTLE", help="the id of a stored battle, as in its address")
    command.add_argument("--last", type=int, metavar="N", help="the N battles that were stored last")
    command.add_argument("--json", action="store_true", help="one JSON document: counts, and each answer")
    add_flags(command, "db", "cards", "templates", "threads", "memory_gb", "deadline_s")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print each battle's answers; return 1 if one differs or cannot be written."""
    if bool(arguments.battles) == (arguments.last is not None):
        raise InvalidValue("give the ids of battles, or --last N")
    if arguments.last is not None and not 1 <= arguments.last <= MOST:
        raise InvalidValue(f"--last is {arguments.last}; valid: 1 to {MOST:,}")
    with open_read_only(settings.db) as store:
        battles = _battles(store, arguments.battles, arguments.last)
    replayed = _replay(battles, settings)
    counts = Counter(each.outcome for answers in replayed.values() for each in answers.values())
    document = {
        "battles": len(battles),
        "answers": counts.total(),
        **{outcome.value: counts[outcome] for outcome in ReplayOutcome},
        "sides": [
            {"battle": battle_id, "side": side, **_document(each)}
            for battle_id, answers in replayed.items()
            for side, each in answers.items()
        ],
    }
    print_result(document, "\n".join(_lines(battles, replayed, counts)), arguments.json, out)
    return 1 if counts[ReplayOutcome.DIFFERENT] or counts[ReplayOutcome.NOT_WRITTEN] else 0


def _battles(store: Store, ids: Sequence[str], last: int | None) -> Sequence[Battle]:
    """Return the battles, those that are erased or hidden without their words.

    Raises:
        Unknown: an id that is in the database no more, or never was.
    """
    found = []
    with store.reading() as reading:
        for battle_id in dict.fromkeys(ids if last is None else reading.newest_battles(last)):
            battle = reading.battle(battle_id)
            if battle is None:
                raise Unknown(f"there is no battle {battle_id!r} in the database; its address ends with its id")
            found.append(without_withheld_words(battle))
    return found


def _replay(battles: Sequence[Battle], settings: Settings) -> Mapping[str, Mapping[str, Replayed]]:
    """Return each stored answer beside the same one written again, by battle and side."""
    withheld = {battle.id: battle.withheld for battle in battles}
    stored = {battle.id: {side.side: side.generation for side in battle.sides if side.generation} for battle in battles}
    shown = (answers for battle_id, answers in stored.items() if not withheld[battle_id])
    once = {answer.id: answer for answers in shown for answer in answers.values()}  # battles may share one
    catalog, engine = Catalog.load(settings.card_folders, settings.template_folders), Fleet(settings)
    how: Mapping[str, Any] = {"unit": " answers", "leave": False, "disable": None, "delay": BAR_DELAY_S}
    try:
        written = Replay(catalog, engine, settings.deadline_s).answers(list(once.values()))
        again = {each.stored.id: each for each in tqdm(written, total=len(once), file=sys.stderr, **how)}
    finally:
        engine.close()
    return {
        battle_id: {
            side: Replayed(answer, None, f"its words are {why}") if (why := withheld[battle_id]) else again[answer.id]
            for side, answer in answers.items()
        }
        for battle_id, answers in stored.items()
    }


def _document(replayed: Replayed) -> Mapping[str, Any]:
    return {
        "generation": replayed.stored.id,
        "model": replayed.stored.model_id,
        "outcome": replayed.outcome.value,
        "tokens": replayed.stored.num_tokens,
        "first_different": replayed.first_different,
        "text": replayed.stored.text,
        "text_now": None if replayed.again is None else replayed.again.text,
        "changes": [asdict(change) for change in replayed.changes],
        "reasons": [replayed.why_not] if replayed.why_not else list(replayed.reasons()),
    }


def _lines(
    battles: Sequence[Battle], replayed: Mapping[str, Mapping[str, Replayed]], counts: Counter[ReplayOutcome]
) -> Iterator[str]:
    for battle in battles:
        yield f"{battle.id}  {_short(battle.instruction.instruction) or f'({battle.withheld})'}"
        for side, each in replayed[battle.id].items():
            yield from _side_lines(side, each)
    found = ", ".join(f"{counts[outcome]:,} {words}" for outcome, words in WORDS.items() if counts[outcome])
    yield f"{number_of('answer', counts.total())} of {number_of('battle', len(battles))}: {found or 'none is stored'}"


def _side_lines(side: str, replayed: Replayed) -> Iterator[str]:
    stored, again = replayed.stored, replayed.again
    yield f"  {side}  {stored.model_id}: {WORDS[replayed.outcome]}, {number_of('token', stored.num_tokens)}"
    if replayed.why_not:
        yield f"     {replayed.why_not}"
    elif again is not None and replayed.outcome is ReplayOutcome.DIFFERENT:
        place = replayed.first_different
        yield f"     from token {(min(stored.num_tokens, again.num_tokens) if place is None else place) + 1} on"
        start = _equal_chars(stored.text, again.text)
        yield f"     then: {_short(stored.text[start:])}"
        yield f"     now:  {_short(again.text[start:])}"
        yield from (f"     {reason}" for reason in replayed.reasons())


def _equal_chars(text: str, other: str) -> int:
    """Return the length of the beginning that two texts share."""
    pairs = zip(text, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(text), len(other)))


def _short(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else f"{line[:SHOWN_CHARS]}…"
