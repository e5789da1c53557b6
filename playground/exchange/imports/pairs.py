"""Judged pairs, one flat row each; a vote on more than two answers comes in as a battle for each of its pairs.

Boundary: field names only; the columns are those of the export of this name.
"""

from __future__ import annotations

from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import CHOICES, ImportedAnswer, Pair, StudyBattle, judged_pair
from playground.exchange.imports.rows import ReadOptions
from playground.records import STUDY_KINDS, Origin


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of a row."""
    vote_id = fields.name("vote_id", "")
    pair = Pair(
        key=vote_id,
        a=ImportedAnswer(fields.name("model_a"), fields.text("answer_a"), fields.text("license_a", "")),
        b=ImportedAnswer(fields.name("model_b"), fields.text("answer_b"), fields.text("license_b", "")),
        winner=fields.one_of("winner", CHOICES),
        instruction=fields.text("instruction"),
        input=fields.text("input", ""),
        system=fields.text("system", ""),
        category=fields.text("category", ""),
        rater=fields.name("rater", ""),
        origin=Origin(fields.one_of("origin", Origin, Origin.PERSON)),
        blind=fields.flag("blind", True),
        created_at=fields.time("created_at", ""),
        decision_s=fields.at_least("decision_s", 0),
        strength=fields.above_0("strength"),
        study=_study(fields),
    )
    return judged_pair("pairs", pair, origins, (vote_id,))


def _study(fields: Fields) -> StudyBattle | None:
    """Return the study of a row; none if its hash or kind is missing, as in files of earlier versions."""
    if not all(fields.given(name) for name in ("study", "study_hash", "study_kind")):
        return None
    kind, own_words = fields.one_of("study_kind", STUDY_KINDS), fields.flag("own_words", False)
    return StudyBattle(fields.name("study"), fields.name("study_hash"), kind, own_words)


PAIRS = ImportFormat(
    name="pairs",
    read=read,
    needed=("model_a", "model_b", "winner", "instruction", "answer_a", "answer_b"),
    options=ReadOptions(is_escaped=True),
)
