"""The Compare room: panels laid out, events wired; one generator feeds all columns.

Boundary: asks the arena, renders what it answers. A handler believes nothing that the browser says but what was typed,
and that only behind the door; what may be done is decided by the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from random import SystemRandom
from typing import Any

import gradio as gr

from playground.arena import Arena
from playground.door import (
    COMMENT_CHARS,
    clean_battle_id,
    clean_comment,
    clean_instruction,
    clean_models,
    clean_overrides,
)
from playground.errors import InvalidInstruction, InvalidValue, PlaygroundError, Refused
from playground.prompting import ignores_system
from playground.records import SIDES, BattleState, BattleView, ColumnState, ColumnView, Instruction
from playground.starters import pick
from playground.ui import texts
from playground.ui.columns import Columns, intro
from playground.ui.composer import Composer, Typed, clicked_starter, starter_samples, starters_of
from playground.ui.gate import check_pace
from playground.ui.looks import Looks
from playground.ui.middleware import address_of, rater_of
from playground.ui.pace import tick_s
from playground.ui.rendering import escape
from playground.ui.report import ReportForm
from playground.ui.state import PageState, Session
from playground.ui.status import StatusLine
from playground.ui.votebar import VoteBar

Updates = dict[Any, Any]
RETRY_S = 1.0
GONE = ("unknown", "foreign")
"""Refusals after which a battle has nothing to do on the page; any other trouble may pass."""


class CompareRoom:
    """The room's panels and their handlers; built inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._looks = Looks(arena)
        self._columns_at_start = arena.settings.columns
        self._starters = arena.starters
        self._followed: dict[str | None, str] = {}  # by tab: the battle whose answers it reads now
        self.session = gr.State(Session())
        self.composer = Composer.build(arena.line_up, self._starters, self._columns_at_start)
        self.status = StatusLine.build()
        self.columns = Columns.build(self._columns_at_start)
        self.report = ReportForm.build(COMMENT_CHARS)
        gr.HTML(legend(), elem_id="legend", apply_default_css=False)
        self.votebar = VoteBar.build(COMMENT_CHARS)

    # What is drawn

    @property
    def outputs(self) -> list[Any]:
        """Everything that follows the battle's state."""
        return [
            self.session,
            self.status.line,
            *self.composer.outputs,
            *self.columns.outputs,
            *self.report.outputs,
            *self.votebar.outputs,
        ]

    @property
    def live_outputs(self) -> list[Any]:
        """What changes while answers are being written."""
        return self.columns.live_outputs

    def render(self, state: PageState) -> Updates:
        """The whole page from one state."""
        return {
            self.session: _session(state),
            **self.status.render_live(state),
            **self.composer.render(state),
            **self.columns.render(state),
            **self.report.render(""),
            **self.votebar.render(state),
        }

    def _render_again(self, state: PageState, session: Session) -> Updates:
        """The same battle once more: what is being typed into comment, reasons and report stays."""
        drawn = self.render(replace(state, again=True))
        drawn[self.session] = replace(_session(state), report_side=session.report_side)
        for component in self.report.outputs:
            del drawn[component]
        return drawn

    def _state(
        self, view: BattleView | None = None, message: str = "", is_error: bool = False, said: str = ""
    ) -> PageState:
        return PageState(view, message, is_error, said, self._columns_at_start, self._no_system(view))

    def _no_system(self, view: BattleView | None) -> frozenset[str]:
        """Sides whose model is known, and was not given the system text, because its format has no place for it."""
        if view is None or not view.instruction.system:
            return frozenset()
        catalog = self._arena.catalog
        here = catalog.cards  # the format of a model that is no longer here may be gone with it
        known = [(column.side, column.card) for column in view.columns if column.card and column.card.id in here]
        return frozenset(side for side, card in known if ignores_system(catalog.template_of(card), view.instruction))

    # Wiring

    def wire(self, demo: gr.Blocks) -> None:
        """Connect the panels; called once, inside the `gr.Blocks`."""
        self._wire_comparing(demo)
        self._wire_judging()
        self._wire_composing()

    def _wire_comparing(self, demo: gr.Blocks) -> None:
        """Three steps for whatever shows a battle: begin, follow it while it is written, draw what it came to."""
        composer = self.composer
        demo.load(self.offer_models, None, [*composer.models], **_AT_ONCE)
        beginnings: list[tuple[Any, Callable[..., Any], list[Any]]] = [
            (demo.load, self.restore, []),
            (composer.compare.click, self.compare, [self.session, *composer.inputs]),
            (composer.instruction.submit, self.compare, [self.session, *composer.inputs]),
            (composer.regenerate.click, self.regenerate, [self.session]),
        ]
        for listen, handler, inputs in beginnings:
            outputs = [*self.outputs, *composer.recalled] if handler == self.restore else self.outputs
            begun = listen(handler, inputs, outputs, **_QUIET, concurrency_limit=None, postprocess=False)
            followed = begun.then(
                self.follow,
                [self.session],
                self.live_outputs,
                **_QUIET,
                concurrency_limit=None,
                postprocess=False,
                trigger_mode="multiple",  # not left out while an earlier battle is about to be settled
            )
            followed.then(
                self.settle, [self.session], self.outputs, **_AT_ONCE, postprocess=False, trigger_mode="multiple"
            )
        composer.stop.click(self.stop, [self.session], None, **_AT_ONCE)
        for panel in self.columns.panels:
            panel.stop.click(_bound(self.stop, panel.side), [self.session], None, **_AT_ONCE)

    def _wire_judging(self) -> None:
        bar, drawn = self.votebar, {"outputs": self.outputs, **_AT_ONCE, "postprocess": False}
        for choice, button in bar.choices.items():
            button.click(_bound(self.vote, choice), [self.session], **drawn)
        bar.undo.click(self.undo, [self.session], **drawn)
        bar.reveal.click(self.reveal, [self.session], **drawn)
        bar.timer.tick(self.refresh, [self.session], **drawn)
        for button in (bar.next, self.composer.next):
            button.click(self.next, None, [*self.outputs, *self.composer.fields], **_AT_ONCE, postprocess=False)
        noted = {"outputs": [self.status.line], **_AT_ONCE, "postprocess": False}
        bar.reasons.input(self.note_reasons, [self.session, bar.reasons], **noted)
        bar.comment.submit(self.note_comment, [self.session, bar.comment], **noted)
        bar.comment.blur(self.note_comment, [self.session, bar.comment], **noted)
        form = self.report
        for panel in self.columns.panels:
            panel.report.click(
                _bound(self.open_report, panel.side), [self.session], [self.session, *form.outputs], **_AT_ONCE
            )
        form.send.click(
            self.send_report, [self.session, form.words], [self.session, self.status.line, *form.outputs], **_AT_ONCE
        )
        form.cancel.click(_bound(self.open_report, ""), [self.session], [self.session, *form.outputs], **_AT_ONCE)

    def _wire_composing(self) -> None:
        composer = self.composer
        for shown, field in ((composer.with_input, composer.input), (composer.with_system, composer.system)):
            shown.input(_show_field, [shown], [field], **_AT_ONCE)
        for control in (composer.who_chooses, composer.columns, composer.mode):
            control.input(composer.render_choices, composer.choices, composer.choice_outputs, **_AT_ONCE)
        for field in composer.sampling:
            field.blur(composer.render_choices, composer.choices, composer.choice_outputs, **_AT_ONCE)
        for control in (composer.columns, composer.mode):
            control.input(
                self.say_what_happens, [self.session, composer.mode, composer.columns], [self.columns.intro], **_AT_ONCE
            )
        composer.surprise.click(self.surprise, None, composer.fields, **_AT_ONCE)
        composer.category.input(self.show_starters, [composer.category], [composer.samples], **_AT_ONCE)
        composer.samples.select(self.take_starter, [composer.category], composer.fields, **_AT_ONCE)

    # Comparing

    def restore(self, request: gr.Request) -> Updates:
        """The battle that the address names, as it stands; the empty page without one."""
        battle_id, rater = request.query_params.get("battle"), rater_of(request)
        if not battle_id:  # the page is as it was built; drawing it again could undo what a quick visitor has begun
            no_rater = self._state(message=texts.NO_RATER, is_error=True)
            return self.status.render_live(no_rater) if rater is None else _unchanged(self.status.line)
        try:
            view = self._arena.view(clean_battle_id(battle_id), rater or "")
        except PlaygroundError as error:
            return self._lost(error)
        return {**self.render(self._state(view)), **self.composer.recall(view)}

    def offer_models(self) -> Updates:
        """The models that answer here now: one may have joined since the page was built."""
        return self.composer.offer(self._arena.line_up)

    def compare(self, session: Session, request: gr.Request, *values: object) -> Updates:
        """Make a battle of what the composer holds."""
        address = address_of(request)
        return self._begun(session, request, lambda rater: self._begin(self.composer.read(values), rater, address))

    def regenerate(self, session: Session, request: gr.Request) -> Updates:
        """A new battle on the same instruction; the earlier one is kept."""

        def again(rater: str) -> PageState:
            made = self._arena.regenerate(_battle_of(session), rater, address_of(request))
            return self._state(self._arena.view(made, rater))

        return self._begun(session, request, again)

    async def follow(self, session: Session, request: gr.Request) -> AsyncIterator[Updates]:
        """Snapshots of all columns while they are being written: plain values, sent when something has changed.

        Yields at least once: a generator that yields nothing leaves its outputs empty. A tab reads one battle at a
        time, and once: this ends when the tab reads another one, and at once when it reads this one already.
        """
        tab, battle_id = request.session_hash, session.battle_id
        yield _unchanged(self.live_outputs[0])
        if not session.follow or self._followed.get(tab) == battle_id:
            return
        self._followed[tab] = battle_id
        try:
            viewer = rater_of(request) or ""
            async for view in self._watch(battle_id, viewer, lambda: self._followed.get(tab) == battle_id):
                yield self.columns.render_live(self._state(self._estimated(view)))
        finally:
            if self._followed.get(tab) == battle_id:
                del self._followed[tab]

    def _estimated(self, view: BattleView) -> BattleView:
        """The view with how long each model will still be loading; of an open battle only: it tells models apart."""
        if all(column.state is not ColumnState.LOADING or column.card is None for column in view.columns):
            return view
        eta_s = {status.model_id: status.eta_s for status in self._arena.statuses()}

        def estimated(column: ColumnView) -> ColumnView:
            left_s = eta_s.get(column.card.id) if column.card and column.state is ColumnState.LOADING else None
            return column if left_s is None else replace(column, status=texts.loading(left_s))

        return replace(view, columns=tuple(estimated(column) for column in view.columns))

    async def _watch(self, battle_id: str, viewer: str, wanted: Callable[[], bool]) -> AsyncIterator[BattleView]:
        """Views of a battle while it is wanted and being written, whenever they differ, and the one after."""
        last: BattleView | None = None
        while wanted() and (last is None or last.state is BattleState.GENERATING):
            try:
                view = await self._looks.view(battle_id, viewer)
            except PlaygroundError as error:
                if _is_gone(error):
                    return
                await asyncio.sleep(RETRY_S)
                continue
            if view != last:
                last = view
                yield view
            await asyncio.sleep(tick_s(len(self._arena.running)) if view.state is BattleState.GENERATING else 0)

    def settle(self, session: Session, request: gr.Request) -> Updates:
        """The page as a battle stands that was followed to its end; otherwise what has been drawn, or said, stays."""
        last = self._last(session, request) if session.follow else None
        if not session.follow or (last is not None and last.state is BattleState.GENERATING):
            return _unchanged(self.status.line)
        return self.refresh(session, request)

    def refresh(self, session: Session, request: gr.Request) -> Updates:
        """The page as the battle stands now."""
        try:
            view = self._arena.view(_battle_of(session), rater_of(request) or "")
        except PlaygroundError as error:
            return self._lost(error)
        return self._render_again(self._state(view, said=session.said), session)

    def stop(self, session: Session, request: gr.Request, side: str | None = None) -> None:
        """End the writing of one column, or of all; `follow` sees it."""
        try:
            self._arena.stop(_battle_of(session), _rater(request), side)
        except PlaygroundError as error:
            raise gr.Error(str(error), print_exception=False) from error

    # Judging

    def vote(self, session: Session, request: gr.Request, choice: str) -> Updates:
        """Save a choice; whatever the database answers is shown."""
        try:
            view = self._arena.vote(_battle_of(session), _rater(request), choice, session.revision, address_of(request))
        except PlaygroundError as error:
            return self._refused(error, session, request)
        missed = view.state is BattleState.OPEN and view.revision != session.revision
        message = texts.CHANGED_ELSEWHERE if missed else ""
        return self.render(self._state(view, message, is_error=missed, said=session.said))

    def undo(self, session: Session, request: gr.Request) -> Updates:
        """Take the vote back."""
        try:
            view = self._arena.undo(_battle_of(session), _rater(request))
        except PlaygroundError as error:
            return self._refused(error, session, request)
        return self.render(self._state(view, said=session.said))

    def reveal(self, session: Session, request: gr.Request) -> Updates:
        """Make the vote final and show the models."""
        try:
            view = self._arena.reveal(_battle_of(session), _rater(request))
        except PlaygroundError as error:
            return self._refused(error, session, request)
        return self._render_again(self._state(view, said=session.said), session)

    def next(self) -> Updates:
        """An empty page."""
        return {**self.render(self._state()), **self.composer.fill(Instruction(""))}

    def note_reasons(self, session: Session, reasons: object, request: gr.Request) -> Updates:
        """Save the reasons beside the vote; the comment stays as it is."""
        try:
            view = self._arena.view(_battle_of(session), _rater(request))
            said = clean_comment(reasons).reasons
            if said == view.reasons:
                return _unchanged(self.status.line)
            self._arena.note(view.battle_id, _rater(request), reasons=said, comment=None)
        except PlaygroundError as error:
            return self._say(session, request, str(error), is_error=True)
        return self._say(session, request, texts.NOTED)

    def note_comment(self, session: Session, comment: object, request: gr.Request) -> Updates:
        """Save the comment beside the vote; the reasons stay as they are."""
        try:
            view = self._arena.view(_battle_of(session), _rater(request))
            said = clean_comment((), comment).comment
            if said == view.comment:
                return _unchanged(self.status.line)
            self._arena.note(view.battle_id, _rater(request), reasons=None, comment=said)
        except PlaygroundError as error:
            return self._say(session, request, str(error), is_error=True)
        return self._say(session, request, texts.NOTED)

    def open_report(self, session: Session, request: gr.Request, side: str) -> Updates:
        """Show the form for one answer."""
        return {self.session: replace(session, report_side=side), **self.report.render(side)}

    def send_report(self, session: Session, words: object, request: gr.Request) -> Updates:
        """Store what is wrong with an answer."""
        try:
            said = clean_comment((), words).comment
            if not said.strip():
                raise InvalidValue(texts.REPORT_EMPTY)
            self._arena.note(_battle_of(session), _rater(request), report_side=session.report_side, report=said)
        except PlaygroundError as error:
            return self._say(session, request, str(error), is_error=True)
        view = self._last(session, request)
        words = texts.REPORTED if view is None or view.stored else texts.REPORTED_UNSTORED
        return {
            self.session: replace(session, report_side=""),
            **self.report.render(""),
            **self._say(session, request, words),
        }

    # Composing

    def surprise(self) -> Updates:
        """A starter by chance."""
        return self.composer.fill(pick(self._starters, SystemRandom()))

    def show_starters(self, category: str) -> Updates:
        """The starters of one kind."""
        return {self.composer.samples: gr.Dataset(**starter_samples(starters_of(self._starters, category)))}

    def take_starter(self, category: object, event: gr.EventData) -> Updates:
        """Put one starter into the composer."""
        starter = clicked_starter(self._starters, category, event._data)
        return _unchanged(self.composer.instruction) if starter is None else self.composer.fill(starter)

    def say_what_happens(self, session: Session, mode: object, columns: object) -> Updates:
        """The sentence below an empty composer, for the chosen mode and number."""
        if session.battle_id or not isinstance(columns, int):
            return _unchanged(self.columns.intro)
        return {self.columns.intro: gr.update(value=intro(mode != "open", columns))}

    # Inside

    def _begin(self, typed: Typed, rater: str, address: str) -> PageState:
        if not isinstance(typed.instruction, str) or not typed.instruction.strip():
            raise InvalidInstruction(texts.NO_INSTRUCTION)
        instruction, notes = clean_instruction(
            typed.instruction, typed.input or "", typed.system or "", self._arena.settings
        )
        columns = _count(typed.columns)
        battle_id = self._arena.compare(
            instruction,
            owner=rater,
            source="page",
            blind=typed.blind,
            models=clean_models(list(typed.models[:columns])) if typed.who_chooses == "mine" else (),
            columns=columns,
            overrides=clean_overrides(typed.overrides),
            keep=typed.forget is not True,
            address=address,
        )
        return self._state(self._arena.view(battle_id, rater), said="; ".join(notes))

    def _begun(self, session: Session, request: gr.Request, begin: Callable[[str], PageState]) -> Updates:
        """The page with a new battle, or as it stands with the reason why there is none."""
        last = self._last(session, request)
        if last is not None and last.state is BattleState.GENERATING:
            return self._say(session, request, texts.STILL_WRITING, is_error=True)
        try:
            return self.render(begin(_rater(request)))
        except PlaygroundError as error:
            return self._say(session, request, str(error), is_error=True)

    def _lost(self, error: PlaygroundError) -> Updates:
        """The empty page when there is no such battle for this visitor; after other trouble the page as it is."""
        if _is_gone(error):
            return self.render(self._state(message=str(error), is_error=True))
        return self.status.render_trouble(str(error))

    def _refused(self, error: PlaygroundError, session: Session, request: gr.Request) -> Updates:
        """The page as the battle stands, with the reason why it was not judged."""
        try:
            view = self._arena.view(_battle_of(session), rater_of(request) or "")
        except PlaygroundError as trouble:
            return self._lost(trouble)
        return self._render_again(self._state(view, str(error), True, session.said), session)

    def _say(self, session: Session, request: gr.Request, words: str, is_error: bool = False) -> Updates:
        """Words in the status line; nothing else on the page changes."""
        view = self._last(session, request)
        if view is None and session.battle_id:
            return self.status.render_trouble(words)
        return self.status.render_live(self._state(view, words, is_error))

    def _last(self, session: Session, request: gr.Request) -> BattleView | None:
        """The battle of this tab as it stands, if it can be seen."""
        try:
            return self._arena.view(session.battle_id, rater_of(request) or "") if session.battle_id else None
        except PlaygroundError:
            return None


def _session(state: PageState) -> Session:
    """What a tab keeps of a battle that is drawn."""
    view = state.view
    if view is None:
        return Session()
    return Session(view.battle_id, view.revision, follow=view.state is BattleState.GENERATING, said=state.said)


def _is_gone(error: PlaygroundError) -> bool:
    return isinstance(error, Refused) and error.reason in GONE


def _unchanged(component: Any) -> Updates:
    """Nothing to draw; an empty dictionary would be taken as the value of the first output."""
    return {component: gr.skip()}


_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_AT_ONCE: dict[str, Any] = {**_QUIET, "queue": False}
"""Judging, stopping and composing never wait behind a generation."""


def legend() -> str:
    """The keys."""
    return "".join(f"<span><kbd>{escape(key)}</kbd> {escape(words)}</span>" for key, words in texts.LEGEND)


def _bound(handler: Callable[..., Any], value: str) -> Callable[[Session, gr.Request], Any]:
    """`handler` for one side or choice, with the signature that Gradio reads."""

    def bound(session: Session, request: gr.Request) -> Any:
        return handler(session, request, value)

    bound.__name__ = handler.__name__  # by it the event is known: to the API's list, and to the limits
    return bound


def _show_field(shown: bool) -> Any:
    """A hidden field is an empty one."""
    return gr.update(visible=True) if shown else gr.update(visible=False, value="")


def _rater(request: gr.Request) -> str:
    check_pace(request)
    rater = rater_of(request)
    if rater is None:
        raise Refused("foreign", texts.NO_RATER)
    return rater


def _battle_of(session: Session) -> str:
    if not session.battle_id:
        raise Refused("unknown", texts.NO_BATTLE)
    return session.battle_id


def _count(columns: object) -> int:
    if isinstance(columns, bool) or not isinstance(columns, int) or not 2 <= columns <= len(SIDES):
        raise InvalidValue(f"columns is {columns!r}; valid: 2 to {len(SIDES)}")
    return columns
