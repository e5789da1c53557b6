"""The answer columns: six of them, declared once, as many shown as the battle has sides.

Boundary: components and their rendering from a `PageState`. What is in a `ColumnView` may be shown: hiding models
while a battle is blind is done before it gets here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.records import SIDES, BattleView, ColumnState, ColumnView, Generation, ModelCard
from playground.ui import texts
from playground.ui.pages.compare.state import PageState, Phase
from playground.ui.rendering import LATEX_DELIMITERS, answer_markdown, escape

Updates = dict[Any, Any]
RUNNING = (ColumnState.WAITING, ColumnState.LOADING, ColumnState.WRITING)
MAX_IDS_SHOWN = 8192


def _icon(path: str) -> str:
    return f"<svg viewBox='0 0 16 16' width='16' height='16' aria-hidden='true'><path d='{path}'/></svg>"


ICONS = {
    texts.RAW: _icon("M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4"),
    texts.COPY: _icon("M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3"),
    texts.ENLARGE: _icon("M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9"),
    texts.REPORT: _icon("M3.5 14.5v-12h8l-1.5 3 1.5 3h-8"),
}
"""Drawn with one stroke each, in the text's colour."""


@dataclass(frozen=True, slots=True)
class ColumnPanel:
    """Components of one column."""

    side: str
    box: gr.Column
    head: gr.HTML
    answer: gr.Markdown
    raw: gr.Textbox
    foot: gr.HTML
    details: gr.Accordion
    prompt: gr.Textbox
    ids: gr.Textbox
    card: gr.HTML
    stop: gr.Button
    report: gr.Button

    @classmethod
    def build(cls, side: str) -> ColumnPanel:
        """Lay one column out; called while a `gr.Blocks` is being built."""
        letter = side.upper()
        with gr.Column(
            visible=False, elem_id=f"column-{side}", elem_classes=["side", f"side-{side}"], min_width=0
        ) as box:
            head = gr.HTML(elem_id=f"head-{side}", elem_classes="head", apply_default_css=False)
            answer = gr.Markdown(
                elem_id=f"answer-{side}",
                elem_classes="answer",
                latex_delimiters=LATEX_DELIMITERS,
                line_breaks=True,
                sanitize_html=True,
            )
            raw = gr.Textbox(
                label=texts.RAW_ANSWER_LABEL.format(letter=letter),
                elem_id=f"raw-{side}",
                elem_classes="raw",
                interactive=False,
                lines=8,
                max_lines=40,
            )
            foot = gr.HTML(elem_id=f"foot-{side}", elem_classes="foot", apply_default_css=False)
            with gr.Accordion(
                texts.DETAILS, open=False, visible=False, elem_id=f"details-{side}", elem_classes=["quiet", "details"]
            ) as details:
                card = gr.HTML(apply_default_css=False, elem_classes="card")
                prompt = gr.Textbox(
                    label=texts.PROMPT_LABEL.format(count=0),
                    interactive=False,
                    lines=3,
                    max_lines=16,
                    elem_classes="mono",
                )
                ids = gr.Textbox(label=texts.IDS_LABEL, interactive=False, lines=2, max_lines=8, elem_classes="mono")
            stop = gr.Button(f"{texts.STOP_COLUMN} {letter}", elem_id=f"stop-{side}", elem_classes="unseen")
            report = gr.Button(f"{texts.REPORT} {letter}", elem_id=f"report-{side}", elem_classes="unseen")
        return cls(side, box, head, answer, raw, foot, details, prompt, ids, card, stop, report)

    @property
    def live_outputs(self) -> list[Any]:
        """Components that change while answers are being written."""
        return [self.head, self.answer, self.foot]

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` may change."""
        return [self.box, *self.live_outputs, self.raw, self.details, self.prompt, self.ids, self.card]

    def render_live(self, state: PageState, column: ColumnView | None) -> Updates:
        """Plain values only: growing strings go out as what was added."""
        if column is None or state.view is None:
            return {self.head: "", self.answer: "", self.foot: ""}
        return {
            self.head: _head(state, column),
            self.answer: answer_markdown(column.text),
            self.foot: _foot(state, column),
        }

    def render(self, state: PageState, column: ColumnView | None) -> Updates:
        """What the state table says about this column."""
        generation = column.generation if column is not None else None
        live = {component: gr.update(value=value) for component, value in self.render_live(state, column).items()}
        ended = column is not None and state.allowed.tools and not (state.view is not None and state.view.erased)
        return {
            **live,
            self.box: gr.update(visible=column is not None and state.allowed.columns),
            self.raw: gr.update(value=column.text if column is not None and ended else ""),
            self.details: gr.update(visible=generation is not None and ended, open=False),
            **self._provenance(column.card if column is not None else None, generation),
        }

    def _provenance(self, card: ModelCard | None, generation: Generation | None) -> Updates:
        if generation is None or card is None:
            return {self.prompt: gr.update(value=""), self.ids: gr.update(value=""), self.card: gr.update(value="")}
        prompt = generation.prompt
        ids = ", ".join(str(token_id) for token_id in prompt.token_ids[:MAX_IDS_SHOWN])
        return {
            self.prompt: gr.update(value=prompt.text, label=texts.PROMPT_LABEL.format(count=prompt.num_tokens)),
            self.ids: gr.update(value=ids),
            self.card: gr.update(value=_card(card, generation)),
        }


@dataclass(frozen=True, slots=True)
class Columns:
    """All columns, and the sentence that stands in their place before the first battle."""

    intro: gr.HTML
    jump: gr.HTML
    panels: tuple[ColumnPanel, ...]

    @classmethod
    def build(cls, count: int) -> Columns:
        """Lay the columns out; called while a `gr.Blocks` is being built."""
        said = gr.HTML(intro(blind=True, columns=count), elem_id="intro", apply_default_css=False)
        jump = gr.HTML(elem_id="jump", apply_default_css=False)
        with gr.Row(elem_id="answers"):
            panels = tuple(ColumnPanel.build(side) for side in SIDES)
        return cls(said, jump, panels)

    @property
    def live_outputs(self) -> list[Any]:
        """Components that change while answers are being written."""
        return [component for panel in self.panels for component in panel.live_outputs]

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` may change."""
        return [self.intro, self.jump, *(component for panel in self.panels for component in panel.outputs)]

    def render_live(self, state: PageState) -> Updates:
        """The plain values of all columns."""
        updates: Updates = {}
        for panel, column in self._pairs(state.view):
            updates |= panel.render_live(state, column)
        return updates

    def render(self, state: PageState) -> Updates:
        """What the state table says about the columns."""
        updates: Updates = {
            self.intro: gr.update(value="" if state.allowed.columns else intro(True, state.default_columns)),
            self.jump: gr.update(value=_jump(state.view)),
        }
        for panel, column in self._pairs(state.view):
            updates |= panel.render(state, column)
        return updates

    def _pairs(self, view: BattleView | None) -> list[tuple[ColumnPanel, ColumnView | None]]:
        shown = {column.side: column for column in view.columns} if view is not None else {}
        return [(panel, shown.get(panel.side)) for panel in self.panels]


def intro(blind: bool, columns: int) -> str:
    """The one sentence on what will happen."""
    words = texts.COMPOSE_SAYS_BLIND if blind else texts.COMPOSE_SAYS_OPEN
    return f"<p class='soft'>{escape(words.format(columns=columns))}</p>"


def _jump(view: BattleView | None) -> str:
    """Letters to go from one column to another; shown on phones."""
    if view is None:
        return ""
    letters = "".join(
        f"<a class='letter side-{c.side}' href='#column-{c.side}' data-jump='{c.side}'>{c.side.upper()}</a>"
        for c in view.columns
    )
    return f"<nav aria-label='{escape(texts.JUMP)}'>{letters}</nav>"


def _head(state: PageState, column: ColumnView) -> str:
    letter = column.side.upper()
    who = _who(column.card) if column.card is not None else ""
    words = "" if column.card is not None and column.state not in RUNNING else _state_words(column)
    label = f"<span class='state'>{escape(words)}</span>" if words else ""
    return f"<h2><span class='letter'>{letter}</span>{who}{label}</h2>{_tools(state, column)}"


def _who(card: ModelCard) -> str:
    facts = f"{texts.parameters(card.num_parameters)} · {card.license}"
    return f"<span class='who'><b>{escape(card.name)}</b><small>{escape(facts)}</small></span>"


def _state_words(column: ColumnView) -> str:
    return column.status or texts.COLUMN_STATES[column.state]


def _tools(state: PageState, column: ColumnView) -> str:
    """Buttons of one column: what is only a matter of looking is done by the page's script."""
    letter, view = column.side.upper(), state.view
    if state.phase is Phase.GENERATING:
        stoppable = view is not None and view.mine and not view.blind and column.state in RUNNING
        label = escape(f"{texts.STOP_COLUMN} {letter}")
        tools = _tool("press", column.side, texts.STOP_COLUMN, label, f"stop-{column.side}") if stoppable else ""
    elif column.text:
        tools = "".join(
            (
                _tool("raw", column.side, texts.RAW, texts.RAW_LABEL.format(letter=letter)),
                _tool("copy", column.side, texts.COPY, texts.COPY_LABEL.format(letter=letter)),
                _tool("enlarge", column.side, texts.ENLARGE, texts.ENLARGE_LABEL.format(letter=letter)),
                _tool(
                    "press",
                    column.side,
                    texts.REPORT,
                    texts.REPORT_LABEL.format(letter=letter),
                    f"report-{column.side}",
                ),
            )
        )
    else:
        tools = ""
    return f"<div class='tools'>{tools}</div>"


def _tool(tool: str, side: str, words: str, label: str, press: str = "") -> str:
    pressed = " aria-pressed='false'" if tool in ("raw", "enlarge") else ""
    target = f" data-press='{press}'" if press else ""
    return (
        f"<button type='button' class='tool' data-tool='{tool}' data-side='{side}'{target}{pressed} "
        f"aria-label='{escape(label)}' title='{escape(label)}'>{ICONS.get(words, escape(words))}</button>"
    )


def _foot(state: PageState, column: ColumnView) -> str:
    """What went wrong, and the numbers, where they may be known."""
    trouble = ""
    if state.view is not None and state.view.erased:
        return f"<p class='trouble'>{escape(texts.ERASED_ANSWER)}</p>"
    if column.state is ColumnState.FAILED:
        told_later = column.card is None and state.phase is not Phase.VOID
        trouble = column.error or (texts.FAILED_BLIND if told_later else texts.FAILED)
    elif column.state in (ColumnState.DONE, ColumnState.STOPPED) and not column.text.strip():
        trouble = texts.EMPTY_ANSWER
    parts = [f"<p class='trouble'>{escape(trouble)}</p>"] if trouble else []
    numbers = _numbers(column)
    numbers += [texts.NO_SYSTEM] if column.side in state.no_system else []
    parts += [f"<footer>{escape(' · '.join(numbers))}</footer>"] if numbers else []
    return "".join(parts)


def _numbers(column: ColumnView) -> list[str]:
    if column.card is None or column.state in RUNNING or column.state is ColumnState.FAILED:
        return []
    words = []
    if column.first_token_s is not None:
        words.append(texts.FIRST_WORD.format(time=texts.seconds(column.first_token_s)))
    if column.num_tokens is not None:
        words.append(texts.TOKENS.format(count=column.num_tokens))
    if column.tokens_per_s is not None:
        words.append(texts.TOKENS_PER_S.format(rate=column.tokens_per_s))
    if column.finish_reason is not None:
        words.append(texts.FINISH_REASONS[column.finish_reason])
    return words


def _card(card: ModelCard, generation: Generation) -> str:
    """The card in short: what it is, under which terms, how it was run, what it cannot do."""
    rows = [
        (texts.CARD_LICENSE, card.license),
        (texts.CARD_SOURCE, f"{generation.repo} @ {generation.model_revision[:12]}"),
        (texts.CARD_SETTINGS, texts.sampling(generation.params, generation.seed)),
        (texts.CARD_RUN, " · ".join(part for part in (generation.engine, generation.device, generation.dtype) if part)),
        (texts.CARD_TEMPLATE, generation.prompt.template_id),
    ]
    if card.stands_in_for:
        rows.insert(0, (texts.CARD_STANDS_IN, card.stands_in_for))
    table = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limitations)
    limits = f"<p class='soft'>{escape(texts.CARD_LIMITS)}</p><ul>{limits}</ul>" if limits else ""
    return f"<dl>{table}</dl>{limits}"
