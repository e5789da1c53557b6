"""The part of the Operator page about studies: progress, raters, and the battles on which they differ.

Boundary: asks `ArenaStudies`; each event checks for itself whether its sender is the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.records import ClosedStudy
from playground.studies.differences import OUTCOMES, Difference
from playground.studies.drift import Third
from playground.studies.status import RaterReport, StudyStatus
from playground.ui.board_address import BoardAddress
from playground.ui.http.operator import operator_status
from playground.ui.pages.operator.presses import presses
from playground.ui.rendering import escape, live_region
from playground.ui.texts import compare, operator
from playground.ui.texts import studies as texts
from playground.ui.texts.formats import counted, moment
from playground.ui.texts.language import joined
from playground.ui.wiring import AT_ONCE, Updates

SAID = "studies-words"
"""Id of the live region."""
MOST_DIFFERENCES = 10
MOST_CHARS = 1500
ALL, OPEN = "all", "open"


class StudiesPanel:
    """Components and handlers; created inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.said = gr.HTML(live_region(SAID, ""), apply_default_css=False)
        self.list = gr.HTML(
            elem_id="operator-studies", apply_default_css=False, js_on_load=presses("#operator-studies h2")
        )

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load and after each press."""
        demo.load(self.draw, None, [self.said, self.list], **AT_ONCE)
        self.list.click(self.press, None, [self.said, self.list], **AT_ONCE)

    def draw(self, request: gr.Request) -> Updates:
        """Draw the studies for the operator; nothing for anybody else."""
        if not operator_status(request).is_operator:
            return {self.said: "", self.list: ""}
        return self._managed(request, lambda: ("", False))

    def press(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Take the judgement of a pressed button, or show other battles."""
        return self._managed(request, lambda: self._act(event._data))

    def _managed(self, request: gr.Request, do: Callable[[], tuple[str, bool]]) -> Updates:
        """Do something for the operator, and draw the studies and what was said, or the error."""
        try:
            if not operator_status(request).is_operator:
                raise Refused("foreign", operator.NOT_YOURS)
            said, shows_all = do()
            return {self.said: live_region(SAID, said), self.list: self._draw(shows_all)}
        except PlaygroundError as error:
            return {self.said: live_region(SAID, error.public, is_error=True)}

    def _act(self, sent: object) -> tuple[str, bool]:
        do, about = (sent.get("do"), sent.get("battle")) if isinstance(sent, dict) else (None, None)
        if do in (ALL, OPEN):
            return "", do == ALL
        study, _, number = about.rpartition("/") if isinstance(about, str) else ("", "", "")
        if not isinstance(do, str) or do not in OUTCOMES or not (number.isascii() and number.isdecimal()):
            raise InvalidValue(texts.NO_SUCH_PRESS)
        self._arena.studies.adjudicate(study, int(number[:9]), do)
        return texts.SAVED.format(outcome=texts.OUTCOMES[do], number=number, study=study), False

    def _draw(self, shows_all: bool) -> str:
        running = self._arena.studies.running()
        shown = "".join(self._study(status, shows_all) for status in running)
        return _section(texts.TITLE, texts.LEAD, shown) + _closed(self._arena.studies.closed())

    def _study(self, status: StudyStatus, shows_all: bool) -> str:
        found = self._arena.studies.differences(status.study, unresolved=not shows_all) if status.differing else []
        return f"<article class='moderated'>{_status(status)}{_differences(status, found, shows_all)}</article>"


def _section(title: str, lead: str, shown: str) -> str:
    """Return a section with its title; nothing without content."""
    if not shown:
        return ""
    words = f"<p class='soft'>{escape(lead)}</p>" if lead else ""
    return f"<section aria-label='{escape(title)}'><h2 tabindex='-1'>{escape(title)}</h2>{words}{shown}</section>"


def _closed(studies: Sequence[ClosedStudy]) -> str:
    rows = []
    for study in studies:
        day = texts.CLOSED.format(day=moment(study.closed_at)[:10], why=study.why)
        board = f"<a href='{escape(BoardAddress().link(study=study.id))}'>{escape(texts.CLOSED_BOARD)}</a>"
        facts = escape(joined(" · ", [counted(study.votes, texts.CLOSED_VOTES), day]))
        rows.append(f"<li><b>{escape(study.id)}</b>: <span dir='auto'>{facts}</span> · {board}</li>")
    return _section(texts.CLOSED_TITLE, "", f"<ul class='reports'>{''.join(rows)}</ul>" if rows else "")


def _status(status: StudyStatus) -> str:
    facts = [texts.VOTES.format(votes=status.votes, wanted=status.wanted_votes)]
    if status.reserved:
        facts.append(counted(status.reserved, texts.RESERVED))
    facts.append(texts.COMPLETE.format(complete=status.complete, battles=status.battles))
    if (written := status.written) is not None:
        facts.append(counted(written.instructions, texts.WRITTEN))
        facts += [counted(written.being_answered, texts.BEING_ANSWERED)] if written.being_answered else []
        facts += [counted(written.fruitless, texts.FRUITLESS)] if written.fruitless else []
    if status.alike is not None:
        facts.append(texts.ALIKE.format(share=_percent(status.alike)))
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in texts.HEADS)
    body = "".join(_rater(rater) for rater in status.raters)
    label = escape(texts.RATERS)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return (
        f"<h3>{escape(status.study)}</h3><p class='facts'>{escape(joined(' · ', facts))}</p>"
        f"<div class='scroll pairs' tabindex='0' role='group' aria-label='{label}'>{table}</div>"
    )


def _rater(rater: RaterReport) -> str:
    cells = (
        f"{rater.votes:,}",
        _of(rater.repeats_alike, rater.repeats),
        _of(rater.attention_right, rater.attention),
        _of(rater.others.alike, rater.others.compared),
        f"{rater.skipped + rater.attention_skipped + rater.check_skipped:,}",
        f"{rater.quick:,}",
        f"{rater.minutes:.0f}",
        _thirds(rater.thirds, lambda part: "–" if part.chose_a is None else _percent(part.chose_a)),
        _thirds(rater.thirds, lambda part: _percent(part.ties)),
        _thirds(rater.thirds, lambda part: "–" if part.median_s is None else f"{part.median_s:.1f}"),
    )
    return f"<tr><th scope='row'>{rater.number}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _differences(status: StudyStatus, found: Sequence[Difference], shows_all: bool) -> str:
    if not status.differing:
        return ""
    title = counted(status.differing, texts.DIFFERENCES)
    waiting = counted(status.unresolved, texts.UNRESOLVED)
    do, words = (OPEN, texts.SHOW_OPEN) if shows_all else (ALL, texts.SHOW_ALL)
    button = f"<button type='button' class='act' data-do='{do}' data-battle=''>{escape(words)}</button>"
    left = len(found) - MOST_DIFFERENCES
    more = f"<p class='soft'>{escape(texts.MORE.format(count=left))}</p>" if left > 0 else ""
    shown = "".join(_difference(status.study, one) for one in found[:MOST_DIFFERENCES])
    lead = escape(f"{waiting} {texts.DIFFERENCES_LEAD}")
    return f"<h4>{escape(title)}</h4><p class='soft'>{lead}</p><div class='acts'>{button}</div>{shown}{more}"


def _difference(study: str, one: Difference) -> str:
    votes = "".join(
        f"<li><a href='./?battle={escape(vote.battle)}&amp;look=1'>"
        f"{escape(texts.VOTE.format(rater=vote.rater, outcome=texts.OUTCOMES[vote.outcome]))}</a> "
        f"<span dir='auto'>{escape(_about(vote.decision_s, vote.reasons, vote.comment))}</span></li>"
        for vote in one.judgements
    )
    own = f"<li><b>{escape(texts.OWN.format(outcome=texts.OUTCOMES[one.own.outcome]))}</b></li>" if one.own else ""
    words = (
        (operator.INSTRUCTION, one.instruction.instruction),
        (operator.INPUT, one.instruction.input),
        (operator.SYSTEM, one.instruction.system),
        (texts.FIRST, one.a.text),
        (texts.SECOND, one.b.text),
    )
    number = texts.BATTLE.format(number=one.item)
    buttons = "".join(
        f"<button type='button' class='act' data-do='{outcome}' data-battle='{escape(study)}/{one.item}' "
        f"aria-label='{escape(f'{number}: {words_of}')}'>{escape(words_of)}</button>"
        for outcome, words_of in texts.OUTCOMES.items()
    )
    shown = "".join(_text(name, text) for name, text in words if text)
    return (
        f"<details id='differs-{escape(study)}-{one.item}'><summary>{escape(number)}: "
        f"<span dir='auto'>{escape(one.instruction.instruction[:100])}</span></summary>"
        f"{shown}<ul class='reports'>{votes}{own}</ul><div class='acts'>{buttons}</div></details>"
    )


def _text(name: str, text: str) -> str:
    left = len(text) - MOST_CHARS
    cut = operator.CUT.format(text=text[:MOST_CHARS], count=left) if left > 0 else text
    return (
        f"<h4>{escape(name)}</h4><pre dir='auto' tabindex='0' role='group' aria-label='{escape(name)}'>"
        f"{escape(cut)}</pre>"
    )


def _about(decision_s: float | None, reasons: Sequence[str], comment: str) -> str:
    time = [] if decision_s is None else [texts.SECONDS.format(seconds=f"{decision_s:.1f}")]
    why = [compare.REASON_CHIPS.get(reason, reason) for reason in reasons]
    return joined(" · ", [*time, *why, *([comment] if comment else [])])


def _thirds(parts: Sequence[Third], value: Callable[[Third], str]) -> str:
    return " → ".join(map(value, parts)) if parts else "–"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _of(right: int, of: int) -> str:
    return f"{right:,}/{of:,}" if of else "–"
