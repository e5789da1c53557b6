"""The part of migration 5 for criteria: answers to a study's further questions, given with a vote.

Boundary: statements only. Not released yet: it may be edited until it is.
"""

# `choice` is one of the study's; `a` and `b` are sides of the battle, as in `votes`. Only the reason, a rater's own
# words, may be erased.
STATEMENTS = (
    """
CREATE TABLE vote_criteria (
  vote_id TEXT NOT NULL REFERENCES votes (id),
  criterion TEXT NOT NULL CHECK (criterion <> ''),
  choice TEXT NOT NULL CHECK (choice <> ''),
  reason TEXT NOT NULL DEFAULT '',
  rater_id TEXT NOT NULL REFERENCES raters (id),
  PRIMARY KEY (vote_id, criterion)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX vote_criteria_with_reasons ON vote_criteria (rater_id) WHERE reason <> ''",
    """
CREATE TRIGGER vote_criteria_are_only_erased BEFORE UPDATE ON vote_criteria
WHEN NEW.reason <> ''
  OR (NEW.vote_id, NEW.criterion, NEW.choice, NEW.rater_id)
    IS NOT (OLD.vote_id, OLD.criterion, OLD.choice, OLD.rater_id)
BEGIN SELECT RAISE (ABORT, 'votes are append-only: add a revision'); END""",
    """
CREATE TRIGGER vote_criteria_stay BEFORE DELETE ON vote_criteria
BEGIN SELECT RAISE (ABORT, 'votes are append-only: add a revision'); END""",
)
