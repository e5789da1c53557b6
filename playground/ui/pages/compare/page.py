"""The Compare room: panels laid out, events wired; one generator feeds all columns.

Boundary: asks the arena, renders what it answers. A handler believes nothing that the browser says but what was typed,
and that only behind the door; what may be done is decided by the database.

The server keeps no state of a tab. Every call names the battle that the tab shows (`Shown`), and every reply draws that
battle as the database has it. Replies may arrive in any order: the page's script (`battle.js`) sees when an older one
was drawn last, and asks again. It also asks to follow a battle whenever the page shows one that is being written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from random import SystemRandom
from typing import Any

import gradio as gr

from playground.arena.arena import Arena
from playground.battles import Ballot, Viewer
from playground.catalog.starters import pick
from playground.errors import InvalidInstruction, InvalidValue, PlaygroundError, Refused
from playground.prompting.prompt import ignores_system
from playground.records import SIDES, BattleState, BattleView, ColumnState, ColumnView, Instruction
from playground.ui import texts
from playground.ui.follow import Follower
from playground.ui.http.asgi import address_of
from playground.ui.http.gate import check_pace
from playground.ui.http.middleware import rater_of
from playground.ui.pages.compare.columns import Columns, intro
from playground.ui.pages.compare.composer import Composer, Typed, clicked_starter, starter_samples, starters_of
from playground.ui.pages.compare.report import ReportForm
from playground.ui.pages.compare.state import PageState, Shown
from playground.ui.pages.compare.status import StatusLine
from playground.ui.pages.compare.votebar import VoteBar
from playground.ui.rendering import escape
from playground.validation import (
    COMMENT_CHARS,
    clean_battle_id,
    clean_comment,
    clean_instruction,
    clean_models,
    clean_overrides,
)

Updates = dict[Any, Any]
Begun = tuple[BattleView, PageState]
BEAT_S = 2.0
"""A tab that follows a battle hears at least so often that it is still being followed."""
GONE = ("unknown", "foreign")
"""Refusals after which a battle has nothing to do on the page; any other trouble may pass."""


class CompareRoom:
    """The room's panels and their handlers; built inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._follower = Follower(arena)
        self._columns_at_start = arena.settings.columns
        self._starters = arena.starters
        self._followers: dict[str | None, object] = {}  # by tab: the call that reads answers for it now
        self.shown = gr.Textbox(visible=False, elem_id="shown")  # the page's script sends the battle in its place
        self.composer = Composer.build(arena.models.line_up, self._starters, self._columns_at_start)
        self.status = StatusLine.build()
        self.columns = Columns.build(self._columns_at_start)
        self.report = ReportForm.build(COMMENT_CHARS)
        gr.HTML(legend(), elem_id="legend", apply_default_css=False)
        self.pulse = gr.HTML(elem_id="pulse", elem_classes="unseen", apply_default_css=False)
        self.again, self.recall, self.watch = (  # pressed by the page's script
            gr.Button(name, elem_id=name, elem_classes="unseen") for name in ("again", "recall", "watch")
        )
        self.votebar = VoteBar.build(COMMENT_CHARS)

    # What is drawn

    @property
    def outputs(self) -> list[Any]:
        """Everything that follows the battle's state."""
        return [
            self.status.line,
            *self.composer.outputs,
            *self.columns.outputs,
            *self.report.outputs,
            *self.votebar.outputs,
        ]

    @property
    def live_outputs(self) -> list[Any]:
        """What changes while answers are being written."""
        return [*self.columns.live_outputs, self.pulse]

    def render(self, state: PageState) -> Updates:
        """The whole page from one state."""
        return {
            **self.status.render_live(state),
            **self.composer.render(state),
            **self.columns.render(state),
            **self.report.render(""),
            **self.votebar.render(state),
        }

    def _render_again(self, state: PageState) -> Updates:
        """The same battle once more: what is being typed into comment, reasons and report stays."""
        drawn = self.render(replace(state, again=True))
        for component in self.report.outputs:
            del drawn[component]
        return drawn

    def _state(
        self, shown: Shown, view: BattleView | None = None, message: str = "", is_error: bool = False
    ) -> PageState:
        return PageState(
            view,
            message,
            is_error,
            shown.said,
            self._columns_at_start,
            self._no_system(view),
            step=shown.step,
            min_decision_s=self._arena.policy.min_decision_s,
        )

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
        """Whatever begins or shows a battle draws it at once; its answers are followed in a stream of their own."""
        composer, drawn = self.composer, {"outputs": self.outputs, **_AT_ONCE, "postprocess": False}
        recalled = {**drawn, "outputs": [*self.outputs, *composer.recalled]}
        begun = {**drawn, "outputs": [*self.outputs, self.pulse]}
        demo.load(self.offer_models, None, [*composer.models], **_AT_ONCE)
        demo.load(self.restore, [self.shown], js=_NAMED, **recalled)
        self.recall.click(self.restore, [self.shown], js=_ASKED, trigger_mode="multiple", **recalled)
        gr.on(  # one event: while one is on its way, the other way to ask for it does nothing
            [composer.compare.click, composer.instruction.submit],
            self.compare,
            [self.shown, *composer.inputs],
            js=_BEGUN,
            **begun,
        )
        composer.regenerate.click(self.regenerate, [self.shown], js=_BEGUN, **begun)
        followed = self.watch.click(
            self.follow,
            [self.shown],
            self.live_outputs,
            js=_WATCHED,
            **_QUIET,
            concurrency_limit=None,
            postprocess=False,
            trigger_mode="multiple",  # a stream that broke may never end
        )
        followed.then(self.refresh, [self.shown], js=_SETTLED, trigger_mode="multiple", **drawn)
        self.again.click(self.refresh, [self.shown], js=_ASKED, trigger_mode="multiple", **drawn)
        composer.stop.click(self.stop, [self.shown], None, js=_NAMED, **_AT_ONCE)
        for panel in self.columns.panels:
            panel.stop.click(_bound(self.stop, panel.side), [self.shown], None, js=_NAMED, **_AT_ONCE)

    def _wire_judging(self) -> None:
        bar, drawn = self.votebar, {"outputs": self.outputs, **_AT_ONCE, "postprocess": False}
        for choice, button in bar.choices.items():
            button.click(_bound(self.vote, choice), [self.shown], js=_by_script("judged", choice), **drawn)
        bar.undo.click(self.undo, [self.shown], js=_JUDGED, **drawn)
        bar.reveal.click(self.reveal, [self.shown], js=_JUDGED, **drawn)
        bar.timer.tick(self.refresh, [self.shown], js=_NAMED, **drawn)
        nothing = {**drawn, "outputs": [*self.outputs, *self.composer.fields]}
        gr.on([bar.next.click, self.composer.next.click], self.next, [self.shown], js=_BEGUN, **nothing)
        noted = {"outputs": [self.status.line], "js": _NAMED, **_AT_ONCE, "postprocess": False}
        bar.reasons.input(self.note_reasons, [self.shown, bar.reasons], **noted)
        bar.comment.submit(self.note_comment, [self.shown, bar.comment], **noted)
        bar.comment.blur(self.note_comment, [self.shown, bar.comment], **noted)
        form = self.report
        for panel in self.columns.panels:
            panel.report.click(_opened(form, panel.side), None, form.outputs, **_AT_ONCE)
        form.send.click(
            self.send_report,
            [self.shown, form.side, form.words],
            [self.status.line, *form.outputs],
            js=_NAMED,
            **_AT_ONCE,
        )
        form.cancel.click(_opened(form, ""), None, form.outputs, **_AT_ONCE)

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
                self.say_what_happens,
                [self.shown, composer.mode, composer.columns],
                [self.columns.intro],
                js=_NAMED,
                **_AT_ONCE,
            )
        composer.surprise.click(self.surprise, None, composer.fields, **_AT_ONCE)
        composer.category.input(self.show_starters, [composer.category], [composer.samples], **_AT_ONCE)
        composer.samples.select(self.take_starter, [composer.category], composer.fields, **_AT_ONCE)

    # Comparing

    def restore(self, sent: object, request: gr.Request) -> Updates:
        """The battle that the tab names, as it stands, with its composer; the page as it was built without one."""
        shown, rater = _read(sent), rater_of(request)
        if not shown.battle_id:  # drawing it again could undo what a quick visitor has begun
            words = self.status.render_words(texts.NO_RATER, is_error=True)
            return words if rater is None else _unchanged(self.status.line)
        try:
            view = self._arena.battles.view(_battle_of(shown), _reader(request))
        except PlaygroundError as error:
            return self._lost(shown, error)
        return {**self.render(self._state(shown, view)), **self.composer.recall(view)}

    def offer_models(self) -> Updates:
        """The models that answer here now: one may have joined since the page was built."""
        return self.composer.offer(self._arena.models.line_up)

    def compare(self, sent: object, request: gr.Request, *values: object) -> Updates:
        """Make a battle of what the composer holds."""

        def begin(shown: Shown, viewer: Viewer) -> Begun:
            return self._begin(shown, self.composer.read(values), viewer)

        return self._begun(sent, request, begin)

    def regenerate(self, sent: object, request: gr.Request) -> Updates:
        """A new battle on the same instruction; the earlier one is kept."""

        def again(shown: Shown, viewer: Viewer) -> Begun:
            made = self._arena.regenerate(_battle_of(shown), viewer)
            view = self._arena.battles.view(made, viewer)
            return view, self._state(replace(shown, said=""), view)

        return self._begun(sent, request, again)

    async def follow(self, sent: object, request: gr.Request) -> AsyncIterator[Updates]:
        """Snapshots of all columns while they are being written: plain values, sent when something has changed.

        A tab is followed by one call at a time, the latest: an earlier one ends. Each yield changes the pulse, by which
        the page's script knows that it is still being followed.
        """
        shown, tab, this = _read(sent), request.session_hash, object()
        self._followers[tab] = this
        yield {self.pulse: _pulse(shown, shown.battle_id, "", 0)}
        try:
            viewer, beats = _reader(request), 0
            views = self._follower.follow(
                shown.battle_id, viewer, at_least_every_s=BEAT_S, wanted=lambda: self._followers.get(tab) is this
            )
            with suppress(Refused):  # it is gone: the page is drawn again, and says so
                async for view in views:
                    beats += 1
                    yield {
                        **self.columns.render_live(self._state(shown, self._estimated(view))),
                        self.pulse: _pulse(shown, view.battle_id, view.state, beats),
                    }
        finally:
            if self._followers.get(tab) is this:
                del self._followers[tab]

    def _estimated(self, view: BattleView) -> BattleView:
        """The view with how long each model will still be loading; of an open battle only: it tells models apart."""
        if all(column.state is not ColumnState.LOADING or column.card is None for column in view.columns):
            return view
        eta_s = {status.model_id: status.eta_s for status in self._arena.models.statuses()}

        def estimated(column: ColumnView) -> ColumnView:
            left_s = eta_s.get(column.card.id) if column.card and column.state is ColumnState.LOADING else None
            return column if left_s is None else replace(column, status=texts.loading(left_s))

        return replace(view, columns=tuple(estimated(column) for column in view.columns))

    def refresh(self, sent: object, request: gr.Request) -> Updates:
        """The page as the battle stands now."""
        shown = _read(sent)
        if not shown.battle_id:
            return self.render(self._state(shown))
        try:
            view = self._arena.battles.view(_battle_of(shown), _reader(request))
        except PlaygroundError as error:
            return self._lost(shown, error)
        state = self._state(shown, view)
        return self._render_again(state) if shown.again else self.render(state)

    def stop(self, sent: object, request: gr.Request, side: str | None = None) -> None:
        """End the writing of one column, or of all; `follow` sees it."""
        try:
            self._arena.stop(_battle_of(_read(sent)), _viewer(request), side)
        except PlaygroundError as error:
            raise gr.Error(error.public, print_exception=False) from error

    # Judging

    def vote(self, sent: object, request: gr.Request, choice: str) -> Updates:
        """Save a choice; whatever the database answers is shown."""
        shown = _read(sent)
        try:
            if shown.choice not in ("", choice):  # events have numbers: another version's page presses others
                raise InvalidValue(texts.PAGE_CHANGED)
            view = self._arena.battles.vote(_battle_of(shown), _viewer(request), Ballot(choice, shown.revision))
        except PlaygroundError as error:
            return self._refused(error, shown, request)
        missed = view.state is BattleState.OPEN and view.revision != shown.revision
        message = texts.CHANGED_ELSEWHERE if missed else ""
        return self.render(self._state(shown, view, message, is_error=missed))

    def undo(self, sent: object, request: gr.Request) -> Updates:
        """Take the vote back."""
        shown = _read(sent)
        try:
            view = self._arena.battles.undo(_battle_of(shown), _viewer(request))
        except PlaygroundError as error:
            return self._refused(error, shown, request)
        return self.render(self._state(shown, view))

    def reveal(self, sent: object, request: gr.Request) -> Updates:
        """Make the vote final and show the models."""
        shown = _read(sent)
        try:
            view = self._arena.battles.reveal(_battle_of(shown), _viewer(request))
        except PlaygroundError as error:
            return self._refused(error, shown, request)
        return self._render_again(self._state(shown, view))

    def next(self, sent: object) -> Updates:
        """An empty page."""
        state = self._state(Shown(step=_read(sent).step))
        return {**self.render(state), **self.composer.fill(Instruction(""))}

    def note_reasons(self, sent: object, reasons: object, request: gr.Request) -> Updates:
        """Save the reasons beside the vote; the comment stays as it is."""
        shown = _read(sent)
        try:
            view = self._arena.battles.view(_battle_of(shown), _viewer(request))
            said = clean_comment(reasons).reasons
            if said == view.reasons:
                return _unchanged(self.status.line)
            self._arena.battles.note(view.battle_id, _viewer(request), reasons=said)
        except PlaygroundError as error:
            return self.status.render_words(str(error), is_error=True)
        return self.status.render_words(texts.NOTED)

    def note_comment(self, sent: object, comment: object, request: gr.Request) -> Updates:
        """Save the comment beside the vote; the reasons stay as they are."""
        shown = _read(sent)
        try:
            view = self._arena.battles.view(_battle_of(shown), _viewer(request))
            said = clean_comment((), comment).comment
            if said == view.comment:
                return _unchanged(self.status.line)
            self._arena.battles.note(view.battle_id, _viewer(request), comment=said)
        except PlaygroundError as error:
            return self.status.render_words(str(error), is_error=True)
        return self.status.render_words(texts.NOTED)

    def send_report(self, sent: object, side: object, words: object, request: gr.Request) -> Updates:
        """Store what is wrong with an answer."""
        shown = _read(sent)
        try:
            said = clean_comment((), words).comment
            if not said.strip():
                raise InvalidValue(texts.REPORT_EMPTY)
            if side not in SIDES:
                raise InvalidValue(texts.REPORT_NO_SIDE)
            self._arena.battles.report(_battle_of(shown), _viewer(request), str(side), said)
        except PlaygroundError as error:
            return self.status.render_words(str(error), is_error=True)
        view = self._last(shown, request)
        thanks = texts.REPORTED if view is None or view.stored else texts.REPORTED_UNSTORED
        return {**self.report.render(""), **self.status.render_words(thanks)}

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

    def say_what_happens(self, sent: object, mode: object, columns: object) -> Updates:
        """The sentence below an empty composer, for the chosen mode and number."""
        if _read(sent).battle_id or not isinstance(columns, int):
            return _unchanged(self.columns.intro)
        return {self.columns.intro: gr.update(value=intro(mode != "open", columns))}

    # Inside

    def _begin(self, shown: Shown, typed: Typed, viewer: Viewer) -> Begun:
        if not isinstance(typed.instruction, str) or not typed.instruction.strip():
            raise InvalidInstruction(texts.NO_INSTRUCTION)
        instruction, notes = clean_instruction(
            typed.instruction, typed.input or "", typed.system or "", self._arena.settings
        )
        columns = _count(typed.columns)
        battle_id = self._arena.compare(
            instruction,
            viewer,
            blind=typed.blind,
            models=clean_models(list(typed.models[:columns])) if typed.who_chooses == "mine" else (),
            columns=columns,
            overrides=clean_overrides(typed.overrides),
            keep=typed.forget is not True,
        )
        view = self._arena.battles.view(battle_id, viewer)
        return view, self._state(replace(shown, said="; ".join(notes)), view)

    def _begun(self, sent: object, request: gr.Request, begin: Callable[[Shown, Viewer], Begun]) -> Updates:
        """The page with a new battle, or as it stands with the reason why there is none."""
        shown = _read(sent)
        last = self._last(shown, request)
        if last is not None and last.state is BattleState.GENERATING:
            return self.status.render_words(texts.STILL_WRITING, is_error=True)
        try:
            view, state = begin(shown, _viewer(request))
            return {**self.render(state), self.pulse: _pulse(shown, view.battle_id, view.state, 0)}
        except PlaygroundError as error:
            return self.status.render_words(str(error), is_error=True)

    def _lost(self, shown: Shown, error: PlaygroundError) -> Updates:
        """The empty page when there is no such battle for this visitor; after other trouble the page as it is."""
        if _is_gone(error):
            nothing = self._state(Shown(step=shown.step), message=str(error), is_error=True)
            return self.render(replace(nothing, gone=shown.battle_id))
        return self.status.render_words(str(error), is_error=True)

    def _refused(self, error: PlaygroundError, shown: Shown, request: gr.Request) -> Updates:
        """The page as the battle stands, with the reason why it was not judged."""
        try:
            view = self._arena.battles.view(_battle_of(shown), _reader(request))
        except PlaygroundError as trouble:
            return self._lost(shown, trouble)
        return self._render_again(self._state(shown, view, str(error), True))

    def _last(self, shown: Shown, request: gr.Request) -> BattleView | None:
        """The battle of this tab as it stands, if it can be seen."""
        try:
            return self._arena.battles.view(shown.battle_id, _reader(request)) if shown.battle_id else None
        except PlaygroundError:
            return None


def _is_gone(error: PlaygroundError) -> bool:
    return isinstance(error, Refused) and error.reason in GONE


def _unchanged(component: Any) -> Updates:
    """Nothing to draw; an empty dictionary would be taken as the value of the first output."""
    return {component: gr.skip()}


_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_AT_ONCE: dict[str, Any] = {**_QUIET, "queue": False}
"""Judging, stopping and composing never wait behind a generation."""


def _by_script(function: str, value: str = "") -> str:
    """A function for the browser that puts the battle that the tab shows in the place of the first input."""
    given = f"'{value}'" if value else ""
    return f"(_, ...values) => [playground.{function}({given}), ...values]"


_NAMED, _JUDGED, _BEGUN = _by_script("named"), _by_script("judged"), _by_script("begun")
_ASKED, _WATCHED, _SETTLED = _by_script("asked"), _by_script("watched"), _by_script("settled")


def legend() -> str:
    """The keys."""
    return "".join(f"<span><kbd>{escape(key)}</kbd> {escape(words)}</span>" for key, words in texts.LEGEND)


def _bound(handler: Callable[..., Any], value: str) -> Callable[[object, gr.Request], Any]:
    """`handler` for one side or choice, with the signature that Gradio reads."""

    def bound(sent: object, request: gr.Request) -> Any:
        return handler(sent, request, value)

    bound.__name__ = handler.__name__  # by it the event is known: to the API's list, and to the limits
    return bound


def _opened(form: ReportForm, side: str) -> Callable[[], Updates]:
    """A handler that shows the report form for one answer, or hides it."""

    def open_report() -> Updates:
        return form.render(side)

    return open_report


def _pulse(shown: Shown, battle_id: str, state: str, beat: int) -> str:
    """The battle that the columns were last drawn of, and a sign that it is still being followed."""
    data = f"data-battle='{escape(battle_id)}' data-phase='{state}' data-step='{shown.step}' data-beat='{beat}'"
    return f"<i {data}></i>"


def _show_field(shown: bool) -> Any:
    """A hidden field is an empty one."""
    return gr.update(visible=True) if shown else gr.update(visible=False, value="")


def _viewer(request: gr.Request) -> Viewer:
    check_pace(request)
    rater = rater_of(request)
    if rater is None:
        raise Refused("foreign", texts.NO_RATER)
    return Viewer(rater, "page", address_of(request))


def _reader(request: gr.Request) -> Viewer:
    """The viewer who only reads: one whose browser keeps no rater sees what anybody sees."""
    return Viewer(rater_of(request) or "", "page")


def _read(sent: object) -> Shown:
    try:
        return Shown.read(sent)
    except InvalidValue as error:
        raise gr.Error(error.public, print_exception=False) from error


def _battle_of(shown: Shown) -> str:
    if not shown.battle_id:
        raise Refused("unknown", texts.NO_BATTLE)
    return clean_battle_id(shown.battle_id)


def _count(columns: object) -> int:
    if isinstance(columns, bool) or not isinstance(columns, int) or not 2 <= columns <= len(SIDES):
        raise InvalidValue(f"columns is {columns!r}; valid: 2 to {len(SIDES)}")
    return columns
