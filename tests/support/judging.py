"""Votes of three raters for tests of journal, restore and verify, and hashes of the rows that must be restored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playground.rater_ids import rater_id
from playground.records import Instruction
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import Restored
from tests.support.cast import FAILED, MODELS, House

ADA, BEN, CY = (rater_id(name * 32) for name in "abc")
SECRET = "my cat is called Theodora\u2028 and \x00 she \U0001f63b"
TERMS = "2026-11-01"

_JUDGED = "(SELECT battle_id FROM votes)"
_PEOPLE = f"(SELECT owner FROM battles WHERE id IN {_JUDGED} UNION SELECT rater_id FROM votes)"
_ANSWERS = f"(SELECT generation_id FROM battle_sides WHERE battle_id IN {_JUDGED})"
_ASKED = f"(SELECT instruction_id FROM battles WHERE id IN {_JUDGED})"
JUDGED = {
    "votes": "SELECT * FROM votes",
    "vote_flags": "SELECT * FROM vote_flags",
    "vote_notes": f"SELECT * FROM vote_notes WHERE battle_id IN {_JUDGED}",
    "guesses": f"SELECT * FROM guesses WHERE battle_id IN {_JUDGED}",
    "battles": f"SELECT * FROM battles WHERE id IN {_JUDGED}",
    "battle_sides": f"SELECT * FROM battle_sides WHERE battle_id IN {_JUDGED}",
    "generations": f"SELECT * FROM generations WHERE id IN {_ANSWERS}",
    "generation_flags": f"SELECT * FROM generation_flags WHERE generation_id IN {_ANSWERS}",
    "instructions": f"SELECT * FROM instructions WHERE id IN {_ASKED}",
    "raters": f"SELECT * FROM raters WHERE id IN {_PEOPLE}",
    "consents": f"SELECT * FROM consents WHERE rater_id IN {_PEOPLE}",
    "journal_events": "SELECT kind, battle_id, vote_id, created_at FROM journal_events WHERE kind = 'vote'",
    "erasures": "SELECT * FROM erasures",
    "facts": "SELECT * FROM facts",
}


def hashes(store: Store) -> dict[str, str]:
    """Return a digest of the judged rows of each table."""
    with store.reading() as reading:
        found = {table: sorted(repr(tuple(row)) for row in reading.select(sql)) for table, sql in JUDGED.items()}
    return {table: hashlib.sha256("\n".join(rows).encode()).hexdigest() for table, rows in found.items()}


def settled(store: Store, home: House) -> dict[str, str]:
    """Return hashes of what was judged, at the same time as in `home`."""
    again = House(store)
    again.time.at = home.time.at
    again.battles.expire()
    return hashes(store)


def counts(restored: Restored) -> tuple[int, int]:
    return restored.votes_added, restored.votes_there


def judge(home: House, name: str, choice: str = "a", rater: str = ADA, text: str = "Write a haiku.") -> None:
    """Create a battle on the page and vote."""
    home.time.pass_s(1)
    asked = Instruction(text, category="creative")
    home.battle_is_open(name, ends={"a": {"reasoning": f"They say: {text}"}}, owner=rater, instruction=asked)
    home.battles.vote(name, choice, rater)


def afternoon(home: House) -> None:
    """Add votes: undone, revealed early or by time, on three models, with notes and reports, by the API."""
    home.store.write(lambda writing: writing.add_rater(BEN, "2026-11-20T18:00:00.000+00:00"))
    home.store.write(lambda writing: writing.agree(BEN, TERMS, "2026-11-20T18:00:00.000+00:00"))
    home.battle_is_open("never-judged", owner=CY, instruction=Instruction("Nobody judges this."))
    home.battles.note("never-judged", CY, report_side="a", report="rude")
    judge(home, "plain", "both_bad", BEN, SECRET)
    judge(home, "undone", "a", ADA)
    home.battles.undo("undone", ADA)
    judge(home, "changed", "a", ADA)
    home.battles.undo("changed", ADA)
    home.battles.vote("changed", "b", ADA)
    judge(home, "early", "tie", BEN)
    home.battles.reveal("early", BEN)
    home.battles.note("early", BEN, reasons=["correct", "clear"], comment=SECRET)
    home.battles.note("early", BEN, comment="")
    home.battles.note("early", BEN, comment="second thoughts")
    ends: Mapping[str, Mapping[str, Any]] = {"b": FAILED, "c": {"reasoning": "Think of rain."}}
    home.battle_is_open("three", MODELS, ends, owner=CY, draw_probability=1 / 3, overrides={"top_k": 3})
    home.battles.vote("three", "c>a", CY)
    home.battles.note("three", CY, report_side="c", report="not true")
    home.battle_is_open("api", owner="Zoë", source="api", blind=False)
    home.battles.vote("api", "b", "Zoë", final=True, source="api", reasons=["correct"], comment="fine")
    home.store.write(lambda writing: writing.flag_generation("api-a", "names_itself", "I am Orca"))
    time_passes(home)


def time_passes(home: House) -> None:
    """Make every vote final."""
    home.time.pass_s(60)
    home.battles.expire()


def keep_journal(store: Store) -> Path:
    """Write everything that the journal lacks; return its folder."""
    assert store.path is not None
    folder = journal_folder(store.path)
    journal = Journal(store, folder)
    journal.close()
    state = journal.state()
    assert (state.lag, state.error) == (0, "")
    return folder
