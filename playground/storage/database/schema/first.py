"""Migration 1: models, instructions, generations, battles, votes, and the view of judged pairs.

Boundary: statements only. Released: never edited.
"""

from playground.storage.database.schema.pairs import JUDGED_PAIRS, JUDGEMENT

# `good` and `chars` are computed in Python (Unicode blanks, NUL inside a text), and stand before the long texts:
# counting votes then reads no page of an answer.
TABLES = (
    """
CREATE TABLE models (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  repo TEXT NOT NULL,
  revision TEXT NOT NULL,
  license TEXT NOT NULL,
  card TEXT NOT NULL CHECK (json_valid(card))
) STRICT""",
    """
CREATE TABLE raters (
  id TEXT PRIMARY KEY CHECK (id <> ''),
  created_at TEXT NOT NULL
) STRICT""",
    """
CREATE TABLE instructions (
  id TEXT PRIMARY KEY CHECK (length(id) = 64),
  instruction TEXT NOT NULL,
  input TEXT NOT NULL,
  system TEXT NOT NULL,
  category TEXT NOT NULL
) STRICT""",
    """
CREATE TABLE generations (
  id TEXT PRIMARY KEY,
  model_id TEXT NOT NULL REFERENCES models (id),
  instruction_id TEXT NOT NULL REFERENCES instructions (id),
  finish_reason TEXT NOT NULL CHECK (finish_reason IN ('stop', 'length', 'cancelled', 'error')),
  good INTEGER NOT NULL CHECK (good IN (0, 1)),
  chars INTEGER NOT NULL CHECK (chars >= 0),
  created_at TEXT NOT NULL,
  first_token_s REAL CHECK (first_token_s >= 0),
  duration_s REAL NOT NULL CHECK (duration_s >= 0),
  seed INTEGER NOT NULL CHECK (seed >= 0),
  faithful INTEGER NOT NULL CHECK (faithful IN (0, 1)),
  model_revision TEXT NOT NULL,
  repo TEXT NOT NULL,
  license TEXT NOT NULL,
  template_id TEXT NOT NULL,
  template_hash TEXT NOT NULL,
  engine TEXT NOT NULL,
  device TEXT NOT NULL,
  dtype TEXT NOT NULL,
  params TEXT NOT NULL CHECK (json_valid(params)),
  versions TEXT NOT NULL CHECK (json_valid(versions)),
  error TEXT,
  text TEXT NOT NULL,
  prompt_text TEXT NOT NULL,
  prompt_ids TEXT NOT NULL CHECK (json_valid(prompt_ids)),
  token_ids TEXT NOT NULL CHECK (json_valid(token_ids)),
  CHECK ((finish_reason = 'error') = (error IS NOT NULL)),
  CHECK (good = 0 OR finish_reason <> 'error')
) STRICT""",
    """
CREATE TABLE battles (
  id TEXT PRIMARY KEY CHECK (id <> ''),
  comparison_id TEXT NOT NULL,
  parent_id TEXT,
  owner TEXT NOT NULL REFERENCES raters (id),
  source TEXT NOT NULL CHECK (source IN ('page', 'api')),
  blind INTEGER NOT NULL CHECK (blind IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('generating', 'open', 'voted', 'revealed', 'void')),
  instruction_id TEXT NOT NULL REFERENCES instructions (id),
  overrides TEXT NOT NULL CHECK (json_valid(overrides)),
  draw_probability REAL CHECK (draw_probability > 0 AND draw_probability <= 1),
  created_at TEXT NOT NULL,
  opened_at TEXT,
  final_at TEXT,
  void_reason TEXT CHECK (void_reason IN ('failed', 'expired', 'interrupted')),
  CHECK ((state = 'void') = (void_reason IS NOT NULL)),
  CHECK ((state IN ('voted', 'revealed')) = (final_at IS NOT NULL)),
  CHECK (state IN ('generating', 'void') OR opened_at IS NOT NULL)
) STRICT""",
    """
CREATE TABLE battle_sides (
  battle_id TEXT NOT NULL REFERENCES battles (id),
  side TEXT NOT NULL CHECK (side IN ('a', 'b', 'c', 'd', 'e', 'f')),
  model_id TEXT NOT NULL REFERENCES models (id),
  seed INTEGER NOT NULL CHECK (seed >= 0),
  params TEXT NOT NULL CHECK (json_valid(params)),
  generation_id TEXT REFERENCES generations (id),
  PRIMARY KEY (battle_id, side)
) STRICT, WITHOUT ROWID""",
    """
CREATE TABLE votes (
  id TEXT PRIMARY KEY,
  battle_id TEXT NOT NULL REFERENCES battles (id),
  revision INTEGER NOT NULL CHECK (revision >= 1),
  choice TEXT NOT NULL CHECK (
    choice IN ('a', 'b', 'c', 'd', 'e', 'f', 'tie', 'both_bad', 'undo')
    OR (choice GLOB '[a-f][>=][a-f]*' AND choice NOT GLOB '*[^a-f>=]*')
  ),
  rater_id TEXT NOT NULL REFERENCES raters (id),
  created_at TEXT NOT NULL,
  decision_s REAL CHECK (decision_s >= 0),
  UNIQUE (battle_id, revision)
) STRICT""",
    """
CREATE TABLE vote_notes (
  id INTEGER PRIMARY KEY,
  battle_id TEXT NOT NULL REFERENCES battles (id),
  vote_id TEXT REFERENCES votes (id),
  side TEXT CHECK (side IN ('a', 'b', 'c', 'd', 'e', 'f')),
  kind TEXT NOT NULL CHECK (kind IN ('reason', 'comment', 'report')),
  text TEXT NOT NULL,
  rater_id TEXT NOT NULL REFERENCES raters (id),
  created_at TEXT NOT NULL,
  CHECK ((kind = 'report') = (vote_id IS NULL))
) STRICT""",
)

INDEXES = (
    "CREATE INDEX battles_unsettled ON battles (state) WHERE state IN ('generating', 'open', 'voted')",
    "CREATE INDEX battles_by_owner ON battles (owner, created_at)",
    "CREATE INDEX battles_by_comparison ON battles (comparison_id)",
    "CREATE INDEX battle_sides_by_generation ON battle_sides (generation_id)",
    "CREATE INDEX votes_in_time ON votes (created_at, id)",
    "CREATE INDEX votes_by_rater ON votes (rater_id, created_at)",
    "CREATE INDEX vote_notes_by_battle ON vote_notes (battle_id)",
)

TRIGGERS = (
    """
CREATE TRIGGER votes_never_change BEFORE UPDATE ON votes
BEGIN SELECT RAISE (ABORT, 'votes are append-only: add a revision'); END""",
    """
CREATE TRIGGER votes_stay BEFORE DELETE ON votes
BEGIN SELECT RAISE (ABORT, 'votes are append-only: add a revision'); END""",
    """
CREATE TRIGGER votes_in_order BEFORE INSERT ON votes
WHEN NEW.revision <> 1 + (SELECT coalesce(max(revision), 0) FROM votes WHERE battle_id = NEW.battle_id)
BEGIN SELECT RAISE (ABORT, 'a vote''s revision is one more than the battle''s last'); END""",
    """
CREATE TRIGGER generations_never_change BEFORE UPDATE ON generations
BEGIN SELECT RAISE (ABORT, 'a generation is written once'); END""",
    """
CREATE TRIGGER generations_stay BEFORE DELETE ON generations
BEGIN SELECT RAISE (ABORT, 'a generation is written once'); END""",
    """
CREATE TRIGGER battles_keep_their_terms
BEFORE UPDATE OF id, comparison_id, parent_id, owner, source, blind, instruction_id, overrides, draw_probability,
  created_at ON battles
BEGIN SELECT RAISE (ABORT, 'only a battle''s state and its times change'); END""",
    """
CREATE TRIGGER battles_end BEFORE UPDATE OF state ON battles
WHEN OLD.state IN ('revealed', 'void') AND NEW.state <> OLD.state
BEGIN SELECT RAISE (ABORT, 'a revealed or void battle stays so'); END""",
    """
CREATE TRIGGER battle_sides_keep_their_draw BEFORE UPDATE OF battle_id, side, model_id, seed, params ON battle_sides
BEGIN SELECT RAISE (ABORT, 'a side keeps the model that it was drawn'); END""",
    """
CREATE TRIGGER battle_sides_are_filled_once BEFORE UPDATE OF generation_id ON battle_sides
WHEN OLD.generation_id IS NOT NULL
BEGIN SELECT RAISE (ABORT, 'a side is filled once'); END""",
)

# One row per judged pair.
PAIRS = f"""
CREATE VIEW pairs AS
SELECT
  v.id AS vote_id, v.battle_id, b.comparison_id, v.rater_id,
{JUDGEMENT}
  b.blind, b.source, i.category, f.chars AS chars_a, g.chars AS chars_b,
  f.license AS license_a, g.license AS license_b, x.generation_id AS generation_a, y.generation_id AS generation_b,
  v.choice, v.decision_s, v.created_at, b.final_at
{JUDGED_PAIRS}"""
