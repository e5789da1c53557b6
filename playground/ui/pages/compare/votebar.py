"""The vote bar: question, choices, ranking, saved vote, reasons and comment, next battle.

Boundary: components and their rendering from a `PageState`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.records import SIDES, BattleView
from playground.ui.pages.compare.question_html import question_html
from playground.ui.pages.compare.state import Bar, PageState
from playground.ui.rendering import escape, with_link
from playground.ui.texts import compare as texts
from playground.ui.texts import formats
from playground.ui.texts.language import said
from playground.ui.wiring import Updates

TIMER_SLACK_S = 0.15
"""Delay of the page's request after the vote becomes final."""
IDLE_TIMER_S = 3600.0
MIN_VOTES = 20
"""Votes on two models below which nothing is said about them: their share could be off by more than 20 points."""


@dataclass(frozen=True, slots=True)
class VoteBar:
    """Components of the bar."""

    bar: gr.Column
    words: gr.HTML
    choices: Mapping[str, gr.Button]
    ranking: gr.HTML
    order: gr.Button  # pressed by ranking.js, which has the choice
    undo: gr.Button
    reveal: gr.Button
    hint: gr.HTML
    next: gr.Button
    join: gr.Button
    look: gr.Button
    question: gr.HTML
    guess: gr.Button  # pressed by guess.js, which has the choice
    reasons: gr.CheckboxGroup
    comment: gr.Textbox
    timer: gr.Timer

    @classmethod
    def build(cls, max_chars: int) -> VoteBar:
        """Lay the bar out; called while a `gr.Blocks` is being built."""
        with gr.Column(visible=False, elem_id="votebar") as bar:
            with gr.Row(elem_id="judge"):
                words = gr.HTML(elem_id="vote-words", apply_default_css=False)
                choices = {side: _choice_button(side) for side in SIDES}
                choices["tie"] = gr.Button(texts.TIE, elem_id="vote-tie", elem_classes="choice", size="sm")
                choices["both_bad"] = gr.Button(texts.BOTH_BAD, elem_id="vote-bad", elem_classes="choice", size="sm")
                ranking = gr.HTML(elem_id="ranking", apply_default_css=False)
                order = gr.Button(texts.RANK_SAVE, elem_id="vote-order", elem_classes="unseen")
                undo = gr.Button(texts.UNDO, elem_id="undo", elem_classes="ghost", size="sm", visible=False)
                reveal = gr.Button(texts.REVEAL, elem_id="reveal", size="sm", visible=False)
                join = gr.Button(texts.JOIN, variant="primary", elem_id="join", size="sm", visible=False)
                look = gr.Button(texts.LOOK, elem_id="look", size="sm", visible=False)
                hint = gr.HTML(elem_id="vote-hint", apply_default_css=False)
                next_ = gr.Button(texts.NEXT, variant="primary", elem_id="next-battle", size="sm", visible=False)
                gr.HTML(_keep_going(), elem_id="keep-going", apply_default_css=False)
            question = gr.HTML(elem_id="question", apply_default_css=False)
            guess = gr.Button("guess", elem_id="guess", elem_classes="unseen")
            with gr.Row(elem_id="why"):
                reasons = gr.CheckboxGroup(
                    [(words_, key) for key, words_ in texts.REASON_CHIPS.items()],
                    label=texts.REASONS,
                    elem_id="reasons",
                    elem_classes="chips",
                    visible=False,
                )
                comment = gr.Textbox(
                    label=texts.COMMENT,
                    placeholder=texts.COMMENT_HINT,
                    lines=1,
                    max_lines=1,
                    max_length=max_chars,
                    elem_id="comment",
                    visible=False,
                    min_width=160,
                )
        timer = gr.Timer(IDLE_TIMER_S, active=False)
        pressed = (undo, reveal, hint, next_, join, look, question, guess)
        return cls(bar, words, choices, ranking, order, *pressed, reasons, comment, timer)

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        return [
            *(self.bar, self.words, *self.choices.values(), self.ranking, self.undo, self.reveal, self.hint, self.next),
            *(self.join, self.look, self.question, self.reasons, self.comment, self.timer),
        ]

    def render(self, state: PageState) -> Updates:
        """Draw the face of the bar that the state has."""
        bar, view = state.allowed.bar, state.view
        if view is None or bar is Bar.ABSENT:
            return {self.bar: gr.update(visible=False), self.timer: _timer(state)}
        judging = bar in (Bar.OFF, Bar.ON)
        mine_saved, shown = bar is Bar.SAVED and view.mine, bar is Bar.SHOWN
        return {
            self.bar: gr.update(visible=True),
            self.words: gr.update(value=_words(bar, view)),
            **self._render_choices(view, shown=judging and view.mine, on=bar is Bar.ON and view.may_vote),
            self.ranking: gr.update(value=_ranking(view, on=bar is Bar.ON) if judging and view.may_rank else ""),
            self.undo: gr.update(visible=mine_saved),
            self.reveal: gr.update(visible=mine_saved, value=said(texts.REVEAL if view.blind else texts.KEEP)),
            self.hint: gr.update(value=_hint(state, bar, view)),
            self.next: gr.update(visible=shown or mine_saved),
            self.question: gr.update(value=question_html(view)),
            **{button: gr.update(visible=bar is Bar.OFFERED) for button in (self.join, self.look)},
            **self._render_notes(state, view, shown=state.allowed.notes and view.mine and not view.withheld),
            self.timer: _timer(state),
        }

    def _render_notes(self, state: PageState, view: BattleView, shown: bool) -> Updates:
        """Show reasons and comment; a battle that is drawn again keeps what is typed there."""
        if state.again:
            return {field: gr.update(visible=shown) for field in (self.reasons, self.comment)}
        return {
            self.reasons: gr.update(visible=shown, value=list(view.reasons)),
            self.comment: gr.update(visible=shown, value=view.comment),
        }

    def _render_choices(self, view: BattleView, shown: bool, on: bool) -> Updates:
        sides = {column.side for column in view.columns}
        good = set(view.good_sides)
        updates: Updates = {}
        for choice, button in self.choices.items():
            is_side = choice in SIDES
            updates[button] = gr.update(
                visible=shown and (not is_side or choice in sides), interactive=on and (not is_side or choice in good)
            )
        bad = texts.BOTH_BAD if len(view.columns) == 2 else texts.ALL_BAD
        updates[self.choices["both_bad"]] = gr.update(visible=shown, interactive=on, value=said(bad))
        return updates


def _choice_button(side: str) -> gr.Button:
    return gr.Button(
        side.upper(), elem_id=f"vote-{side}", elem_classes=["choice", f"side-{side}"], size="sm", min_width=56
    )


def _keep_going() -> str:
    """Return the choice to go on with a starter; the browser keeps it, and `starters.js` acts on it."""
    return (
        f"<label title='{escape(texts.KEEP_GOING_HINT)}'><input type='checkbox' data-going aria-keyshortcuts='g'> "
        f"{escape(texts.KEEP_GOING)}</label>"
    )


def _timer(state: PageState) -> Any:
    """Return a timer that ticks when the vote becomes final on the server's clock."""
    final_in_s = state.view.final_in_s if state.view is not None else None
    if not state.allowed.timer or final_in_s is None:
        return gr.update(value=IDLE_TIMER_S, active=False)
    return gr.update(value=max(0.0, final_in_s) + TIMER_SLACK_S, active=True)


def _words(bar: Bar, view: BattleView) -> str:
    """Return the question, or the saved vote."""
    question = texts.QUESTION_TWO if len(view.columns) == 2 else texts.QUESTION_MORE
    if bar in (Bar.OFF, Bar.ON):
        words = question
    elif bar is Bar.OFFERED:
        words = texts.SHARED.format(question=question)
    elif bar is Bar.SAVED:
        saved = texts.SAVED if view.stored else texts.NOT_SAVED
        words = saved.format(vote=texts.chosen(view.choice or "", len(view.columns)))
    else:
        words = texts.chosen(view.choice, len(view.columns), _name_of(view), view.mine) if view.choice else ""
    return f"<b>{escape(words)}</b>"


def _name_of(view: BattleView) -> str:
    """Return the chosen model's name if it may be known."""
    return next((c.card.name for c in view.columns if c.side == view.choice and c.card is not None), "")


def _ranking(view: BattleView, on: bool) -> str:
    """Return the buttons of `ranking.js`; only sides with an answer have a rank."""
    off, equal = "" if on else " disabled", escape(texts.RANK_EQUAL_LABEL)
    sides = "".join(view.good_sides)
    words = f"<span id='rank-order' role='status' data-hint='{escape(texts.RANK_HINT)}'></span>"
    buttons = (
        ("rank", escape(texts.RANK), f"data-sides='{sides}' aria-keyshortcuts='o'{off}"),
        ("rank-equal", escape(texts.RANK_EQUAL), f"aria-label='{equal}' aria-keyshortcuts='='"),
        ("rank-save", escape(texts.RANK_SAVE), "aria-keyshortcuts='Enter'"),
        ("rank-cancel", escape(texts.RANK_CANCEL), "aria-keyshortcuts='Escape'"),
    )
    html = [f"<button type='button' class='rank' id='{id}' {rest}>{label}</button>" for id, label, rest in buttons]
    return html[0] + words + "".join(html[1:])


def _hint(state: PageState, bar: Bar, view: BattleView) -> str:
    if bar is Bar.OFF:
        return f"<span>{escape(texts.NOT_YET if view.mine else texts.NOT_YOURS)}</span>"
    if bar is Bar.ON and view.hidden:
        return ""
    if bar is Bar.ON:
        words = texts.NOT_YOURS if not view.mine else texts.NAMES_AFTER if view.blind else texts.VOTES_APART
        return f"<span>{escape(words)}</span>"
    counted = f"<span class='standing'>{escape(formats.standing(view.standing))}</span>" if view.standing else ""
    if view.votes_today:
        counted += f"<span class='today'>{escape(formats.counted(view.votes_today, formats.VOTES_TODAY))}</span>"
    if bar is Bar.SAVED:
        return counted
    if bar is Bar.OFFERED:
        terms = f"<a href='./terms' target='_blank'>{escape(texts.AGREE_LINK)}</a>"
        return f"<span>{with_link(texts.JOIN_TERMS, terms)}</span>"
    met = f"<span class='met'>{escape(_met(state))}</span>" if _met(state) else ""
    board = f"<a href='leaderboard'>{escape(texts.LINK_LEADERBOARD)}</a>"
    why = f"<span class='met why'>{escape(words)}</span>" if (words := _why(state, view)) else ""
    return f"{counted}{met}{why}<span>{board}{_copy_link(view)}</span>"


def _met(state: PageState) -> str:
    """Return how often the chosen model beat the others here, of pairs that met often enough."""
    often = [met for met in state.met if met.votes >= MIN_VOTES]
    shares = [(met, formats.share(met.wins / met.votes), formats.counted(met.votes, formats.VOTES)) for met in often]
    return texts.head_to_heads([(met.side, met.other, share, votes) for met, share, votes in shares])


def _why(state: PageState, view: BattleView) -> str:
    """Return why these models were drawn."""
    why = state.why
    if why is None:
        return ""
    sides = {column.card.id: column.side.upper() for column in view.columns if column.card is not None}
    words = texts.WHY_CHANCE
    if (pair := why.pair) is not None and {pair.model_a, pair.model_b} <= sides.keys():
        first, second = sorted((sides[pair.model_a], sides[pair.model_b]))
        times = formats.counted(pair.met, texts.TIMES)
        words = (texts.WHY_CLOSE if pair.is_close else texts.WHY_SELDOM).format(first=first, second=second, times=times)
    share, uniform = formats.chance(why.probability), formats.chance(why.uniform)
    return (texts.WHY_ODDS if share != uniform else texts.WHY_EVEN_ODDS).format(why=words, share=share, uniform=uniform)


def _copy_link(view: BattleView) -> str:
    """Return the button that copies the battle's address; one in memory has none for others."""
    if not view.stored:
        return ""
    return (
        f" · <button type='button' class='link' data-tool='link' data-battle='{escape(view.battle_id)}'>"
        f"{escape(texts.COPY_LINK)}</button><span role='status'></span>"
    )
