"""Migration 2: events for the journal, consent, erasures, flags of answers, and raters stored by a hash.

Boundary: statements only. Released: never edited.
"""

from playground.storage.database.schema.pairs import JUDGED_PAIRS, JUDGEMENT

# Raters of the page were stored by their cookie, which is a secret: a reader of an export could have acted as them.
# A rater who reports may own no battle. Raters of the API are names, not secrets, and stay.
RATERS_OF_THE_PAGE = """
SELECT owner FROM battles WHERE source = 'page' UNION SELECT rater_id FROM vote_notes WHERE kind = 'report'"""

OLD_TRIGGERS = tuple(
    f"DROP TRIGGER {name}"
    for name in (
        "votes_never_change",
        "generations_never_change",
        "battles_keep_their_terms",
    )
)

# Before the raters are renamed, which searches the notes of each.
NOTES_INDEX = ("CREATE INDEX vote_notes_by_rater ON vote_notes (rater_id)",)

RENAME_RATER = (
    "INSERT INTO raters (id, created_at) SELECT :new, created_at FROM raters WHERE id = :old",
    "UPDATE battles SET owner = :new WHERE owner = :old",
    "UPDATE votes SET rater_id = :new WHERE rater_id = :old",
    "UPDATE vote_notes SET rater_id = :new WHERE rater_id = :old",
    "DELETE FROM raters WHERE id = :old",
)

TABLES = (
    """
CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT""",
    "INSERT INTO facts (name, value) VALUES ('database_id', lower(hex(randomblob(16))))",
    """
CREATE TABLE journal_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('vote', 'reveal', 'notes', 'erasure')),
  battle_id TEXT REFERENCES battles (id),
  vote_id TEXT REFERENCES votes (id),
  erasure_id INTEGER REFERENCES erasures (id),
  created_at TEXT NOT NULL,
  CHECK ((kind = 'vote') = (vote_id IS NOT NULL)),
  CHECK ((kind = 'erasure') = (battle_id IS NULL)),
  CHECK ((kind = 'erasure') = (erasure_id IS NOT NULL))
) STRICT""",
    """
CREATE TABLE consents (
  rater_id TEXT NOT NULL REFERENCES raters (id),
  version TEXT NOT NULL CHECK (version <> ''),
  created_at TEXT NOT NULL,
  PRIMARY KEY (rater_id, version)
) STRICT, WITHOUT ROWID""",
    """
CREATE TABLE erasures (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rater_id TEXT NOT NULL REFERENCES raters (id),
  created_at TEXT NOT NULL,
  battles INTEGER NOT NULL CHECK (battles >= 0),
  notes INTEGER NOT NULL CHECK (notes >= 0)
) STRICT""",
    """
CREATE TABLE generation_flags (
  generation_id TEXT NOT NULL REFERENCES generations (id),
  kind TEXT NOT NULL CHECK (kind IN ('names_itself')),
  detail TEXT NOT NULL,
  PRIMARY KEY (generation_id, kind)
) STRICT, WITHOUT ROWID""",
    """
CREATE TABLE vote_flags (
  vote_id TEXT NOT NULL REFERENCES votes (id),
  kind TEXT NOT NULL CHECK (kind IN ('seen_before')),
  PRIMARY KEY (vote_id, kind)
) STRICT, WITHOUT ROWID""",
    "ALTER TABLE battles ADD COLUMN erased_at TEXT",
)

INDEXES = (
    "CREATE INDEX journal_events_by_battle ON journal_events (battle_id)",
    "CREATE INDEX battles_open_runs ON battles (owner, instruction_id, created_at) WHERE blind = 0",
    "CREATE INDEX battles_by_owner_and_instruction ON battles (owner, instruction_id, created_at)",
    "CREATE INDEX battles_by_instruction ON battles (instruction_id)",
    "CREATE INDEX generations_by_instruction ON generations (instruction_id)",
)

# A rater's text may be erased, and changed in no other way: everything that was counted stays.
TRIGGERS = (
    """
CREATE TRIGGER votes_never_change BEFORE UPDATE ON votes
BEGIN SELECT RAISE (ABORT, 'votes are append-only: add a revision'); END""",
    """
CREATE TRIGGER generations_never_change BEFORE UPDATE OF
  id, model_id, finish_reason, good, chars, created_at, first_token_s, duration_s, seed, faithful, model_revision,
  repo, license, template_id, template_hash, engine, device, dtype, params, versions, error ON generations
BEGIN SELECT RAISE (ABORT, 'a generation is written once'); END""",
    """
CREATE TRIGGER generations_are_only_erased BEFORE UPDATE OF
  instruction_id, text, prompt_text, prompt_ids, token_ids ON generations
WHEN NEW.text <> '' OR NEW.prompt_text <> '' OR NEW.prompt_ids <> '[]' OR NEW.token_ids <> '[]'
  OR EXISTS (SELECT 1 FROM instructions WHERE id = NEW.instruction_id AND instruction || input || system <> '')
BEGIN SELECT RAISE (ABORT, 'a generation is written once'); END""",
    """
CREATE TRIGGER battles_keep_their_terms
BEFORE UPDATE OF id, comparison_id, parent_id, owner, source, blind, overrides, draw_probability, created_at ON battles
BEGIN SELECT RAISE (ABORT, 'only a battle''s state and its times change'); END""",
    """
CREATE TRIGGER battles_are_only_erased BEFORE UPDATE OF instruction_id, erased_at ON battles
WHEN NEW.erased_at IS NULL OR OLD.erased_at IS NOT NULL
  OR EXISTS (SELECT 1 FROM instructions WHERE id = NEW.instruction_id AND instruction || input || system <> '')
BEGIN SELECT RAISE (ABORT, 'only a battle''s state and its times change'); END""",
    """
CREATE TRIGGER journal_events_never_change BEFORE UPDATE ON journal_events
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END""",
    """
CREATE TRIGGER journal_events_stay BEFORE DELETE ON journal_events
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END""",
    """
CREATE TRIGGER erasures_never_change BEFORE UPDATE ON erasures
BEGIN SELECT RAISE (ABORT, 'an erasure is written once'); END""",
    """
CREATE TRIGGER erasures_stay BEFORE DELETE ON erasures
BEGIN SELECT RAISE (ABORT, 'an erasure is written once'); END""",
)

# Events for votes from before the journal; their notes go with them.
OLDER_ROWS = (
    """
INSERT INTO journal_events (kind, battle_id, vote_id, created_at)
SELECT 'vote', battle_id, id, created_at FROM votes ORDER BY created_at, battle_id, revision""",
    """
INSERT INTO journal_events (kind, battle_id, created_at)
SELECT 'notes', battle_id, max(created_at) FROM vote_notes WHERE kind = 'report' GROUP BY battle_id ORDER BY 3, 2""",
    """
INSERT INTO vote_flags (vote_id, kind)
SELECT v.id, 'seen_before' FROM votes v JOIN battles b ON b.id = v.battle_id
WHERE b.blind = 1 AND v.choice <> 'undo' AND EXISTS (
  SELECT 1 FROM battles o
  WHERE o.owner = v.rater_id AND o.instruction_id = b.instruction_id AND o.blind = 0
    AND o.created_at < v.created_at)""",
)

# As in migration 1, with reasons not to count a vote: an answer names its own model, or the rater has seen the answers
# with their names before.
PAIRS = (
    "DROP VIEW pairs",
    f"""
CREATE VIEW pairs AS
SELECT
  v.id AS vote_id, v.battle_id, b.comparison_id, v.rater_id,
{JUDGEMENT}
  b.blind, b.source, i.category, f.chars AS chars_a, g.chars AS chars_b,
  f.license AS license_a, g.license AS license_b, x.generation_id AS generation_a, y.generation_id AS generation_b,
  v.choice, v.decision_s, v.created_at, b.final_at, b.erased_at,
  EXISTS (
    SELECT 1 FROM battle_sides s JOIN generation_flags n ON n.generation_id = s.generation_id
    WHERE s.battle_id = v.battle_id AND n.kind = 'names_itself'
  ) AS names_itself,
  EXISTS (SELECT 1 FROM vote_flags n WHERE n.vote_id = v.id AND n.kind = 'seen_before') AS seen_before
{JUDGED_PAIRS}""",
)
