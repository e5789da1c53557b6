"""Migration 4: imported votes, strength of preference, hidden battles, and the flat table of judged pairs.

Boundary: statements only. A released migration is never edited.
"""

from playground.storage.database.schema import judged

COLUMNS = (
    "ALTER TABLE votes ADD COLUMN strength REAL CHECK (strength > 0)",
    "ALTER TABLE votes ADD COLUMN imported TEXT CHECK (imported <> '')",
    # Until when an operator has looked at a battle's reports, and since when its words are hidden.
    "ALTER TABLE battles ADD COLUMN reviewed_at TEXT",
    "ALTER TABLE battles ADD COLUMN hidden_at TEXT",
)

# SQLite cannot change a CHECK: the table is recreated with one more kind of event. `seq` goes on from the highest
# number that was ever given.
EVENTS = (
    "DROP TRIGGER journal_events_never_change",
    "DROP TRIGGER journal_events_stay",
    "DROP INDEX journal_events_by_battle",
    """
CREATE TABLE journal_events_4 (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('vote', 'reveal', 'notes', 'erasure', 'moderation')),
  battle_id TEXT REFERENCES battles (id),
  vote_id TEXT REFERENCES votes (id),
  erasure_id INTEGER REFERENCES erasures (id),
  created_at TEXT NOT NULL,
  CHECK ((kind = 'vote') = (vote_id IS NOT NULL)),
  CHECK ((kind = 'erasure') = (battle_id IS NULL)),
  CHECK ((kind = 'erasure') = (erasure_id IS NOT NULL))
) STRICT""",
    """
INSERT INTO journal_events_4 (seq, kind, battle_id, vote_id, erasure_id, created_at)
SELECT seq, kind, battle_id, vote_id, erasure_id, created_at FROM journal_events""",
    """
INSERT INTO sqlite_sequence (name, seq)
SELECT 'journal_events_4', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'journal_events_4')""",
    """
UPDATE sqlite_sequence
SET seq = max(seq, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal_events'), 0))
WHERE name = 'journal_events_4'""",
    "DROP TABLE journal_events",
    "ALTER TABLE journal_events_4 RENAME TO journal_events",
    "CREATE INDEX journal_events_by_battle ON journal_events (battle_id)",
    """
CREATE TRIGGER journal_events_never_change BEFORE UPDATE ON journal_events
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END""",
    """
CREATE TRIGGER journal_events_stay BEFORE DELETE ON journal_events
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END""",
)

INDEXES = ("CREATE INDEX vote_notes_reports ON vote_notes (created_at) WHERE kind = 'report'",)

# As in migration 3, over the flat table, with the strength of preference, the imported file, and whether the battle's
# words are hidden.
PAIRS = (
    *judged.TABLES,
    judged.expected_pairs(),
    *judged.OLDER_ROWS,
    *judged.TRIGGERS,
    "DROP VIEW pairs",
    judged.pairs_view(),
)
