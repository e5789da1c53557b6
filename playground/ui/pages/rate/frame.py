"""The frame of the Rate page: everything but a battle's texts, which `rate_view.js` fills in.

The scripts and styles of the Compare page work on the same ids and classes: columns, vote bar, list of keys.

Boundary: HTML from texts; knows no battle.
"""

from __future__ import annotations

from playground.records import SIDES
from playground.ui.pages.compare.column_html import whole_html
from playground.ui.rendering import escape, with_link
from playground.ui.texts import PAGE_RATE
from playground.ui.texts import compare as compare_texts
from playground.ui.texts import rate as texts

PAIR = SIDES[:2]


def frame_html() -> str:
    """Return the page: head, note, instruction, two columns, messages and the vote bar."""
    parts = (_head(), _note(), _task(), _answers(), _write(), _end(), _bar())
    announced = "<p id='rate-next' class='unread' role='status'></p>"
    return f"<div id='rate' data-state='loading'>{''.join(parts)}{announced}</div>"


def agree_html(words: str = texts.AGREE) -> str:
    """Return the line on the terms that a vote, or what `words` name, accepts."""
    link = f"<a href='./terms' target='_blank'>{escape(compare_texts.AGREE_LINK)}</a>"
    return f"<p>{with_link(words, link)}</p>"


def _head() -> str:
    switches = (
        ("together", texts.TOGETHER, texts.TOGETHER_HINT),
        ("raw", texts.RAW, texts.RAW_HINT),
        ("differs", texts.DIFFERS, texts.DIFFERS_HINT),
        ("keys-on", texts.KEYS_ON, texts.KEYS_ON_HINT),
    )
    buttons = "".join(
        f"<button type='button' class='tool' id='rate-{name}' data-switch='{name}' aria-pressed='false' "
        f"title='{escape(hint)}'>{escape(words)}</button>"
        for name, words, hint in switches
    )
    return (
        f"<div id='rate-head'><h1>{escape(PAGE_RATE)}</h1><p id='rate-progress'></p>"
        f"<div class='tools' role='toolbar' aria-label='{escape(texts.TOOLS)}'>{buttons}</div></div>"
    )


def _note() -> str:
    return (
        f"<div id='rate-note' class='sheet' hidden><h2>{escape(texts.NOTE_TITLE)}</h2>"
        f"<p>{escape(texts.NOTE)} {escape(texts.NOTE_KEYS)}</p>"
        f"{agree_html()}<button type='button' class='plain' id='rate-noted'>{escape(texts.NOTE_CLOSE)}</button></div>"
    )


def _task() -> str:
    parts = (("instruction", texts.TASK), ("input", texts.INPUT), ("system", texts.SYSTEM))
    blocks = "".join(
        f"<div class='part' id='rate-{name}'><h2>{escape(title)}</h2>"
        f"<div class='answer' dir='auto'><div class='md'></div></div></div>"
        for name, title in parts
    )
    return f"<section id='rate-task' class='sheet' aria-label='{escape(texts.TASK)}'>{blocks}</section>"


def _answers() -> str:
    return f"<div id='answers'>{''.join(map(_column, PAIR))}</div>"


def _column(side: str) -> str:
    letter = side.upper()
    label = escape(compare_texts.ANSWER_LABEL.format(letter=letter))
    other = next(name for name in PAIR if name != side)
    to_other = escape(compare_texts.ANSWER_LABEL.format(letter=other.upper()))
    jump = f"<a class='letter side-{other}' href='#column-{other}' data-jump='{other}' aria-label='{to_other}'>"
    return (
        f"<article class='side side-{side}' id='column-{side}'>"
        f"<header class='letterhead'><h2 aria-label='{label}'><span class='letter'>{letter}</span></h2>"
        f"{jump}{other.upper()}</a></header>"
        f"<div class='block answer' id='answer-{side}' role='region' aria-label='{label}' tabindex='0'>"
        "<div class='md prose'></div><pre class='plain-text' dir='auto'></pre>"
        "<div class='marked' dir='auto'></div></div>"
        f"<div class='whole'>{whole_html(side)}</div></article>"
    )


def _write() -> str:
    """Return the form in which raters of a live study write an instruction."""
    return (
        "<form id='rate-write' class='sheet' hidden>"
        f"<h2>{escape(texts.WRITE_TITLE)}</h2><p class='soft'>{escape(texts.WRITE_LEAD)}</p>"
        f"<label for='rate-words-of-rater'>{escape(texts.WRITE_FIELD)}</label>"
        "<textarea id='rate-words-of-rater' rows='3' dir='auto' enterkeyhint='send' aria-describedby='rate-write-said'>"
        "</textarea><p id='rate-write-said' role='alert'></p><div class='acts'>"
        f"<button type='submit' class='plain' id='rate-send'>{escape(texts.WRITE_SEND)}</button>"
        f"<button type='button' class='plain' id='undo-last-write' hidden>{escape(texts.UNDO_LAST)}</button>"
        f"</div><div class='agrees'>{agree_html(texts.WRITE_AGREE)}</div></form>"
    )


def _end() -> str:
    return (
        "<div id='rate-end' hidden><h2 tabindex='-1'></h2><p></p>"
        f"<div id='rate-leave' hidden><p>{escape(texts.CODE)} <code></code></p>"
        f"<a target='_top' hidden>{escape(texts.TO_PANEL)}</a></div><div class='acts'>"
        f"<button type='button' class='plain' id='undo-last' hidden>{escape(texts.UNDO_LAST)}</button>"
        f"<button type='button' class='plain' id='rate-again'>{escape(texts.AGAIN)}</button>"
        f"<a href='./'>{escape(texts.TO_COMPARE)}</a></div></div>"
    )


def _bar() -> str:
    """Return the vote bar: criteria if a study has any, the question, the choices, reasons, skip and undo."""
    choices = "".join(_choice(*choice) for choice in _choices())
    return (
        "<div id='votebar' class='rate-bar' hidden><div id='rate-criteria'></div><div id='judge'>"
        f"<div id='vote-words'><b>{escape(compare_texts.QUESTION_TWO)}</b></div>"
        f"<div id='rate-choices' role='group' aria-label='{escape(texts.CHOICES)}'>{choices}</div>"
        f"<div id='rate-reasons' role='toolbar' aria-label='{escape(texts.REASONS)}' hidden></div>"
        f"<div id='rate-acts'>{_act('skip', texts.SKIP)}{_act('undo', compare_texts.UNDO)}</div>"
        "<p id='rate-said' role='status'></p></div></div>"
    )


def _choices() -> tuple[tuple[str, str, str, str], ...]:
    """Return each choice: id, words, words where the strength is asked, class."""
    (a, b), (first, last) = PAIR, map(str.upper, PAIR)
    return (
        (f"vote-{a}-much", "", texts.MUCH.format(letter=first), f"side-{a}"),
        (f"vote-{a}", first, texts.SLIGHTLY.format(letter=first), f"side-{a}"),
        ("vote-tie", str(compare_texts.TIE), "", ""),
        (f"vote-{b}", last, texts.SLIGHTLY.format(letter=last), f"side-{b}"),
        (f"vote-{b}-much", "", texts.MUCH.format(letter=last), f"side-{b}"),
        ("vote-bad", str(compare_texts.BOTH_BAD), "", ""),
    )


def _choice(element_id: str, words: str, strong: str, side: str) -> str:
    inside = escape(words) if words and not strong else ""
    if strong:
        weak = f"<span class='weak'>{escape(words)}</span>" if words else ""
        inside = f"{weak}<span class='strong'>{escape(strong)}</span>"
    hidden = "" if words else " data-strong"
    return f"<button type='button' class='plain choice {side}' id='{element_id}'{hidden}>{inside}</button>"


def _act(name: str, words: str) -> str:
    return f"<button type='button' class='tool' id='{name}'>{escape(words)}</button>"
