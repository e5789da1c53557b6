"""The stored data of one rater: totals, a list, a copy as one document, erasure.

Boundary: shows of a battle what its rater may see of it at that time: no model while it is blind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from playground.battles.ballot import Viewer
from playground.battles.life import Battles
from playground.battles.steps import Steps
from playground.battles.transitions import later
from playground.records import (
    BattleState,
    BattleView,
    Belongings,
    ColumnView,
    CriterionAnswer,
    Erased,
    LiveItem,
    OwnBattle,
    PanelId,
    Question,
)
from playground.storage.database.statements import Writing

ALL = -1
"""No limit."""


class RaterData:
    """The data of raters in one store; an empty `source` means page and API."""

    def __init__(self, battles: Battles) -> None:
        self._battles = battles
        self._store = battles.store
        self._rules = battles.rules

    def totals(self, rater: str, source: str = "page") -> Belongings:
        """Return the number of a rater's battles, votes, notes and ids at panels."""
        with self._store.reading() as reading:
            return reading.belongings(rater, source)

    def of_panel_id(self, id: str) -> Sequence[str]:
        """Return the raters whom a panel knows under an id or its hash, one for each browser."""
        with self._store.reading() as reading:
            return reading.raters_of_panel_id(id)

    def panel_ids(self, raters: Iterable[str]) -> Collection[PanelId]:
        """Return the ids under which panels know one of some raters; several browsers may have one id."""
        with self._store.reading() as reading:
            return {id for rater in raters for id in reading.panel_ids_of_rater(rater)}

    def latest(self, rater: str, limit: int, chars: int, source: str = "page") -> Sequence[OwnBattle]:
        """Return a rater's battles, newest first, with the first `chars` characters of each instruction."""
        with self._store.reading() as reading:
            return reading.latest_battles(rater, source, limit, chars, self._rules.clock.now())

    def document(self, rater: str, source: str = "page") -> dict[str, Any]:
        """Return all data of a rater as one document: battles oldest first, without those being written.

        Instructions that the rater wrote for studies are there from the moment of writing, also without a battle.
        """
        with self._store.reading() as reading:
            battles = reading.latest_battles(rater, source, ALL, 0, self._rules.clock.now())
            reports, panel_ids = reading.reports_by(rater), reading.panel_ids_of_rater(rater)
            written = [_live_document(live) for live in reading.live_items_written(rater, source)]
        ended = [own for own in reversed(battles) if own.state is not BattleState.GENERATING]
        viewer = Viewer(rater, source)
        documents = [_battle_document(self._battles.view(own.battle_id, viewer), own.created_at) for own in ended]
        of_panels = [{"study": id.study, "rater": id.rater, "session": id.session} for id in panel_ids]
        document = {"rater_id": rater, "battles": documents, "reports": reports}
        parts = {"study_instructions": written, "panel_ids": of_panels}
        return document | {name: part for name, part in parts.items() if part}

    def erase(self, rater: str, source: str = "page") -> Erased:
        """Erase a rater's words: instructions, answers, prompts, comments, reports, and ids at panels.

        Models, choices, times and reasons stay and still count. Open battles become void, votes final. The battles of
        guests who joined a comparison of the rater show the same words and lose them too; what a guest erases stays
        with the rater who typed it. A second call erases only what has come since.

        Raises:
            Refused: one of the rater's battles is still being written; nothing was erased.
        """

        def work(writing: Writing) -> Erased:
            for battle_id in writing.unsettled(rater, source):
                Steps(writing, self._rules).end(battle_id)
            now = self._rules.clock.now()
            while writing.has_erasure(rater, now):  # the journal tells a rater's erasures apart by their times
                now = later(now, 0.001)
            return writing.erase_words(rater, source, now)

        return self._store.write(work)


def _battle_document(view: BattleView, created_at: str) -> dict[str, Any]:
    return (
        {
            "battle_id": view.battle_id,
            "created_at": created_at,
            "state": str(view.state),
            "blind": view.blind,
            "erased": view.erased,
            "hidden": view.hidden,
            "instruction": view.instruction.instruction,
            "input": view.instruction.input,
            "system": view.instruction.system,
            "answers": [_answer(column) for column in view.columns],
            "choice": view.choice,
            "counts": None if view.standing is None else view.standing.counts,
            "why_not": "" if view.standing is None else view.standing.why_not,
            "reasons": list(view.reasons),
            "comment": view.comment,
        }
        | _question(view.question)
        | _criteria(view.criteria)
    )


def _live_document(live: LiveItem) -> dict[str, Any]:
    """Return an instruction for a study without its models, which its rater may still judge blind."""
    asked = live.instruction
    words = {"instruction": asked.instruction, "input": asked.input, "system": asked.system}
    return {"study": live.study, "created_at": live.created_at, **words}


def _question(question: Question | None) -> dict[str, Any]:
    """Return which model the rater took an answer for, if they were asked."""
    return {} if question is None else {"asked_model_of": question.side, "guess": question.named}


def _criteria(answers: Sequence[CriterionAnswer]) -> dict[str, Any]:
    """Return the answers to the criteria of a study, if it has some."""
    return {"criteria": [asdict(answer) for answer in answers]} if answers else {}


def _answer(column: ColumnView) -> dict[str, Any]:
    known = {"side": column.side, "text": column.text}
    if column.card is not None:
        known |= {"model": column.card.id, "license": column.card.license}
    if column.reasoning:
        known["reasoning"] = column.reasoning
    return known
