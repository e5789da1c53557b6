"""The part of migration 5 for panels: the raters that a panel sent, by keyed hashes, and their ids in their own table.

Boundary: statements only. Not released yet: it may be edited until it is.
"""

from __future__ import annotations

TABLES = (
    # Hashes are keyed by the study's secret; `session_hash` is there where the panel names sessions.
    """
CREATE TABLE panel_raters (
  study TEXT NOT NULL,
  number INTEGER NOT NULL,
  id_hash TEXT NOT NULL CHECK (length(id_hash) = 64),
  session_hash TEXT CHECK (length(session_hash) = 64),
  entered_at TEXT NOT NULL,
  outcome TEXT CHECK (outcome IN ('complete', 'screened_out', 'attention_failed', 'our_fault', 'incomplete')),
  ended_at TEXT,
  PRIMARY KEY (study, number),
  UNIQUE (study, id_hash),
  UNIQUE (study, session_hash),
  FOREIGN KEY (study, number) REFERENCES study_raters (study, number),
  CHECK ((outcome IS NULL) = (ended_at IS NULL))
) STRICT, WITHOUT ROWID""",
    # Only to pay: deleted some days after the study's end, and when the rater erases their data.
    """
CREATE TABLE panel_ids (
  study TEXT NOT NULL,
  number INTEGER NOT NULL,
  rater TEXT NOT NULL CHECK (rater <> ''),
  session TEXT CHECK (session <> ''),
  PRIMARY KEY (study, number),
  FOREIGN KEY (study, number) REFERENCES panel_raters (study, number)
) STRICT, WITHOUT ROWID""",
)

TRIGGERS = (
    """
CREATE TRIGGER panel_raters_end_once BEFORE UPDATE ON panel_raters
WHEN OLD.outcome IS NOT NULL OR (OLD.study, OLD.number, OLD.id_hash, OLD.session_hash, OLD.entered_at)
  IS NOT (NEW.study, NEW.number, NEW.id_hash, NEW.session_hash, NEW.entered_at)
BEGIN SELECT RAISE (ABORT, 'a rater of a panel ends once'); END""",
    """
CREATE TRIGGER panel_raters_stay BEFORE DELETE ON panel_raters
BEGIN SELECT RAISE (ABORT, 'a rater of a panel is stored once'); END""",
    """
CREATE TRIGGER panel_ids_never_change BEFORE UPDATE ON panel_ids
BEGIN SELECT RAISE (ABORT, 'an id of a panel is only deleted'); END""",
)

STATEMENTS = TABLES + TRIGGERS
