"""Migration 3: origins of votes, networks of votes, and keys of programs.

Boundary: statements only. Released: never edited.
"""

from playground.storage.database.schema.pairs import JUDGED_PAIRS, JUDGEMENT

# Votes are append-only by a trigger, which is dropped while they get an origin.
ORIGIN = (
    "DROP TRIGGER votes_never_change",
    "ALTER TABLE votes ADD COLUMN origin TEXT NOT NULL DEFAULT 'person'"
    " CHECK (origin IN ('person', 'program', 'judge', 'shared'))",
    "UPDATE votes SET origin = 'program' WHERE battle_id IN (SELECT id FROM battles WHERE source = 'api')",
    """
CREATE TRIGGER votes_never_change BEFORE UPDATE ON votes
BEGIN SELECT RAISE (ABORT, 'votes are append-only: add a revision'); END""",
)

# SQLite cannot change a CHECK: the table is recreated with more kinds of flags.
FLAGS = (
    "DROP VIEW pairs",
    """
CREATE TABLE vote_flags_3 (
  vote_id TEXT NOT NULL REFERENCES votes (id),
  kind TEXT NOT NULL CHECK (kind IN ('seen_before', 'seen_elsewhere', 'capped')),
  PRIMARY KEY (vote_id, kind)
) STRICT, WITHOUT ROWID""",
    "INSERT INTO vote_flags_3 (vote_id, kind) SELECT vote_id, kind FROM vote_flags",
    "DROP TABLE vote_flags",
    "ALTER TABLE vote_flags_3 RENAME TO vote_flags",
)

TABLES = (
    # Keyed hashes of addresses, kept for 30 days; never part of the journal, an export or a publication.
    """
CREATE TABLE vote_networks (
  vote_id TEXT PRIMARY KEY REFERENCES votes (id),
  day TEXT NOT NULL CHECK (length(day) = 10),
  tag TEXT NOT NULL CHECK (length(tag) = 64)
) STRICT, WITHOUT ROWID""",
    """
CREATE TABLE program_keys (
  name TEXT PRIMARY KEY CHECK (name <> ''),
  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID""",
)

INDEXES = (
    "CREATE INDEX vote_networks_by_tag ON vote_networks (tag)",
    "CREATE INDEX vote_networks_by_day ON vote_networks (day)",
    "CREATE INDEX battles_open_by_instruction ON battles (instruction_id, created_at) WHERE blind = 0",
    "CREATE INDEX battles_drawn ON battles (state)"
    " WHERE source = 'page' AND blind = 1 AND draw_probability IS NOT NULL AND overrides = '{}'",
)

# As in migration 2, with the origin, whether the arena drew the models, and whether the cards' own sampling was used.
PAIRS = (
    f"""
CREATE VIEW pairs AS
SELECT
  v.id AS vote_id, v.battle_id, b.comparison_id, v.rater_id, v.origin,
{JUDGEMENT}
  b.blind, b.source, b.draw_probability IS NOT NULL AS drawn, b.overrides = '{{}}' AS own_sampling,
  i.category, f.chars AS chars_a, g.chars AS chars_b,
  f.license AS license_a, g.license AS license_b, x.generation_id AS generation_a, y.generation_id AS generation_b,
  v.choice, v.decision_s, v.created_at, b.final_at, b.erased_at,
  EXISTS (
    SELECT 1 FROM battle_sides s JOIN generation_flags n ON n.generation_id = s.generation_id
    WHERE s.battle_id = v.battle_id AND n.kind = 'names_itself'
  ) AS names_itself,
  EXISTS (SELECT 1 FROM vote_flags n WHERE n.vote_id = v.id AND n.kind = 'seen_before') AS seen_before,
  EXISTS (SELECT 1 FROM vote_flags n WHERE n.vote_id = v.id AND n.kind = 'seen_elsewhere') AS seen_elsewhere,
  EXISTS (SELECT 1 FROM vote_flags n WHERE n.vote_id = v.id AND n.kind = 'capped') AS capped
{JUDGED_PAIRS}""",
)
