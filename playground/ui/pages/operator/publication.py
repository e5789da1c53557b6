"""The part of the Operator page about the publication: what would be published, what is held back, publish now.

Boundary: asks the `Publisher`; each event checks for itself whether its sender is the operator.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import gradio as gr

from playground.arena.arena import Arena
from playground.arena.publisher import Publisher, PublisherState
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.publishing.contents import LEFT_OUT, Contents
from playground.publishing.held_back import HeldBack
from playground.publishing.publication import Publication
from playground.ui.http.operator import operator_status
from playground.ui.pages.operator.presses import presses
from playground.ui.rendering import escape, live_region
from playground.ui.texts import formats
from playground.ui.texts import operator as texts
from playground.ui.texts.language import joined
from playground.ui.wiring import AT_ONCE, Updates

TICK_S = 1.0
MOST_HELD_BACK = 20
SAID = "publication-words"
"""Id of the live region."""


class PublicationPanel:
    """Components and handlers; created inside a `gr.Blocks`."""

    def __init__(self, arena: Arena, publisher: Publisher | None = None) -> None:
        self._arena = arena
        self._publisher = publisher or Publisher(arena)
        repo = arena.settings.publication
        with gr.Column(visible=False, elem_id="operator-publication") as self.box:
            gr.HTML(f"<h2>{escape(texts.PUBLICATION)}</h2>", apply_default_css=False)
            with gr.Row(elem_id="operator-publish"):
                self.check = gr.Button(texts.CHECK, size="sm", elem_id="publication-check")
                self.publish = gr.Button(
                    texts.PUBLISH.format(repo=repo), visible=bool(repo), size="sm", elem_id="publication-publish"
                )
            if not repo:
                gr.HTML(f"<p class='soft'>{escape(texts.NO_PUBLICATION)}</p>", apply_default_css=False)
            self.said = gr.HTML(live_region(SAID, ""), apply_default_css=False)
            self.found = gr.HTML(
                elem_id="publication-found", apply_default_css=False, js_on_load=presses("#publication-check")
            )
        self.timer = gr.Timer(TICK_S, active=False)

    @property
    def outputs(self) -> list[gr.Blocks]:
        """Components that each event changes."""
        return [self.said, self.found, self.timer]

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, after each press, and while something is running."""
        demo.load(self.draw, None, [self.box, *self.outputs], **AT_ONCE)
        self.timer.tick(self.follow, None, self.outputs, **AT_ONCE)
        self.check.click(self.begin_check, None, self.outputs, **AT_ONCE)
        self.publish.click(self.begin_publishing, None, self.outputs, **AT_ONCE)
        self.found.click(self.press_held_back, None, self.outputs, **AT_ONCE)

    def draw(self, request: gr.Request) -> Updates:
        """Draw the state for the operator; nothing for anybody else."""
        if not operator_status(request).is_operator:
            return {self.box: gr.update(visible=False), self.said: "", self.found: "", self.timer: gr.skip()}
        return {self.box: gr.update(visible=True), **self._draw()}

    def follow(self, request: gr.Request) -> Updates:
        """Draw the state while something is running."""
        return self._managed(request, lambda: None)

    def begin_check(self, request: gr.Request) -> Updates:
        """Find out what would be published."""
        return self._managed(request, self._publisher.check)

    def begin_publishing(self, request: gr.Request) -> Updates:
        """Publish."""
        return self._managed(request, self._publisher.publish)

    def press_held_back(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Hide a battle that is held back, or let it be published."""
        return self._managed(request, lambda: self._decide(event._data))

    def _decide(self, sent: object) -> None:
        do, battle_id = (sent.get("do"), sent.get("battle")) if isinstance(sent, dict) else (None, None)
        if not isinstance(do, str) or do not in ("hide", "release") or not isinstance(battle_id, str):
            raise InvalidValue(texts.NO_SUCH_RELEASE)
        if do == "hide":
            self._arena.moderation.hide(battle_id)
            self._publisher.check()
        else:
            self._publisher.release(battle_id)

    def _managed(self, request: gr.Request, do: Callable[[], None]) -> Updates:
        """Do something for the operator, and draw the state or the error."""
        try:
            if not operator_status(request).is_operator:
                raise Refused("foreign", texts.NOT_YOURS)
            do()
        except PlaygroundError as error:
            said = live_region(SAID, error.public, is_error=True)
            return {self.said: said, self.found: gr.skip(), self.timer: gr.skip()}
        return self._draw()

    def _draw(self) -> Updates:
        state = self._publisher.state
        said = live_region(SAID, state_words(state), is_error=bool(state.error))
        return {
            self.said: said,
            self.found: held_back_html(state.held_back),
            self.timer: gr.Timer(active=state.running),
        }


def state_words(state: PublisherState) -> str:
    """Return what is running, or what became of it."""
    if state.running:
        step = texts.PUBLISHING_STEPS.get(state.step, texts.PUBLISHING)
        return texts.PUBLISHING_OF.format(step=step, done=state.done, total=state.total) if state.total else step
    if state.error:
        return texts.NOT_PUBLISHED.format(error=state.error.removesuffix("."))
    if state.published is not None:
        return _published_words(state.published)
    return "" if state.checked is None else _checked_words(state.checked)


def _checked_words(contents: Contents) -> str:
    left_out = [
        texts.LEFT_OUT_OF.format(votes=number, words=LEFT_OUT[why]) for why, number in contents.left_out.items()
    ]
    words = texts.CHECKED.format(votes=formats.counted(contents.votes, formats.VOTES))
    return texts.CHECKED_LEFT_OUT.format(checked=words, reasons=joined(", ", left_out)) if left_out else words


def _published_words(made: Publication) -> str:
    votes = formats.counted(int(made.manifest["counts"]["votes"]), formats.VOTES)
    pushed = made.pushed
    if pushed is None:
        return texts.PUBLISHED_NOWHERE
    words = (texts.PUBLISHED if pushed.changed else texts.PUBLISHED_SAME).format(repo=pushed.repo, votes=votes)
    return f"{words} {texts.PUBLISHED_PRIVATE}" if pushed.private else words


def held_back_html(found: tuple[HeldBack, ...]) -> str:
    """Return the battles that are held back with what looks personal, masked, and the buttons to decide."""
    battles: defaultdict[str, list[HeldBack]] = defaultdict(list)
    for reason in found:
        battles[reason.battle_id].append(reason)
    if not battles:
        return ""
    rows = "".join(_row(battle_id, reasons) for battle_id, reasons in list(battles.items())[:MOST_HELD_BACK])
    left = len(battles) - MOST_HELD_BACK
    more = f"<p class='soft'>{escape(texts.MORE.format(count=left))}</p>" if left > 0 else ""
    title = escape(texts.HELD_BACK)
    return f"<section aria-label='{title}'><h3>{title}</h3><ul class='held-back'>{rows}</ul>{more}</section>"


def _row(battle_id: str, reasons: list[HeldBack]) -> str:
    what = ", ".join(f"{reason.field}: {reason.kind} {reason.masked}" for reason in reasons)
    buttons = "".join(
        f"<button type='button' class='act' data-do='{do}' data-battle='{escape(battle_id)}' "
        f"aria-label='{escape(label.format(battle=battle_id))}'>{escape(words)}</button>"
        for do, words, label in (
            ("hide", texts.HIDE, texts.HIDE_HELD_BACK),
            ("release", texts.RELEASE, texts.RELEASE_LABEL),
        )
    )
    link = f"<a href='./?battle={escape(battle_id)}&amp;look=1'>{escape(battle_id)}</a>"
    return f"<li>{link}<small>{escape(what)}</small><div class='acts'>{buttons}</div></li>"
