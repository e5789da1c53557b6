"""HTML of the answer columns: head with tools, foot with numbers, the card in short, and the introduction.

Boundary: strings from a `PageState` and a `ColumnView`. Anything in a `ColumnView` may be shown: the arena hides the
models of a blind battle.
"""

from __future__ import annotations

from playground.records import SIDES, UNKNOWN_LICENSE, ColumnState, ColumnView, Generation, ModelCard
from playground.ui.pages.compare.state import PageState, Phase
from playground.ui.rendering import escape, with_link
from playground.ui.texts import compare as texts
from playground.ui.texts import formats
from playground.ui.texts.language import joined

LABELLED = (ColumnState.FAILED, ColumnState.STOPPED)
"""States that are named beside a known model too; that an answer is done can be seen."""
RUNNING = (ColumnState.WAITING, ColumnState.LOADING, ColumnState.WRITING)


def _icon(path: str) -> str:
    return f"<svg viewBox='0 0 16 16' width='16' height='16' aria-hidden='true'><path d='{path}'/></svg>"


ICONS = {
    texts.RAW: _icon("M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4"),
    texts.COPY: _icon("M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3"),
    texts.ENLARGE: _icon("M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9"),
    texts.REPORT: _icon("M3.5 14.5v-12h8l-1.5 3 1.5 3h-8"),
}
"""Paths of one stroke, in the text's colour."""


def head_html(state: PageState, column: ColumnView) -> str:
    """Return the letter, the model if it may be known, the state and the tools."""
    model = _model(column.card, _mark(state, column.side)) if column.card is not None else ""
    label = ""
    if column.card is None or column.state in (*RUNNING, *LABELLED):
        label = f"<span class='state'>{escape(column.status or _state(column))}</span>"
    letter = f"<span class='letter'>{column.side.upper()}</span>"
    return f"<h2>{letter}{model}{label}</h2><div class='tools'>{_tools(state, column)}</div>"


def _state(column: ColumnView) -> str:
    if column.state is ColumnState.WRITING and column.reasoning and not column.text:
        return texts.REASONING_SO_FAR.format(words=len(column.reasoning.split()))
    return texts.COLUMN_STATES[column.state]


def _mark(state: PageState, side: str) -> str:
    """Return the mark of a chosen or ranked answer, after the reveal."""
    view = state.view
    if view is None or state.phase is not Phase.REVEALED or not view.choice:
        return ""
    if view.choice == side:
        return f"<span class='mark mark-best'>{escape(texts.MARK_MINE if view.mine else texts.MARK)}</span>"
    groups = view.choice.split(">")
    rank = next((place for place, group in enumerate(groups, start=1) if side in group.split("=")), 0)
    if not rank or len(view.choice) == 1:
        return ""
    best = " mark-best" if rank == 1 else ""
    return f"<span class='mark{best}'>{escape(texts.MARK_RANK.format(rank=rank))}</span>"


def _model(card: ModelCard, mark: str) -> str:
    license = texts.LICENSE_UNKNOWN if card.license == UNKNOWN_LICENSE else card.license
    facts = f"{formats.parameters(card.num_parameters)} · {license}"
    return f"<span class='who'><b>{escape(card.name)}</b><small>{escape(facts)}</small>{mark}</span>"


def _tools(state: PageState, column: ColumnView) -> str:
    """Return the column's buttons; `keys.js` handles them."""
    side, view = column.side, state.view
    letter = side.upper()
    if state.phase is Phase.GENERATING:
        stoppable = view is not None and view.mine and not view.blind and column.state in RUNNING
        label = texts.STOP_LABEL.format(letter=letter)
        return _tool("press", side, texts.STOP_COLUMN, label, f"stop-{side}") if stoppable else ""
    if not column.text:
        return ""
    return (
        _tool("raw", side, texts.RAW, texts.RAW_LABEL.format(letter=letter))
        + _tool("copy", side, texts.COPY, texts.COPY_LABEL.format(letter=letter))
        + _tool("enlarge", side, texts.ENLARGE, texts.ENLARGE_LABEL.format(letter=letter))
        + _tool("press", side, texts.REPORT, texts.REPORT_LABEL.format(letter=letter), f"report-{side}")
    )


def _tool(tool: str, side: str, text: str, label: str, press: str = "") -> str:
    pressed = " aria-pressed='false'" if tool in ("raw", "enlarge") else ""
    target = f" data-press='{press}'" if press else ""
    return (
        f"<button type='button' class='tool' data-tool='{tool}' data-side='{side}'{target}{pressed} "
        f"aria-label='{escape(label)}' title='{escape(label)}'>{ICONS.get(text, escape(text))}</button>"
    )


def foot_html(state: PageState, column: ColumnView) -> str:
    """Return why there is no answer, and the numbers if they may be known."""
    if state.view is not None and state.view.withheld:
        words = texts.ERASED_ANSWER if state.view.erased else texts.HIDDEN_ANSWER
        return f"<p class='trouble'>{escape(words)}</p>"
    trouble = ""
    if column.state is ColumnState.FAILED:
        told_later = column.card is None and state.phase is not Phase.VOID
        trouble = column.error or (texts.FAILED_BLIND if told_later else texts.FAILED)
    elif column.state not in RUNNING and not column.text.strip():
        trouble = texts.ONLY_REASONING if column.reasoning else texts.EMPTY_ANSWER
    numbers = _numbers(column) + ([texts.NO_SYSTEM] if column.side in state.no_system else [])
    html = f"<p class='trouble'>{escape(trouble)}</p>" if trouble else ""
    html += _reasoning(state.view.battle_id if state.view else "", column)
    return f"{html}<footer>{escape(joined(' · ', numbers))}</footer>" if numbers else html


def _reasoning(battle_id: str, column: ColumnView) -> str:
    """Return the folded reasoning of an answer that has ended: while more comes, an opened fold would close again."""
    if not column.reasoning or column.state in RUNNING:
        return ""
    title = texts.REASONING.format(words=len(column.reasoning.split()))
    return (
        f"<details class='reasoning' id='reasoning-{escape(battle_id)}-{column.side}'>"
        f"<summary>{escape(title)}</summary>"
        f"<div dir='auto'>{escape(column.reasoning)}</div></details>"
    )


def _numbers(column: ColumnView) -> list[str]:
    if column.card is None or column.state in RUNNING or column.state is ColumnState.FAILED:
        return []
    numbers = []
    if column.first_token_s is not None:
        numbers.append(texts.FIRST_WORD.format(time=formats.seconds(column.first_token_s)))
    if column.num_tokens:  # a server that sends text sends no tokens
        numbers.append(texts.TOKENS.format(count=column.num_tokens))
    if column.tokens_per_s is not None:
        numbers.append(texts.TOKENS_PER_S.format(rate=column.tokens_per_s))
    if column.finish_reason is not None:
        numbers.append(texts.FINISH_REASONS[column.finish_reason])
    if column.generation is not None and (why := why_not_exact(column.generation)):
        numbers.append(texts.NOT_EXACT.format(why=why))
    return numbers


def why_not_exact(generation: Generation) -> str:
    """Return why an answer of a server is not the answer to an exact prompt; empty if it is, or nothing is known."""
    return "" if generation.faithful else texts.WHY_NOT_EXACT.get(generation.versions.get("feed", ""), "")


def card_html(card: ModelCard, generation: Generation) -> str:
    """Return a summary: license, weights, settings, device, template and limitations."""
    run = (generation.engine, generation.device, generation.dtype)
    rows = [
        (texts.CARD_STANDS_IN, card.stands_in_for),
        (texts.CARD_LICENSE, card.license),
        (texts.CARD_SOURCE, f"{generation.repo} @ {generation.model_revision[:12]}"),
        (texts.CARD_SETTINGS, formats.sampling(generation.params, generation.seed)),
        (texts.CARD_RUN, " · ".join(part for part in run if part)),
        (texts.CARD_EXACT, _exactness(generation)),
        (texts.CARD_TEMPLATE, generation.prompt.template_id),
    ]
    table = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value)
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limitations)
    limits = f"<p class='soft'>{escape(texts.CARD_LIMITS)}</p><ul>{limits}</ul>" if limits else ""
    return f"<dl>{table}</dl>{limits}"


def _exactness(generation: Generation) -> str:
    """Return whether rounding may have changed the answer, and how many were written with it; empty if unknown."""
    count = generation.written_together
    together = "" if count is None else texts.ALONE if count == 1 else formats.counted(count, texts.TOGETHER)
    return joined(" · ", [texts.EXACTNESS.get(generation.exactness, ""), together])


def whole_html(side: str) -> str:
    """Return the button that shows a long answer as a whole; `folding.js` handles it."""
    more, less = escape(texts.SHOW_ALL), escape(texts.SHOW_LESS)
    return (
        f"<button type='button' class='tool' data-whole='{side}' data-more='{more}' data-less='{less}' "
        f"aria-controls='answer-{side}' aria-expanded='false'>{more}</button>"
    )


def intro_html(num_models: int, may_rate: bool = True) -> str:
    """Return where the instruction goes: a sentence for each state of the controls, of which the style shows one.

    Without models it leads to the page Rate, where everybody `may_rate`, and the style hides the controls.
    """
    if not num_models:
        link = f"<a href='./rate'>{escape(texts.NO_MODELS_LINK)}</a>"
        then = with_link(texts.NO_MODELS_RATE, link) if may_rate else escape(texts.NO_MODELS_STUDY)
        return f"<p class='no-models'>{escape(texts.NO_MODELS)} {then}</p>"
    modes = (
        ("blind", texts.INTRO_BLIND, texts.INTRO_REPEATED_BLIND, texts.INTRO_MINE_BLIND),
        ("open", texts.INTRO_OPEN, texts.INTRO_REPEATED_OPEN, texts.INTRO_MINE_OPEN),
    )
    html = ""
    for mode, words, repeated, mine in modes:
        html += f"<p class='soft mine {mode}'>{escape(mine)}</p>"
        for columns in range(2, len(SIDES) + 1):
            text = (words if columns <= num_models else repeated).format(columns=columns, models=num_models)
            html += f"<p class='soft {mode} n{columns}'>{escape(text)}</p>"
    return html
