"""The list of votes with its search: its form, and its data for `assets/votes.js`.

Boundary: strings and JSON values from a `Report`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playground.publishing.contents import LEFT_OUT
from playground.report import texts
from playground.report.battles import ShownBattle
from playground.report.report import Report
from playground.ui.rendering import escape
from playground.ui.texts import formats


def votes(report: Report) -> str:
    """Return the form and an empty list, which the script fills, and words on what is not in it."""
    shown = report.battles
    head = _head(report)
    if not shown.newest:
        return f"{head}<p>{escape(texts.VOTES_NONE)}</p>"
    models = _options({row.model: row.name for row in report.view.rows})
    fields = (
        f"<label>{escape(texts.SEARCH)}<input name='words' type='search' autocomplete='off'></label>"
        f"<label>{escape(texts.MODEL)}<select name='model'>{models}</select></label>"
        f"<label>{escape(texts.OUTCOME)}<select name='outcome'>{_options(texts.OUTCOMES)}</select></label>"
        f"<label class='check'><input name='counted' type='checkbox'>{escape(texts.COUNTED)}</label>"
    )
    return (
        f"{head}<noscript><p>{escape(texts.SCRIPTS_OFF)}</p></noscript>"
        f"<form id='votes-form' class='fields' hidden>{fields}</form><p id='votes-said' class='soft' role='status'></p>"
        f"<ol id='votes-list' aria-label='{escape(texts.VOTES_LIST)}'></ol>"
        f"<button id='votes-more' type='button' hidden>{escape(texts.MORE)}</button>"
    )


def battles_document(report: Report) -> Mapping[str, Any]:
    """Return the battles, newest first, as JSON values."""
    names = {model: card.name for model, card in report.view.cards.items()}
    used = {answer.model for battle in report.battles.newest for answer in battle.answers}
    return {
        "models": {model: names.get(model, model) for model in sorted(used)},
        "battles": [_document(battle) for battle in reversed(report.battles.newest)],
    }


def _head(report: Report) -> str:
    shown = report.battles
    lines = []
    if shown.newest:
        lines.append(texts.VOTES_LEAD.format(battles=formats.counted(len(shown.newest), formats.BATTLES)))
    if shown.num_older:
        lines.append(texts.VOTES_OLDER.format(older=f"{shown.num_older:,}"))
    if shown.left_out:
        reasons = (f"{formats.counted(n, formats.VOTES)} {LEFT_OUT[reason]}" for reason, n in shown.left_out.items())
        lines.append(texts.WITHHELD.format(reasons=", ".join(reasons)))
    lines.append(texts.WORDS_AS_WRITTEN)
    return f"<p class='soft'>{escape(' '.join(lines))}</p>"


def _options(named: Mapping[str, str]) -> str:
    options = {"": texts.ANY, **named}
    return "".join(f"<option value='{escape(value)}'>{escape(name)}</option>" for value, name in options.items())


def _document(battle: ShownBattle) -> Mapping[str, Any]:
    return {
        "instruction": battle.asked.instruction,
        "input": battle.asked.input,
        "system": battle.asked.system,
        "category": battle.asked.category,
        "answers": [[a.side, a.model, a.text, a.license] for a in battle.answers],
        "best": _best(battle.choice),
        "kind": _kind(battle.choice),
        "outcome": _outcome(battle.choice),
        "reasons": list(battle.reasons),
        "comment": battle.comment,
        "rater": battle.rater,
        "day": formats.moment(battle.created_at),
        "whyNot": battle.why_not,
    }


def _kind(choice: str) -> str:
    """Return one of `texts.OUTCOMES`."""
    if choice in ("tie", "both_bad"):
        return choice
    return "order" if re.search("[>=]", choice) else "won"


def _best(choice: str) -> list[str]:
    """Return the sides that no other one beat, unless all are alike."""
    if choice in ("tie", "both_bad") or (">" not in choice and "=" in choice):
        return []
    return choice.partition(">")[0].split("=")


def _outcome(choice: str) -> str:
    kind = _kind(choice)
    if kind == "won":
        return f"{choice.upper()} {texts.PREFERRED}"
    return formats.order(choice) if kind == "order" else texts.OUTCOMES[kind]
