"""Reasons and a comment beside a vote, and reports of an answer.

Boundary: hands checked values to the arena, and says what became of them in the status line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from playground.battles import Viewer
from playground.errors import InvalidValue, PlaygroundError
from playground.records import SIDES, BattleView
from playground.ui.pages.compare.script import NAMED
from playground.ui.pages.compare.tab import Replies, Tab
from playground.ui.texts import compare as texts
from playground.ui.wiring import AT_ONCE, LAST, Updates, unchanged
from playground.validation.texts import clean_comment


@dataclass(frozen=True, slots=True)
class Notes:
    """Handlers of what is written beside a battle."""

    replies: Replies

    def wire(self) -> None:
        """Connect reasons, comment and report form."""
        panels = self.replies.panels
        bar, form, line = panels.votebar, panels.report, panels.status.line
        noted = {"outputs": [line], "js": NAMED, **LAST, "postprocess": False}
        bar.reasons.input(self.note_reasons, [panels.shown, bar.reasons], **noted)
        gr.on([bar.comment.submit, bar.comment.blur], self.note_comment, [panels.shown, bar.comment], **noted)
        for panel in panels.columns.panels:
            panel.report.click(lambda side=panel.side: form.render(side), None, form.outputs, **AT_ONCE)
        form.cancel.click(lambda: form.render(""), None, form.outputs, **AT_ONCE)
        sent = [panels.shown, form.side, form.words]
        form.send.click(self.send_report, sent, [line, *form.outputs], js=NAMED, **AT_ONCE)

    def note_reasons(self, sent: object, reasons: object, request: gr.Request) -> Updates:
        """Save the reasons; the comment stays."""

        def note(viewer: Viewer, view: BattleView) -> bool:
            clean = clean_comment(reasons).reasons
            if changed := clean != view.reasons:
                self.replies.arena.battles.note(view.battle_id, viewer, reasons=clean)
            return changed

        return self._noted(Tab.read(sent, request), note)

    def note_comment(self, sent: object, comment: object, request: gr.Request) -> Updates:
        """Save the comment; the reasons stay."""

        def note(viewer: Viewer, view: BattleView) -> bool:
            clean = clean_comment((), comment).comment
            if changed := clean != view.comment:
                self.replies.arena.battles.note(view.battle_id, viewer, comment=clean)
            return changed

        return self._noted(Tab.read(sent, request), note)

    def _noted(self, tab: Tab, note: Callable[[Viewer, BattleView], bool]) -> Updates:
        try:
            saved = note(tab.viewer, self.replies.view(tab))
        except PlaygroundError as error:
            return self.replies.say(error.public, is_error=True)
        if not saved:
            return unchanged(self.replies.panels.status.line)
        return self.replies.say(texts.NOTED if self._is_stored(tab) else texts.NOTED_UNSTORED)

    def send_report(self, sent: object, side: object, words: object, request: gr.Request) -> Updates:
        """Store a report of one answer."""
        tab = Tab.read(sent, request)
        try:
            report = clean_comment((), words).comment
            if not report.strip():
                raise InvalidValue(texts.REPORT_EMPTY)
            if side not in SIDES:
                raise InvalidValue(texts.REPORT_NO_SIDE)
            self.replies.arena.battles.report(tab.battle_id, tab.viewer, str(side), report)
        except PlaygroundError as error:
            return self.replies.say(error.public, is_error=True)
        thanks = texts.REPORTED if self._is_stored(tab) else texts.REPORTED_UNSTORED
        return {**self.replies.panels.report.render(""), **self.replies.say(thanks)}

    def _is_stored(self, tab: Tab) -> bool:
        try:
            return self.replies.view(tab).stored
        except PlaygroundError:
            return True
