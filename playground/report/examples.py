"""Examples of battles that were won and lost, for each two models.

Boundary: a string from a `Report`; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from playground.report import texts
from playground.report.battles import Answer, ShownBattle
from playground.report.report import Report
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts.language import Plural

MOST_PAIRS = 60
"""Pairs of models with examples; those at the top of the board."""
MOST_CHARS = 1_500
"""Characters of a text in an example; the list of votes has all."""
PAIRS = Plural("{count:,} pair of models", "{count:,} pairs of models")


def examples(report: Report) -> str:
    """Return a folded box for each two models, with the newest battle that each won against the other."""
    rows, found = report.view.rows, report.battles.examples
    met = [pair for pair in combinations(rows, 2) if _keys(pair[0].model, pair[1].model) & found.keys()]
    if not met:
        return f"<p>{escape(texts.EXAMPLES_NONE)}</p>"
    boxes = "".join(
        f"<details{' open' if not number else ''}><summary>{escape(texts.PAIR.format(first=a.name, second=b.name))}"
        f"</summary>{_example(report, a.model, b.model)}{_example(report, b.model, a.model)}</details>"
        for number, (a, b) in enumerate(met[:MOST_PAIRS])
    )
    more = len(met) - MOST_PAIRS
    words = texts.EXAMPLES_MORE.format(pairs=formats.counted(more, PAIRS)) if more > 0 else ""
    return f"<p class='soft'>{escape(texts.EXAMPLES_LEAD)}</p>{boxes}" + (f"<p>{escape(words)}</p>" if words else "")


def _keys(one: str, other: str) -> set[tuple[str, str]]:
    return {(one, other), (other, one)}


def _example(report: Report, winner: str, loser: str) -> str:
    names = {row.model: row.name for row in report.view.rows}
    battle = report.battles.examples.get((winner, loser))
    said = {"winner": names[winner], "loser": names[loser]}
    if battle is None:
        return f"<p class='soft'>{escape(texts.NEVER_WON.format(**said))}</p>"
    answers = "".join(_answer(answer, names) for answer in _shown(battle, winner, loser))
    return (
        f"<div class='battle'><h3>{escape(texts.WON.format(**said))}</h3>{_words(battle.asked.instruction, 'asked')}"
        f"{_beside(battle)}<div class='answers'>{answers}</div>"
        f"<p class='soft facts'>{escape(formats.moment(battle.created_at))}</p></div>"
    )


def _shown(battle: ShownBattle, winner: str, loser: str) -> Sequence[tuple[Answer, bool]]:
    """Return the answers of the two, the better one first, with True for it."""
    best = next(answer for answer in battle.answers if answer.side == battle.choice)
    other = next(answer for answer in battle.answers if answer.model == loser)
    return [(best, True), (other, False)]


def _answer(shown: tuple[Answer, bool], names: dict[str, str]) -> str:
    answer, is_best = shown
    mark = f"<span class='mark'>{escape(texts.PREFERRED)}</span>" if is_best else ""
    return (
        f"<section class='answer{' best' if is_best else ''}'><h4>{escape(names[answer.model])}{mark}</h4>"
        f"{_words(answer.text, '')}<p class='soft'>{escape(answer.license)}</p></section>"
    )


def _beside(battle: ShownBattle) -> str:
    return "".join(_words(text, "beside") for text in (battle.asked.input, battle.asked.system) if text)


def _words(text: str, kind: str) -> str:
    """Return a text as it is; a long one is cut, with its length."""
    cut = "" if len(text) <= MOST_CHARS else texts.CUT.format(chars=len(text))
    return f"<div class='words {kind}' dir='auto'>{escape(text[:MOST_CHARS])}{escape(cut)}</div>"
