"""The analyses of a board, at the end of the Leaderboard page.

Boundary: draws `Analyses` as HTML, without texts of visitors.
"""

from __future__ import annotations

from collections.abc import Iterable

from playground.ratings.analyses import Analyses, Carrying, NoAnalyses, Stability, StyleAnalysis
from playground.ui.pages.leaderboard.agreement import agreement
from playground.ui.pages.leaderboard.history import history
from playground.ui.rendering import escape
from playground.ui.texts import agreement as agreement_texts
from playground.ui.texts import board_analyses as texts
from playground.ui.texts import board_history as history_texts
from playground.ui.texts.language import said


def analyses_html(analyses: Analyses | NoAnalyses) -> str:
    """Return a box for each analysis that found something, on agreement and on time; empty until they are ready.

    Carrying votes link to their battles if these are named.
    """
    if isinstance(analyses, NoAnalyses):
        return _soft(texts.FAILED.format(reason=said(analyses.why))) if analyses.why else ""
    boxes = [_style(analyses.style)] if analyses.style is not None else []
    if analyses.carrying is not None:
        boxes.append(_carrying(analyses.carrying))
    if analyses.stability is not None:
        boxes.append(_stability(analyses.stability))
    boxes.append(_box("agreement", agreement_texts.TITLE, agreement(analyses.agreement)))
    boxes.insert(0, _box("history wide", history_texts.TITLE, history(analyses.history)))
    return f"<div class='boxes'>{''.join(boxes)}</div>"


def _style(found: StyleAnalysis) -> str:
    return _box(
        "style", texts.STYLE, _soft(texts.STYLE_LEAD), _listed(effect.text for effect in found.effects), _p(found.order)
    )


def _carrying(found: Carrying) -> str:
    links = " · ".join(
        f"<a href='./?battle={escape(battle)}&amp;look=1'>{number}</a>"
        for number, battle in enumerate(found.battles, start=1)
    )
    more = texts.MORE.format(votes=f"{found.votes - len(found.battles):,}") if found.votes > len(found.battles) else ""
    listed = f"<p>{escape(texts.BATTLES)} {links}{escape(more)}</p>" if links else ""
    return _box("carrying", texts.CARRYING, _p(found.text), listed)


def _stability(found: Stability) -> str:
    moved = _listed(found.texts) if found.texts else ""
    return _box("stability", texts.STABILITY, _soft(texts.STABILITY_LEAD), _p(found.text), moved)


def _box(name: str, title: str, *parts: str) -> str:
    head = f"<section class='box box-{name}' aria-label='{escape(title)}'><h2>{escape(title)}</h2>"
    return f"{head}{''.join(parts)}</section>"


def _listed(sentences: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>"


def _p(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _soft(text: str) -> str:
    return f"<p class='soft'>{escape(text)}</p>"
