"""The answers to the criteria of a study.

Boundary: a string from a `Report`.
"""

from __future__ import annotations

from collections.abc import Iterator

from playground.battles.ballot import NO_PREFERENCE
from playground.report import texts
from playground.report.report import Report
from playground.studies.criteria import CriterionStatus
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.rendering import escape
from playground.ui.texts import formats


def criteria(report: Report) -> str:
    """Return a table with a line for each answer; models by their names."""
    words = {choice: texts.OUTCOMES[choice] for choice in NO_PREFERENCE}
    names = words | {model: card.name for model, card in report.view.cards.items()}
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in texts.CRITERIA_HEAD)
    lines = "".join(line for one in report.criteria for line in _lines(one, names))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    return f"<p class='soft'>{escape(texts.CRITERIA_LEAD)}</p>{scrolling(texts.TITLES['criteria'], table)}"


def _lines(one: CriterionStatus, names: dict[str, str]) -> Iterator[str]:
    answers = [
        (names.get(answer, answer), f"{votes:,}", formats.share(votes / one.votes))
        for answer, votes in one.answers.items()
    ]
    for number, cells in enumerate(answers or [(texts.CRITERIA_NONE, "0", "–")]):
        question = f"<th scope='rowgroup' rowspan='{max(1, len(answers))}'>{escape(one.question)}</th>"
        inside = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        yield f"<tr>{question if not number else ''}{inside}</tr>"
