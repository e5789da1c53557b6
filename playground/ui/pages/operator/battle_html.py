"""HTML of the battles that the operator looks at, with their reports and the buttons to decide.

Boundary: strings from `ModeratedBattle`; models are not named, so that the operator's own battles stay blind.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.records import AnswerReport, Battle, BattleState, ModeratedBattle
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import operator as texts
from playground.ui.texts.language import joined

MOST_CHARS = 1500
"""Characters of a text in a list of battles."""
ALL_CHARS = 100_000
"""Characters of a text of a battle that was looked up."""


def section_html(title: str, battles: Sequence[ModeratedBattle], empty: str, most_chars: int = MOST_CHARS) -> str:
    """Return a list of battles with its heading, or `empty`."""
    shown = "".join(battle_html(battle, most_chars) for battle in battles)
    return (
        f"<section aria-label='{escape(title)}'><h2 tabindex='-1'>{escape(title)}</h2>"
        f"{shown or f'<p class=soft>{escape(empty)}</p>'}</section>"
    )


def battle_html(moderated: ModeratedBattle, most_chars: int = MOST_CHARS) -> str:
    """Return one battle: reports, texts, buttons."""
    battle = moderated.battle
    facts = [texts.STATES[battle.state]]
    if battle.erased_at is not None:
        facts.append(texts.ERASED)
    if battle.hidden_at is not None:
        facts.append(texts.HIDDEN_SINCE.format(time=formats.moment(battle.hidden_at)))
    title = texts.BATTLE_OF.format(time=formats.moment(battle.created_at))
    reports = "".join(_report(report) for report in moderated.reports)
    reports = f"<ul class='reports'>{reports}</ul>" if reports else f"<p class='soft'>{escape(texts.NO_REPORTS)}</p>"
    return (
        f"<article class='moderated' data-battle='{escape(battle.id)}'>"
        f"<h3><a href='./?battle={escape(battle.id)}&amp;look=1'>{escape(title)}</a></h3>"
        f"<p class='facts'>{escape(joined(' · ', facts))}</p>{reports}{_texts(battle, most_chars)}"
        f"<div class='acts'>{_buttons(moderated)}</div></article>"
    )


def _report(report: AnswerReport) -> str:
    about = texts.REPORT_OF.format(letter=report.side.upper()) if report.side else texts.REPORT_OF_BATTLE
    when = formats.moment(report.created_at)
    small = when if report.is_new else f"{when} · {texts.REPORT_REVIEWED}"
    return (
        f"<li><b>{escape(about)}</b> <span dir='auto'>{escape(report.text)}</span><small>{escape(small)}</small></li>"
    )


def _texts(battle: Battle, most_chars: int) -> str:
    """Return instruction and answers, folded; nothing of an erased battle."""
    if battle.erased_at is not None:
        return ""
    asked = battle.instruction
    parts = [(texts.INSTRUCTION, asked.instruction), (texts.INPUT, asked.input), (texts.SYSTEM, asked.system)]
    parts = [part for part in parts if part[1]]
    if battle.state is not BattleState.GENERATING:
        parts += [
            (texts.ANSWER.format(letter=side.side.upper()), side.generation.text if side.generation else "")
            for side in battle.sides
        ]
    shown = "".join(_text(name, text, most_chars) for name, text in parts)
    return f"<details id='words-{escape(battle.id)}'><summary>{escape(texts.WORDS)}</summary>{shown}</details>"


def _text(name: str, text: str, most_chars: int) -> str:
    left = len(text) - most_chars
    cut = texts.CUT.format(text=text[:most_chars], count=left) if left > 0 else text or texts.NO_ANSWER
    return (
        f"<h4>{escape(name)}</h4>"
        f"<pre dir='auto' tabindex='0' role='group' aria-label='{escape(name)}'>{escape(cut)}</pre>"
    )


def _buttons(moderated: ModeratedBattle) -> str:
    battle = moderated.battle
    acts = [("show", texts.SHOW) if battle.hidden_at is not None else ("hide", texts.HIDE)]
    if any(report.is_new for report in moderated.reports):
        acts.append(("dismiss", texts.DISMISS))
    when = formats.moment(battle.created_at)
    return "".join(
        f"<button type='button' class='act' data-do='{do}' data-battle='{escape(battle.id)}' "
        f"aria-label='{escape(texts.ACTION_LABELS[do].format(time=when))}'>{escape(words)}</button>"
        for do, words in acts
    )
