"""What may be read and written, one method per statement or two.

Boundary: runs inside a transaction that somebody else began and ends; decides nothing about a battle's life, only
that a change happens to exactly the row that it was meant for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from playground.records import (
    Battle,
    BattleState,
    Belongings,
    Erased,
    Generation,
    Instruction,
    JudgedBattle,
    JudgedPair,
    JudgedTexts,
    ModelCard,
    Origin,
    OwnBattle,
    Vote,
)
from playground.storage.database import erasure, rows

_GENERATION = """
SELECT g.*, i.instruction, i.input, i.system, i.category
FROM generations g JOIN instructions i ON i.id = g.instruction_id WHERE g.id = ?"""

# Two questions for a whole battle: each takes and gives up the interpreter's lock, which others want.
_BATTLE = """
SELECT b.*, i.instruction, i.input, i.system, i.category,
  v.id AS vote_id, v.revision, v.choice, v.rater_id, v.created_at AS voted_at, v.decision_s,
  v.origin
FROM battles b JOIN instructions i ON i.id = b.instruction_id
LEFT JOIN votes v ON v.battle_id = b.id AND v.revision = (SELECT max(revision) FROM votes WHERE battle_id = b.id)
WHERE b.id = ?"""

_SIDES = """
SELECT s.side, s.model_id AS side_model_id, s.seed AS side_seed, s.params AS side_params,
  g.*, i.instruction, i.input, i.system, i.category
FROM battle_sides s
LEFT JOIN generations g ON g.id = s.generation_id LEFT JOIN instructions i ON i.id = g.instruction_id
WHERE s.battle_id = ? ORDER BY s.side"""

_TEXTS = """
SELECT p.*, i.instruction, i.input, i.system, f.text AS text_a, g.text AS text_b
FROM pairs p JOIN battles b ON b.id = p.battle_id JOIN instructions i ON i.id = b.instruction_id
JOIN generations f ON f.id = p.generation_a JOIN generations g ON g.id = p.generation_b
WHERE p.erased_at IS NULL"""

# Latest revision of every judged battle; `pairs` says the same of pairs.
_STANDING = """
FROM votes v JOIN battles b ON b.id = v.battle_id JOIN instructions i ON i.id = b.instruction_id
WHERE v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)"""

_OF_HERS = "WHERE owner = :rater AND instruction_id = :id AND created_at < :now"
_OPEN_RUN = f"EXISTS (SELECT 1 FROM battles INDEXED BY battles_open_runs {_OF_HERS} AND blind = 0)"

# Only her latest ones: a vote must not take the longer the more often she asked the same.
_SHOWN = f"""
EXISTS (
  SELECT 1 FROM (
    SELECT id, final_at, void_reason FROM battles {_OF_HERS} AND id <> :battle ORDER BY created_at DESC LIMIT 20
  ) o
  JOIN battle_sides x ON x.battle_id = o.id
  JOIN battle_sides y ON y.battle_id = :battle AND y.model_id = x.model_id
  CROSS JOIN generations f ON f.id = x.generation_id AND f.good = 1
  CROSS JOIN generations g ON g.id = y.generation_id AND g.chars = f.chars AND g.text = f.text
  WHERE o.final_at <= :now OR o.void_reason = 'failed')"""


# Somebody else's open run, whoever's: of one instruction only the latest, for the same reason.
_SEEN_ELSEWHERE = """
SELECT EXISTS (
  SELECT 1 FROM (
    SELECT id FROM battles INDEXED BY battles_open_by_instruction
    WHERE instruction_id = :id AND blind = 0 AND created_at < :now ORDER BY created_at DESC LIMIT 20
  ) o
  JOIN battle_sides x ON x.battle_id = o.id
  JOIN battle_sides y ON y.battle_id = :battle AND y.model_id = x.model_id
  CROSS JOIN generations f ON f.id = x.generation_id AND f.good = 1
  CROSS JOIN generations g ON g.id = y.generation_id AND g.chars = f.chars AND g.text = f.text)"""

_DRAWN_VOTE = """
SELECT EXISTS (
  SELECT 1 FROM battles b INDEXED BY battles_drawn JOIN votes v ON v.battle_id = b.id
  WHERE b.source = 'page' AND b.blind = 1 AND b.draw_probability IS NOT NULL AND b.overrides = '{}'
    AND b.state IN ('voted', 'revealed') AND v.origin = 'person' AND v.choice <> 'undo'
    AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)
    AND (v.decision_s IS NULL OR v.decision_s >= ?)
    AND NOT EXISTS (SELECT 1 FROM vote_flags f WHERE f.vote_id = v.id AND f.kind IN ('seen_before', 'capped'))
    AND NOT EXISTS (
      SELECT 1 FROM battle_sides s JOIN generation_flags f ON f.generation_id = s.generation_id
      WHERE s.battle_id = b.id AND f.kind = 'names_itself'))"""

_OF_NETWORK = """
SELECT count(DISTINCT v.battle_id) FROM vote_networks n JOIN votes v ON v.id = n.vote_id
WHERE n.tag = ? AND v.origin = ? AND v.battle_id <> ?"""


class Reading:
    """Questions to one snapshot of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def battle(self, battle_id: str) -> Battle | None:
        """A battle with its sides, their generations and the vote that stands; None when there is none."""
        row = self._connection.execute(_BATTLE, (battle_id,)).fetchone()
        if row is None:
            return None
        return rows.read_battle(row, map(rows.read_side, self._connection.execute(_SIDES, (battle_id,)).fetchall()))

    def generation(self, generation_id: str) -> Generation | None:
        """One generation; None when there is none."""
        row = self._connection.execute(_GENERATION, (generation_id,)).fetchone()
        return None if row is None else rows.read_generation(row)

    def cards(self, model_ids: Iterable[str] | None = None) -> Mapping[str, ModelCard]:
        """Stored cards by id, all of them or those named; unknown ids are absent."""
        statement, wanted = "SELECT * FROM models", [] if model_ids is None else sorted(set(model_ids))
        if model_ids is not None:
            statement += f" WHERE id IN ({', '.join('?' * len(wanted))})"
        found = self._connection.execute(f"{statement} ORDER BY id", wanted)
        return {row["id"]: rows.read_card(row) for row in found}

    def battles_in(self, *states: BattleState) -> Sequence[str]:
        """Ids of the battles in these states, oldest first."""
        marks = ", ".join("?" * len(states))
        statement = f"SELECT id FROM battles WHERE state IN ({marks}) ORDER BY created_at, id"
        return [row["id"] for row in self._connection.execute(statement, [state.value for state in states])]

    def notes(self, battle_id: str, kind: str, vote_id: str | None = None) -> Sequence[str]:
        """The texts of a battle's notes of one kind, in the order of writing; of one vote where it is named."""
        statement = "SELECT text FROM vote_notes WHERE battle_id = ? AND kind = ? AND vote_id IS ? ORDER BY id"
        return [row["text"] for row in self._connection.execute(statement, (battle_id, kind, vote_id))]

    def standing_votes(self, *, blind_only: bool = False, category: str = "") -> Iterator[Vote]:
        """The latest vote of every judged battle, in time."""
        statement, values = _filtered(f"SELECT v.* {_STANDING}", blind_only, category)
        cursor = self._connection.execute(f"{statement} ORDER BY v.created_at, v.id", values)
        return (rows.read_vote(row) for row in cursor)

    def judged_pairs(
        self,
        *,
        blind_only: bool = False,
        category: str = "",
        final_by: str = "",
        battle_id: str = "",
        rater_id: str = "",
        day: str = "",
    ) -> Iterator[JudgedPair]:
        """The rows of `pairs`, in time.

        Args:
            final_by: leave out votes that could still be undone then.
            battle_id: only this battle's.
            rater_id: only votes of this rater.
            day: only votes of this day, as ISO 8601 writes it.
        """
        statement, values = _filtered(f"SELECT {rows.PAIR_COLUMNS} FROM pairs WHERE 1", blind_only, category)
        for condition, value in (
            ("final_at <= ?", final_by),
            ("battle_id = ?", battle_id),
            ("rater_id = ?", rater_id),
            ("substr(created_at, 1, 10) = ?", day),
        ):
            if value:
                statement, values = f"{statement} AND {condition}", [*values, value]
        cursor = self._connection.execute(f"{statement} ORDER BY created_at, vote_id, side_a, side_b", values)
        return (rows.read_pair(row) for row in cursor)

    def judged_texts(self, *, blind_only: bool = False, category: str = "") -> Iterator[JudgedTexts]:
        """The rows of `pairs` with instruction and answers, in time; not those whose words were erased."""
        statement, values = _filtered(_TEXTS, blind_only, category, "p.")
        cursor = self._connection.execute(f"{statement} ORDER BY p.created_at, p.vote_id, p.side_a, p.side_b", values)
        return (rows.read_texts(row) for row in cursor)

    def judged_battles(self, *, blind_only: bool = False, category: str = "") -> Iterator[JudgedBattle]:
        """Every vote that stands with its whole battle, in time; not those whose words were erased."""
        for vote in self.standing_votes(blind_only=blind_only, category=category):
            battle = self.battle(vote.battle_id)
            if battle is not None and battle.erased_at is None:
                reasons = tuple(self.notes(battle.id, "reason", vote.id))
                comment = "".join(self.notes(battle.id, "comment", vote.id))
                yield JudgedBattle(vote, battle, reasons, comment, self._has_flag(vote.id, "capped"))

    def _has_flag(self, vote_id: str, kind: str) -> bool:
        statement = "SELECT EXISTS (SELECT 1 FROM vote_flags WHERE vote_id = ? AND kind = ?)"
        return bool(self._connection.execute(statement, (vote_id, kind)).fetchone()[0])

    def count_votes(self) -> int:
        """How many battles have a vote that stands."""
        return int(self._connection.execute(f"SELECT count(*) {_STANDING}").fetchone()[0])

    def has_seen(self, rater_id: str, battle: Battle, now: str) -> bool:
        """Whether a rater had this very instruction answered in open mode before, or was shown one of these answers.

        An answer was shown with its model's name in an earlier battle of hers on the page that is revealed, or void
        because of a failure (of her latest 20 on it); a greedy model writes it again. Over the API a rater's name may
        be anybody's.
        """
        values = {"rater": rater_id, "battle": battle.id, "now": now, "id": rows.instruction_id(battle.instruction)}
        statement = f"SELECT {_OPEN_RUN if battle.source == 'api' else f'{_OPEN_RUN} OR {_SHOWN}'}"
        return bool(self._connection.execute(statement, values).fetchone()[0])

    def count_votes_of(self, rater_id: str, day: str) -> int:
        """How many votes and undos a rater has given on a day, as ISO 8601 writes it."""
        statement = "SELECT count(*) FROM votes WHERE rater_id = ? AND created_at >= ? AND created_at < ?"
        return int(self._connection.execute(statement, (rater_id, day, f"{day}~")).fetchone()[0])

    def has_been_seen_elsewhere(self, battle: Battle, now: str) -> bool:
        """Whether an open run of anybody has shown one of a battle's answers, of the latest 20 on its instruction."""
        values = {"battle": battle.id, "now": now, "id": rows.instruction_id(battle.instruction)}
        return bool(self._connection.execute(_SEEN_ELSEWHERE, values).fetchone()[0])

    def has_drawn_vote(self, min_decision_s: float) -> bool:
        """Whether a vote that counts by itself is on models that the arena drew, at the cards' own sampling."""
        return bool(self._connection.execute(_DRAWN_VOTE, (min_decision_s,)).fetchone()[0])

    def battles_of_network(self, tag: str, origin: Origin, but: str) -> int:
        """How many battles a network has judged on the day of its tag, of one origin; `but` is not counted."""
        values = (tag, origin.value, but)
        return int(self._connection.execute(_OF_NETWORK, values).fetchone()[0])

    def networks(self) -> Mapping[str, str]:
        """The networks of the votes of the last 30 days, as far as they are known: vote id -> tag."""
        return dict(self._connection.execute("SELECT vote_id, tag FROM vote_networks").fetchall())

    def has_networks_before(self, day: str) -> bool:
        """Whether networks are stored of votes that were given before `day`."""
        statement = "SELECT EXISTS (SELECT 1 FROM vote_networks WHERE day < ?)"
        return bool(self._connection.execute(statement, (day,)).fetchone()[0])

    def program_of_key(self, key_hash: str) -> str | None:
        """The name of the program whose key has this hash; None where there is none."""
        row = self._connection.execute("SELECT name FROM program_keys WHERE hash = ?", (key_hash,)).fetchone()
        return None if row is None else str(row[0])

    def program_keys(self) -> Mapping[str, str]:
        """Programs that have a key: name -> when it was made."""
        return dict(self._connection.execute("SELECT name, created_at FROM program_keys ORDER BY name").fetchall())

    def last_vote(self) -> tuple[int, str | None]:
        """How many votes and undos were ever written, and when the last one was; asks the last row alone."""
        row = self._connection.execute("SELECT rowid, created_at FROM votes ORDER BY rowid DESC LIMIT 1").fetchone()
        return (0, None) if row is None else (int(row[0]), str(row[1]))

    def sqlite_version(self) -> str:
        """Of the library that answers."""
        return str(self._connection.execute("SELECT sqlite_version()").fetchone()[0])

    def belongings(self, rater_id: str, source: str) -> Belongings:
        """How much of one rater is stored; of both sources where `source` is empty."""
        return erasure.belongings(self._connection, rater_id, source)

    def latest_battles(self, rater_id: str, source: str, limit: int, chars: int, now: str) -> Sequence[OwnBattle]:
        """A rater's battles as they stand `now`, the newest first, with so many characters of each instruction."""
        return erasure.latest_battles(self._connection, rater_id, source, limit, chars, now)

    def size_bytes(self) -> int:
        """How large the file is once its log has come home."""
        statement = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return int(self._connection.execute(statement).fetchone()[0])

    def erasure_to_scrub(self) -> int | None:
        """The last erasure, where the file may still hold bytes of what was erased."""
        return erasure.erasure_to_scrub(self._connection)

    def reports_by(self, rater_id: str) -> Sequence[Mapping[str, Any]]:
        """A rater's reports: battle_id, side, text, created_at."""
        statement = "SELECT battle_id, side, text, created_at FROM vote_notes WHERE rater_id = ? AND kind = 'report'"
        return [dict(row) for row in self._connection.execute(f"{statement} ORDER BY id", (rater_id,))]

    def select(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Sequence[sqlite3.Row]:
        """All rows of a question that another file of this folder asks."""
        return self._connection.execute(statement, values).fetchall()


class Writing(Reading):
    """Changes inside one transaction; what it reads includes them."""

    def upsert_model(self, card: ModelCard) -> None:
        """Keep a card, in place of an older one of the same id."""
        self._connection.execute(
            "INSERT INTO models (id, name, repo, revision, license, card)"
            " VALUES (:id, :name, :repo, :revision, :license, :card) ON CONFLICT (id) DO UPDATE SET"
            " name = excluded.name, repo = excluded.repo, revision = excluded.revision, license = excluded.license,"
            " card = excluded.card",
            rows.model_row(card),
        )

    def insert_battle(self, battle: Battle) -> None:
        """Add a battle with its sides; generations that they name have to be there already."""
        self.know_rater(battle.owner, battle.created_at)
        self.know_instruction(battle.instruction)
        self._insert("battles", rows.battle_row(battle))
        self._insert("battle_sides", *(rows.side_row(battle.id, side) for side in battle.sides))

    def insert_generation(self, generation: Generation) -> None:
        """Add a finished generation."""
        self.know_instruction(generation.instruction)
        self._insert("generations", rows.generation_row(generation))

    def insert_vote(self, vote: Vote) -> None:
        """Add a vote or an undo; its revision has to be the battle's next. The journal is told."""
        self.know_rater(vote.rater_id, vote.created_at)
        self._insert("votes", rows.vote_row(vote))
        self._tell_journal("vote", vote.battle_id, vote.created_at, vote.id)

    def fill_side(self, battle_id: str, side: str, generation_id: str) -> bool:
        """Point a side that has no generation yet to one; whether that happened."""
        changed = self._connection.execute(
            "UPDATE battle_sides SET generation_id = ? WHERE battle_id = ? AND side = ? AND generation_id IS NULL",
            (generation_id, battle_id, side),
        )
        return changed.rowcount == 1

    def move(self, before: Battle, after: Battle) -> bool:
        """Write a battle's new state and times if it still stands as `before` says; whether that happened."""
        meant = (before.id, before.state.value, before.owner)
        changed = self._connection.execute(
            "UPDATE battles SET state = ?, opened_at = ?, final_at = ?, void_reason = ?"
            " WHERE id = ? AND state = ? AND owner = ?",
            (after.state.value, after.opened_at, after.final_at, after.void_reason, *meant),
        )
        return changed.rowcount == 1

    def replace_notes(
        self, battle_id: str, vote_id: str, kind: str, texts: Sequence[str], rater_id: str, created_at: str
    ) -> None:
        """Make `texts` a vote's notes of one kind (reason or comment), in place of what was noted before.

        The journal is told, as of every note.
        """
        gone = self._connection.execute("DELETE FROM vote_notes WHERE vote_id = ? AND kind = ?", (vote_id, kind))
        self.know_rater(rater_id, created_at)
        for text in texts:
            self._note(battle_id, vote_id, None, kind, text, rater_id, created_at)
        if gone.rowcount or texts:
            self._tell_journal("notes", battle_id, created_at)

    def insert_report(self, battle_id: str, side: str | None, text: str, rater_id: str, created_at: str) -> None:
        """Add a report about one side, or about the battle."""
        self.know_rater(rater_id, created_at)
        self._note(battle_id, None, side, "report", text, rater_id, created_at)
        self._tell_journal("notes", battle_id, created_at)

    def insert_network(self, vote_id: str, day: str, tag: str) -> None:
        """Keep from which network a vote came; the journal is not told."""
        self._insert("vote_networks", {"vote_id": vote_id, "day": day, "tag": tag})

    def forget_networks(self, before: str) -> int:
        """Forget the networks of votes that were given before a day; returns of how many."""
        return self._connection.execute("DELETE FROM vote_networks WHERE day < ?", (before,)).rowcount

    def put_program_key(self, name: str, key_hash: str, created_at: str) -> None:
        """Give a program a key, in place of the one it had."""
        self._connection.execute(
            "INSERT INTO program_keys (name, hash, created_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at",
            (name, key_hash, created_at),
        )

    def remove_program_key(self, name: str) -> bool:
        """Take a program's key away; whether it had one."""
        return self._connection.execute("DELETE FROM program_keys WHERE name = ?", (name,)).rowcount == 1

    def flag_vote(self, vote_id: str, kind: str) -> None:
        """Keep that something speaks against counting a vote."""
        self._connection.execute("INSERT INTO vote_flags (vote_id, kind) VALUES (?, ?)", (vote_id, kind))

    def flag_generation(self, generation_id: str, kind: str, detail: str) -> None:
        """Keep that something was found in an answer; `detail` says what."""
        self._insert("generation_flags", {"generation_id": generation_id, "kind": kind, "detail": detail})

    def tell_journal_of_reveal(self, battle_id: str, created_at: str) -> None:
        """A vote became final before its time."""
        self._tell_journal("reveal", battle_id, created_at)

    def agree(self, rater_id: str, version: str, created_at: str) -> None:
        """Keep when a rater first agreed to a version of the terms; of two times the earlier one."""
        self._connection.execute(
            "INSERT INTO consents (rater_id, version, created_at) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET created_at = excluded.created_at WHERE excluded.created_at < created_at",
            (rater_id, version, created_at),
        )

    def unsettled(self, rater_id: str, source: str) -> Sequence[str]:
        """Ids of a rater's battles that are not at their end."""
        return erasure.unsettled(self._connection, rater_id, source)

    def erase_words(self, rater_id: str, source: str, now: str) -> Erased:
        """Take a rater's words out of all that is at its end; the journal is told."""
        return erasure.erase_words(self._connection, rater_id, source, now)

    def has_erasure(self, rater_id: str, created_at: str) -> bool:
        """Whether a rater had her words erased at that very time."""
        return erasure.has_erasure(self._connection, rater_id, created_at)

    def scrubbed(self, erasure_id: int) -> None:
        """Keep that no byte is left of what was erased up to an erasure."""
        erasure.scrubbed(self._connection, erasure_id)

    def know_rater(self, rater_id: str, created_at: str) -> None:
        """Add a rater who has not been here yet."""
        self._connection.execute(
            "INSERT INTO raters (id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING", (rater_id, created_at)
        )

    def know_instruction(self, instruction: Instruction) -> None:
        """Add an instruction that has not been seen yet."""
        self._connection.execute(
            "INSERT INTO instructions (id, instruction, input, system, category)"
            " VALUES (:id, :instruction, :input, :system, :category) ON CONFLICT DO NOTHING",
            rows.instruction_row(instruction),
        )

    def change(self, statement: str, values: Iterable[Mapping[str, Any]]) -> int:
        """Run a statement of another file of this folder once for each of `values`; how many rows were changed."""
        return self._connection.executemany(statement, values).rowcount

    def _tell_journal(self, kind: str, battle_id: str, created_at: str, vote_id: str | None = None) -> None:
        """In the transaction of the change itself, so that neither is ever without the other."""
        self._connection.execute(
            "INSERT INTO journal_events (kind, battle_id, vote_id, created_at) VALUES (?, ?, ?, ?)",
            (kind, battle_id, vote_id, created_at),
        )

    def _insert(self, table: str, *same: Mapping[str, Any]) -> None:
        """Rows of the same columns, in one statement."""
        names, marks = ", ".join(same[0]), ", ".join("?" * len(same[0]))
        values = [value for row in same for value in row.values()]
        self._connection.execute(
            f"INSERT INTO {table} ({names}) VALUES {', '.join([f'({marks})'] * len(same))}", values
        )

    def _note(self, *values: object) -> None:
        self._connection.execute(
            "INSERT INTO vote_notes (battle_id, vote_id, side, kind, text, rater_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            values,
        )


def _filtered(statement: str, blind_only: bool, category: str, table: str = "") -> tuple[str, list[Any]]:
    """`statement` (which ends in a condition) with the conditions that are asked for, on columns of `table`."""
    values: list[Any] = []
    if blind_only:
        statement += f" AND {table}blind = 1"
    if category:
        statement, values = f"{statement} AND {table}category = ?", [category]
    return statement, values
