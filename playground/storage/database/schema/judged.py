"""The flat table of judged pairs in migration 4, and the triggers that write it in the transaction of each change.

A row is small, and names other rows by their rowids: a board of a million votes reads one narrow table in its order,
and an export finds answers without searching for their ids. Only pairs of a battle's latest revision are rows: an undo,
or any later vote, deletes the rows of the revisions before it.

Boundary: statements only. A released migration is never edited.
"""

from playground.storage.database.schema.pairs import JUDGED_PAIRS, JUDGEMENT

# Categories have no table of their own otherwise; a battle's category never changes, also if its words are erased.
TABLES = (
    """
CREATE TABLE categories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT""",
    # `pair` is 8 times the index of the earlier side plus that of the later one; `marks` packs what MARKS names.
    """
CREATE TABLE judged_pairs (
  vote INTEGER NOT NULL,
  pair INTEGER NOT NULL,
  battle INTEGER NOT NULL,
  answer_a INTEGER NOT NULL,
  answer_b INTEGER NOT NULL,
  rater INTEGER NOT NULL,
  model_a INTEGER NOT NULL,
  model_b INTEGER NOT NULL,
  category INTEGER NOT NULL,
  marks INTEGER NOT NULL,
  decision_s REAL,
  PRIMARY KEY (vote, pair)
) STRICT, WITHOUT ROWID""",
    # Only votes on more than two answers are in it: whether there are any is known at once.
    "CREATE INDEX judged_pairs_of_several ON judged_pairs (vote) WHERE pair <> 1",
)

WINNERS = ("model_a", "model_b", "tie", "both_bad")
ORIGINS = ("person", "program", "judge", "shared")
VOTE_FLAGS = ("seen_before", "seen_elsewhere", "capped")
MARKS = {
    "winner": (0, 3),  # index into WINNERS
    "longer": (2, 3),  # 0: the second answer is longer, 1: neither, 2: the first
    "origin": (4, 3),  # index into ORIGINS
    "blind": (6, 1),
    "drawn": (7, 1),
    "own_sampling": (8, 1),
    "imported": (9, 1),
    "names_itself": (10, 1),
    "seen_before": (11, 1),
    "seen_elsewhere": (12, 1),
    "capped": (13, 1),
}
"""Names of the numbers in `marks`: by how many bits each is shifted, and its mask."""
MARKS_BITS = 14


def _index(column: str, values: tuple[str, ...]) -> str:
    cases = " ".join(f"WHEN '{value}' THEN {number}" for number, value in enumerate(values))
    return f"CASE {column} {cases} END"


def mark(name: str) -> str:
    """Return one of `MARKS` of the row `p` as SQL; it binds stronger than NOT and AND."""
    shift, mask = MARKS[name]
    return f"p.marks >> {shift} & {mask}" if shift else f"p.marks & {mask}"


def _flag(kind: str) -> str:
    return f"EXISTS (SELECT 1 FROM vote_flags n WHERE n.vote_id = v.id AND n.kind = '{kind}')"


_VALUES = {
    "winner": _index("winner", WINNERS),
    "longer": "sign(chars_a - chars_b) + 1",
    "origin": _index("origin", ORIGINS),
}
_MARKS_OF_VOTE = "\n    | ".join(
    f"(({_VALUES.get(name, name)}) << {shift})" if shift else _VALUES[name] for name, (shift, _) in MARKS.items()
)
_FLAGGED = ",\n    ".join(f"{_flag(kind)} AS {kind}" for kind in VOTE_FLAGS)


def expected_pairs(more_marks: str = "", more: str = "") -> str:
    """Return the view of what the flat table should hold, from the votes themselves.

    Args:
        more_marks: of a later version, as SQL over the columns in `more`.
    """
    return f"""
CREATE VIEW expected_pairs AS
SELECT vote, 8 * instr('bcdef', side_a) + instr('bcdef', side_b) AS pair, battle, answer_a, answer_b,
  (SELECT rowid FROM raters WHERE id = rater_id) AS rater,
  (SELECT rowid FROM models WHERE id = model_a) AS model_a, (SELECT rowid FROM models WHERE id = model_b) AS model_b,
  (SELECT id FROM categories WHERE name = category) AS category,
  {_MARKS_OF_VOTE}{more_marks} AS marks, decision_s
FROM (
  SELECT {more}v.rowid AS vote, b.rowid AS battle, f.rowid AS answer_a, g.rowid AS answer_b, v.rater_id, i.category,
{JUDGEMENT}
    f.chars AS chars_a, g.chars AS chars_b, v.origin, v.decision_s, b.blind,
    b.draw_probability IS NOT NULL AS drawn, b.overrides = '{{}}' AS own_sampling, v.imported IS NOT NULL AS imported,
    EXISTS (
      SELECT 1 FROM battle_sides s JOIN generation_flags n ON n.generation_id = s.generation_id
      WHERE s.battle_id = v.battle_id AND n.kind = 'names_itself') AS names_itself,
    {_FLAGGED}
  {JUDGED_PAIRS})"""


TRIGGERS = (
    """
CREATE TRIGGER instructions_add_category AFTER INSERT ON instructions
WHEN NOT EXISTS (SELECT 1 FROM categories WHERE name = NEW.category)
BEGIN INSERT INTO categories (name) VALUES (NEW.category); END""",
    """
CREATE TRIGGER votes_judge_pairs AFTER INSERT ON votes WHEN NEW.choice <> 'undo'
BEGIN INSERT INTO judged_pairs SELECT * FROM expected_pairs WHERE vote = NEW.rowid; END""",
    """
CREATE TRIGGER votes_replace_pairs AFTER INSERT ON votes WHEN NEW.revision > 1
BEGIN
  DELETE FROM judged_pairs
  WHERE vote IN (SELECT rowid FROM votes WHERE battle_id = NEW.battle_id AND revision < NEW.revision);
END""",
    # A vote's flags follow it. An answer is flagged before it is judged, and a side is filled before: a replayed
    # journal may do either later.
    f"""
CREATE TRIGGER vote_flags_mark_pairs AFTER INSERT ON vote_flags
BEGIN
  UPDATE judged_pairs
  SET marks = marks | CASE NEW.kind {" ".join(f"WHEN '{kind}' THEN {1 << MARKS[kind][0]}" for kind in VOTE_FLAGS)} END
  WHERE vote = (SELECT rowid FROM votes WHERE id = NEW.vote_id);
END""",
    f"""
CREATE TRIGGER generation_flags_mark_pairs AFTER INSERT ON generation_flags
BEGIN
  UPDATE judged_pairs SET marks = marks | {1 << MARKS["names_itself"][0]}
  WHERE vote IN (
    SELECT v.rowid FROM battle_sides s JOIN votes v ON v.battle_id = s.battle_id
    WHERE s.generation_id = NEW.generation_id);
END""",
    """
CREATE TRIGGER battle_sides_judge_pairs AFTER UPDATE OF generation_id ON battle_sides
WHEN EXISTS (SELECT 1 FROM votes WHERE battle_id = NEW.battle_id)
BEGIN
  DELETE FROM judged_pairs WHERE vote IN (SELECT rowid FROM votes WHERE battle_id = NEW.battle_id);
  INSERT INTO judged_pairs
  SELECT * FROM expected_pairs WHERE battle = (SELECT rowid FROM battles WHERE id = NEW.battle_id);
END""",
)

OLDER_ROWS = (
    "INSERT INTO categories (name) SELECT DISTINCT category FROM instructions ORDER BY 1",
    "INSERT INTO judged_pairs SELECT * FROM expected_pairs",
)


def pairs_view(more: str = "") -> str:
    """Return the view of all judged pairs; `more` are columns of a later version."""
    return f"""
CREATE VIEW pairs AS
SELECT
  v.id AS vote_id, v.battle_id, b.comparison_id, v.rater_id, v.origin, v.strength, v.imported,
  substr('abcdef', p.pair / 8 + 1, 1) AS side_a, substr('abcdef', p.pair % 8 + 1, 1) AS side_b,
  f.model_id AS model_a, g.model_id AS model_b,
  CASE {mark("winner")} WHEN 0 THEN 'model_a' WHEN 1 THEN 'model_b' WHEN 2 THEN 'tie' ELSE 'both_bad' END AS winner,
  CASE WHEN p.model_a = p.model_b THEN 0.0 ELSE 1.0 END AS weight,
  b.blind, b.source, {mark("drawn")} AS drawn, {mark("own_sampling")} AS own_sampling,
  c.name AS category, f.chars AS chars_a, g.chars AS chars_b,
  f.license AS license_a, g.license AS license_b, f.id AS generation_a, g.id AS generation_b,
  v.choice, v.decision_s, v.created_at, b.final_at, b.erased_at, b.hidden_at,
  {", ".join(f"{mark(kind)} AS {kind}" for kind in ("names_itself", *VOTE_FLAGS))}{more}
FROM votes v
JOIN judged_pairs p ON p.vote = v.rowid
JOIN battles b ON b.rowid = p.battle
JOIN categories c ON c.id = p.category
JOIN generations f ON f.rowid = p.answer_a
JOIN generations g ON g.rowid = p.answer_b"""
