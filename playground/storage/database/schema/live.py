"""The part of migration 5 for live studies: the instructions that raters wrote, and the items that they became.

Boundary: statements only. Not released yet: it may be edited until it is.
"""

from __future__ import annotations

# The words of a study's battles are the operator's, but where raters wrote them: these are erased with the rater's.
COLUMNS = (
    "ALTER TABLE battles ADD COLUMN own_words INTEGER NOT NULL DEFAULT 0 CHECK (own_words IN (0, 1))",
    """
CREATE TRIGGER battles_keep_their_words BEFORE UPDATE OF own_words ON battles
BEGIN SELECT RAISE (ABORT, 'only a battle''s state and its times change'); END""",
)

# `rater` is the number of the link, `owner` the rater of the browser; `seed` is that of the answers, in `generated`.
# A row without item and failure is being answered: a restart goes on with it.
TABLES = (
    """
CREATE TABLE live_items (
  study TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  rater INTEGER NOT NULL,
  owner TEXT NOT NULL REFERENCES raters (id),
  instruction_id TEXT NOT NULL REFERENCES instructions (id),
  model_a TEXT NOT NULL,
  model_b TEXT NOT NULL,
  seed INTEGER NOT NULL CHECK (seed >= 0),
  probability REAL CHECK (probability > 0 AND probability <= 1),
  created_at TEXT NOT NULL,
  item INTEGER,
  failed TEXT CHECK (failed <> ''),
  PRIMARY KEY (study, number),
  UNIQUE (study, item),
  FOREIGN KEY (study, rater) REFERENCES study_raters (study, number),
  FOREIGN KEY (study, item) REFERENCES study_items (study, number),
  CHECK (model_a <> model_b),
  CHECK (item IS NULL OR failed IS NULL)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX live_items_by_rater ON live_items (study, rater, number)",
    "CREATE INDEX live_items_by_owner ON live_items (owner)",
    "CREATE INDEX live_items_by_instruction ON live_items (instruction_id)",
    "CREATE INDEX live_items_being_answered ON live_items (study) WHERE item IS NULL AND failed IS NULL",
)

TRIGGERS = (
    """
CREATE TRIGGER live_items_end_once BEFORE UPDATE OF item, failed ON live_items
WHEN OLD.item IS NOT NULL OR OLD.failed IS NOT NULL
BEGIN SELECT RAISE (ABORT, 'an instruction becomes an item once'); END""",
    """
CREATE TRIGGER live_items_are_only_erased BEFORE UPDATE OF instruction_id ON live_items
WHEN EXISTS (SELECT 1 FROM instructions WHERE id = NEW.instruction_id AND instruction || input || system <> '')
BEGIN SELECT RAISE (ABORT, 'an instruction is written once'); END""",
    """
CREATE TRIGGER live_items_never_change
BEFORE UPDATE OF study, number, rater, owner, model_a, model_b, seed, probability, created_at ON live_items
BEGIN SELECT RAISE (ABORT, 'an instruction is written once'); END""",
    """
CREATE TRIGGER live_items_stay BEFORE DELETE ON live_items
BEGIN SELECT RAISE (ABORT, 'an instruction is written once'); END""",
)

STATEMENTS = COLUMNS + TABLES + TRIGGERS
