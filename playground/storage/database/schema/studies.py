"""The part of migration 5 for studies: their items, raters and assignments, and which battle is of which study.

Boundary: statements only. Not released yet: it may be edited until it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.storage.database.schema import judged

# A battle names its study itself, so that the journal and exports do; the study's own tables are not journaled.
# `study_kind` says whether it is one of the study's items, or judged beside them and never rated; `study_rater` is the
# number of the link under which it was judged: a restored database has no links, and takes its browsers for one person.
COLUMNS = (
    "ALTER TABLE battles ADD COLUMN study TEXT CHECK (study <> '')",
    "ALTER TABLE battles ADD COLUMN study_hash TEXT CHECK ((study IS NULL) = (study_hash IS NULL))",
    "ALTER TABLE battles ADD COLUMN study_kind TEXT CHECK ("
    "(study IS NULL) = (study_kind IS NULL) AND study_kind IN ('item', 'repeat', 'check', 'attention'))",
    "ALTER TABLE battles ADD COLUMN study_rater INTEGER CHECK (study IS NOT NULL OR study_rater IS NULL)",
    "CREATE INDEX battles_by_study ON battles (study, state) WHERE study IS NOT NULL",
    "DROP TRIGGER battles_keep_their_terms",
    """
CREATE TRIGGER battles_keep_their_terms
BEFORE UPDATE OF id, comparison_id, parent_id, owner, source, blind, overrides, draw_probability, created_at,
  study, study_hash, study_kind, study_rater, rated ON battles
BEGIN SELECT RAISE (ABORT, 'only a battle''s state and its times change'); END""",
)

TABLES = (
    # `secret` makes orders that nobody can predict from the file.
    """
CREATE TABLE studies (
  id TEXT PRIMARY KEY CHECK (id <> ''),
  hash TEXT NOT NULL CHECK (length(hash) = 64),
  file TEXT NOT NULL CHECK (json_valid(file)),
  secret TEXT NOT NULL CHECK (length(secret) = 32),
  created_at TEXT NOT NULL,
  closed_at TEXT,
  why TEXT CHECK (why <> ''),
  CHECK ((closed_at IS NULL) = (why IS NULL))
) STRICT""",
    # `expected` is the best answer, by the order of the two generations here; sides are drawn for each battle.
    """
CREATE TABLE study_items (
  study TEXT NOT NULL REFERENCES studies (id),
  number INTEGER NOT NULL CHECK (number >= 1),
  kind TEXT NOT NULL CHECK (kind IN ('item', 'check', 'attention')),
  generation_a TEXT NOT NULL REFERENCES generations (id),
  generation_b TEXT NOT NULL REFERENCES generations (id),
  expected TEXT CHECK (expected IN ('a', 'b', 'tie', 'both_bad')),
  PRIMARY KEY (study, number),
  CHECK ((kind = 'item') = (expected IS NULL)),
  CHECK (generation_a <> generation_b)
) STRICT, WITHOUT ROWID""",
    # `rater` is that of the browser that opened the link last.
    """
CREATE TABLE study_raters (
  study TEXT NOT NULL REFERENCES studies (id),
  number INTEGER NOT NULL CHECK (number >= 1),
  token_hash TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
  rater TEXT REFERENCES raters (id),
  check_state TEXT NOT NULL CHECK (check_state IN ('none', 'waiting', 'passed', 'failed')),
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  created_at TEXT NOT NULL,
  finished_at TEXT,
  PRIMARY KEY (study, number)
) STRICT, WITHOUT ROWID""",
    # Every browser that opened a link; those that judged under it are one person.
    """
CREATE TABLE study_browsers (
  study TEXT NOT NULL,
  number INTEGER NOT NULL,
  rater TEXT NOT NULL REFERENCES raters (id),
  PRIMARY KEY (study, number, rater),
  FOREIGN KEY (study, number) REFERENCES study_raters (study, number)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX study_browsers_by_rater ON study_browsers (rater)",
    # A battle's own state says whether it is reserved (open), judged, or void: given back, so that its item may come to
    # the same rater again, unless `dropped` says why it does not.
    """
CREATE TABLE assignments (
  battle TEXT PRIMARY KEY REFERENCES battles (id),
  study TEXT NOT NULL,
  item INTEGER NOT NULL,
  rater INTEGER NOT NULL,
  place INTEGER NOT NULL CHECK (place >= 1),
  repeat_of TEXT REFERENCES assignments (battle),
  reserved_until TEXT NOT NULL,
  dropped TEXT CHECK (dropped IN ('skipped', 'unusable')),
  UNIQUE (study, rater, place),
  FOREIGN KEY (study, item) REFERENCES study_items (study, number),
  FOREIGN KEY (study, rater) REFERENCES study_raters (study, number)
) STRICT""",
    "CREATE INDEX assignments_by_item ON assignments (study, item)",
    # The operator's own judgement on an item on which raters differ: no vote. The last one holds.
    """
CREATE TABLE adjudications (
  id INTEGER PRIMARY KEY,
  study TEXT NOT NULL,
  item INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('a', 'b', 'tie', 'both_bad')),
  created_at TEXT NOT NULL,
  FOREIGN KEY (study, item) REFERENCES study_items (study, number)
) STRICT""",
    "CREATE INDEX adjudications_by_item ON adjudications (study, item)",
    # Studies that are only named here, as by votes that a journal brought back, and that the operator has closed.
    """
CREATE TABLE closed_unknown_studies (
  id TEXT PRIMARY KEY CHECK (id <> ''),
  closed_at TEXT NOT NULL,
  why TEXT NOT NULL CHECK (why <> '')
) STRICT, WITHOUT ROWID""",
)

TRIGGERS = (
    """
CREATE TRIGGER studies_never_change BEFORE UPDATE OF id, hash, file, secret, created_at ON studies
BEGIN SELECT RAISE (ABORT, 'a study is written once'); END""",
    """
CREATE TRIGGER studies_stay_closed BEFORE UPDATE OF closed_at, why ON studies WHEN OLD.closed_at IS NOT NULL
BEGIN SELECT RAISE (ABORT, 'a closed study stays so'); END""",
    """
CREATE TRIGGER studies_stay BEFORE DELETE ON studies
BEGIN SELECT RAISE (ABORT, 'a study is written once'); END""",
    """
CREATE TRIGGER study_items_never_change BEFORE UPDATE ON study_items
BEGIN SELECT RAISE (ABORT, 'the items of a study are written once'); END""",
    """
CREATE TRIGGER study_items_stay BEFORE DELETE ON study_items
BEGIN SELECT RAISE (ABORT, 'the items of a study are written once'); END""",
    """
CREATE TRIGGER study_raters_keep_their_links BEFORE UPDATE OF study, number, token_hash, created_at ON study_raters
BEGIN SELECT RAISE (ABORT, 'a link is written once'); END""",
    """
CREATE TRIGGER study_raters_stay BEFORE DELETE ON study_raters
BEGIN SELECT RAISE (ABORT, 'a link is written once'); END""",
    """
CREATE TRIGGER study_browsers_never_change BEFORE UPDATE ON study_browsers
BEGIN SELECT RAISE (ABORT, 'a browser of a link is stored once'); END""",
    """
CREATE TRIGGER study_browsers_stay BEFORE DELETE ON study_browsers
BEGIN SELECT RAISE (ABORT, 'a browser of a link is stored once'); END""",
    """
CREATE TRIGGER assignments_only_last BEFORE UPDATE OF battle, study, item, rater, place, repeat_of ON assignments
BEGIN SELECT RAISE (ABORT, 'only the end of a reservation changes'); END""",
    """
CREATE TRIGGER assignments_stay_dropped BEFORE UPDATE OF dropped ON assignments WHEN OLD.dropped IS NOT NULL
BEGIN SELECT RAISE (ABORT, 'a dropped item stays so'); END""",
    """
CREATE TRIGGER assignments_once BEFORE INSERT ON assignments
WHEN EXISTS (
  SELECT 1 FROM assignments s JOIN battles b ON b.id = s.battle
  WHERE s.study = NEW.study AND s.item = NEW.item AND s.rater = NEW.rater AND s.repeat_of IS NEW.repeat_of
    AND (b.state <> 'void' OR s.dropped IS NOT NULL))
BEGIN SELECT RAISE (ABORT, 'a rater has an item once'); END""",
    """
CREATE TRIGGER adjudications_never_change BEFORE UPDATE ON adjudications
BEGIN SELECT RAISE (ABORT, 'a judgement is written once'); END""",
    """
CREATE TRIGGER adjudications_stay BEFORE DELETE ON adjudications
BEGIN SELECT RAISE (ABORT, 'judgements are never deleted'); END""",
    """
CREATE TRIGGER assignments_stay BEFORE DELETE ON assignments
BEGIN SELECT RAISE (ABORT, 'assignments are never deleted'); END""",
    """
CREATE TRIGGER closed_unknown_studies_never_change BEFORE UPDATE ON closed_unknown_studies
BEGIN SELECT RAISE (ABORT, 'a closed study stays so'); END""",
    """
CREATE TRIGGER closed_unknown_studies_stay BEFORE DELETE ON closed_unknown_studies
BEGIN SELECT RAISE (ABORT, 'a closed study stays so'); END""",
)

MARKS: Mapping[str, tuple[int, int]] = {
    **judged.MARKS,
    "study_extra": (judged.MARKS_BITS, 1),  # a repeat, a check or an attention item of a study
    "study_running": (judged.MARKS_BITS + 1, 1),  # of a study that is not closed
}
"""The marks of `judged`, with two more."""
MARKS_BITS = judged.MARKS_BITS + 2


def mark(name: str) -> str:
    """Return one of `MARKS` of the row `p` as SQL; it binds stronger than NOT and AND."""
    shift, mask = MARKS[name]
    return f"p.marks >> {shift} & {mask}"


def is_running(study: str, own: str) -> str:
    """Return, as SQL, whether a vote is of a study that is still running.

    A journal names studies and does not hold them: one that is unknown here may be running, until it is closed here.

    Args:
        study: the id of its study, or NULL.
        own: whether the vote was given here, and not imported.
    """
    closed = f"EXISTS (SELECT 1 FROM closed_unknown_studies c WHERE c.id = {study})"
    unknown = f"{own} AND NOT {closed}"
    known = f"SELECT t.closed_at IS NULL FROM studies t WHERE t.id = {study}"
    return f"({study} IS NOT NULL AND coalesce(({known}), {unknown}))"


_MORE = {
    "study_extra": "(study_kind IS NOT NULL AND study_kind <> 'item')",
    "study_running": is_running("study", "NOT imported"),
}
_RUNNING = 1 << MARKS["study_running"][0]
_OF_STUDY = "vote IN (SELECT v.rowid FROM battles b JOIN votes v ON v.battle_id = b.id WHERE b.study = NEW.id)"

# As in migration 4, with two more marks. No battle is of a study yet, so stored rows stay as they are. A study begins
# and ends for all of its votes at once, also for imported ones that name it.
PAIRS = (
    "DROP VIEW expected_pairs",
    judged.expected_pairs(
        "".join(f"\n    | ({sql} << {MARKS[name][0]})" for name, sql in _MORE.items()), "b.study, b.study_kind, "
    ),
    "DROP VIEW pairs",
    judged.pairs_view("".join(f", {mark(name)} AS {name}" for name in _MORE) + ", b.study"),
    f"""
CREATE TRIGGER studies_mark_pairs AFTER INSERT ON studies WHEN NEW.closed_at IS NULL
BEGIN UPDATE judged_pairs SET marks = marks | {_RUNNING} WHERE {_OF_STUDY}; END""",
    f"""
CREATE TRIGGER closed_studies_mark_pairs AFTER UPDATE OF closed_at ON studies WHEN NEW.closed_at IS NOT NULL
BEGIN UPDATE judged_pairs SET marks = marks & ~{_RUNNING} WHERE {_OF_STUDY}; END""",
    f"""
CREATE TRIGGER closed_unknown_studies_mark_pairs AFTER INSERT ON closed_unknown_studies
WHEN NOT EXISTS (SELECT 1 FROM studies WHERE id = NEW.id)
BEGIN UPDATE judged_pairs SET marks = marks & ~{_RUNNING} WHERE {_OF_STUDY}; END""",
)

STATEMENTS = COLUMNS + TABLES + TRIGGERS + PAIRS
