"""Showing a battle: opening its address, following its answers, refreshing it, stopping it.

The page's script asks to follow a battle whenever the page shows one that is being written.

Boundary: draws views of the arena; changes nothing but what Stop ends.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import gradio as gr

from playground.errors import PlaygroundError, Refused
from playground.records import BattleView, ColumnState, ColumnView, OwnBattle
from playground.ui.follow import Follower
from playground.ui.http.speaking import language_of
from playground.ui.pages.compare.script import ASKED, NAMED, RECALLED, SETTLED, WATCHED
from playground.ui.pages.compare.shown import Shown
from playground.ui.pages.compare.tab import Replies, Tab
from playground.ui.rendering import escape, with_link
from playground.ui.texts import NO_RATER
from playground.ui.texts import compare as texts
from playground.ui.texts.formats import loading
from playground.ui.texts.language import speaking
from playground.ui.wiring import AT_ONCE, QUIET, Updates, bound, unchanged

BEAT_S = 2.0
"""A followed tab gets a sign of life at least this often."""


class Following:
    """Handlers that show the battle of a tab."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._arena = replies.arena
        self._follower = Follower(replies.arena)
        self._followers: dict[str | None, object] = {}  # by tab: the call that follows now

    def wire(self, demo: gr.Blocks) -> None:
        """Connect page load, Stop and the buttons that only the page's script presses."""
        panels = self._replies.panels
        composer, shown = panels.composer, [panels.shown]
        drawn = {"outputs": panels.outputs, **AT_ONCE, "postprocess": False}
        restored = {**drawn, "outputs": [*panels.outputs, panels.recalled, panels.offer], "trigger_mode": "multiple"}
        fields = [*composer.fields, *composer.choices]
        for draw, js in ((demo.load, NAMED), (panels.recall.click, ASKED)):
            drawing = draw(self.restore, shown, js=js, **restored)
            drawing.success(None, [panels.recalled], fields, js=RECALLED, trigger_mode="multiple", **QUIET)
        followed = panels.watch.click(
            self.follow,
            shown,
            [*panels.columns.live_outputs, panels.pulse],
            js=WATCHED,
            **QUIET,
            concurrency_limit=None,
            postprocess=False,
            trigger_mode="multiple",  # a broken stream may never end
        )
        followed.then(self.refresh, shown, js=SETTLED, trigger_mode="multiple", **drawn)
        panels.again.click(self.refresh, shown, js=ASKED, trigger_mode="multiple", **drawn)
        panels.votebar.timer.tick(self.refresh, shown, js=NAMED, **drawn)
        composer.stop.click(self.stop, shown, None, js=NAMED, **AT_ONCE)
        for panel in panels.columns.panels:
            panel.stop.click(bound(self.stop, panel.side), shown, None, js=NAMED, **AT_ONCE)

    def restore(self, sent: object, request: gr.Request) -> Updates:
        """Draw the battle that the address names, with its composer; without one offer the last unfinished battle."""
        tab, panels = Tab.read(sent, request), self._replies.panels
        if not tab.shown.battle_id:  # drawing the empty page could undo what a quick visitor has begun
            return self._offer(tab.reader.rater) if tab.reader.rater else self._replies.say(NO_RATER, is_error=True)
        try:
            view = self._replies.view(tab)
        except PlaygroundError as error:
            return self._replies.lost(tab, error)
        return {**self._replies.draw(tab.shown, view), panels.recalled: self._recalled(tab.shown, view)}

    def _recalled(self, shown: Shown, view: BattleView) -> str:
        """Return the battle's composer for `recall.js`: updates of its fields, and of its choices."""
        composer = self._replies.panels.composer
        updates = composer.recall(view)
        fields, choices = ([updates.get(one) for one in some] for some in (composer.fields, composer.choices))
        return json.dumps({"step": shown.step, "texts": fields, "settings": choices})

    def _offer(self, rater: str) -> Updates:
        """Offer a link to the rater's last battle if it is not finished."""
        offer = self._replies.panels.offer
        try:
            own = self._arena.raters.unfinished(rater, texts.OFFER_CHARS)
        except PlaygroundError:  # the page says by itself that nothing can be stored
            return unchanged(offer)
        return unchanged(offer) if own is None else {offer: offer_html(own)}

    def refresh(self, sent: object, request: gr.Request) -> Updates:
        """Draw the battle as it stands now."""
        tab = Tab.read(sent, request)
        if not tab.shown.battle_id:
            return self._replies.draw(tab.shown)
        try:
            return self._replies.draw(tab.shown, self._replies.view(tab), again=tab.shown.again)
        except PlaygroundError as error:
            return self._replies.lost(tab, error)

    def stop(self, sent: object, request: gr.Request, side: str | None = None) -> None:
        """End the writing of one column, or of all; `follow` draws the result."""
        tab = Tab.read(sent, request)
        try:
            self._arena.stop(tab.battle_id, tab.viewer, side)
        except PlaygroundError as error:
            raise gr.Error(error.public, print_exception=False) from error

    async def follow(self, sent: object, request: gr.Request) -> AsyncIterator[Updates]:
        """Stream the columns as plain values while they are being written.

        Only the latest call follows a tab; earlier ones end. Each yield changes the pulse, by which the page's script
        knows that it is still being followed.
        """
        tab, session, this = Tab.read(sent, request), request.session_hash, object()
        panels, shown, language = self._replies.panels, tab.shown, language_of(request)
        self._followers[session] = this
        yield {panels.pulse: pulse_html(shown, shown.battle_id, "", 0)}
        try:
            beats = 0
            views = self._follower.follow(
                shown.battle_id,
                tab.reader,
                at_least_every_s=BEAT_S,
                wanted=lambda: self._followers.get(session) is this,
            )
            with suppress(Refused):  # the refresh that follows draws the empty page
                async for view in views:
                    beats += 1
                    with speaking(language):
                        live = panels.columns.render_live(self._replies.state(shown, self._estimated(view)))
                    yield {**live, panels.pulse: pulse_html(shown, view.battle_id, view.state, beats)}
        finally:
            if self._followers.get(session) is this:
                del self._followers[session]

    def _estimated(self, view: BattleView) -> BattleView:
        """Add how long each model will be loading, in open mode only: it would tell blind models apart."""
        if all(column.state is not ColumnState.LOADING or column.card is None for column in view.columns):
            return view
        eta_s = {status.model_id: status.eta_s for status in self._arena.models.statuses()}

        def estimated(column: ColumnView) -> ColumnView:
            left_s = eta_s.get(column.card.id) if column.card and column.state is ColumnState.LOADING else None
            return column if left_s is None else replace(column, status=loading(left_s))

        return replace(view, columns=tuple(estimated(column) for column in view.columns))


def offer_html(own: OwnBattle) -> str:
    """Return a line with a link to a battle, by the beginning of its instruction."""
    words = f"“{own.start.strip()}”" if own.start.strip() else texts.OFFER_WITHOUT_WORDS
    link = f"<a href='./?battle={escape(own.battle_id)}'>{escape(words)}</a>"
    return f"<p>{with_link(texts.OFFER, link)}</p>"


def pulse_html(shown: Shown, battle_id: str, state: str, beat: int) -> str:
    """Return a sign of life for the page's script, with the battle that the columns show."""
    data = f"data-battle='{escape(battle_id)}' data-phase='{state}' data-step='{shown.step}' data-beat='{beat}'"
    return f"<i {data}></i>"
