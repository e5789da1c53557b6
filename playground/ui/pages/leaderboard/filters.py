"""The filters of the board: a form whose fields are named as in the page's address.

Boundary: strings from a `BoardAddress`; every value is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.ui.board_address import COUNT_ALL, HIDE_RETIRED, MINE, MODEL, BoardAddress
from playground.ui.query import YES
from playground.ui.rendering import escape
from playground.ui.texts import leaderboard as texts

FORM = "leaderboard-form"
"""Id of the form, which `leaderboard.js` sends."""

NARROWING = ("category", "license")
"""Filters without which all votes are shown; the others have a default of the board."""


def form_html(address: BoardAddress, categories: Sequence[str]) -> str:
    """Return the form with the values of an address, folded below a line that names them."""
    values = dict(address.conditions) | dict(address.rules)
    choices = {"category": {name: name for name in categories}, **texts.CHOICES}
    fields = "".join(_select(name, values.get(name, ""), offered) for name, offered in choices.items())
    fields += "".join(_date(name, values.get(name, "")) for name in ("since", "until"))
    marked = {MINE: address.mine, COUNT_ALL: address.count_all, HIDE_RETIRED: address.hide_retired}
    checks = "".join(_check(name, is_on) for name, is_on in marked.items())
    kept = {**{name: values.get(name, "") for name in ("models", "study")}, MODEL: address.model}
    hidden = "".join(
        f"<input type='hidden' name='{name}' value='{escape(value)}'>" for name, value in kept.items() if value
    )
    summary = f"<summary>{escape(words_of(address))} <u>{escape(texts.CHANGE)}</u></summary>"
    more = f"<div class='checks'>{checks}{hidden}</div>{_clear(address)}"
    return (
        f"<details id='board-filters-open'>{summary}"
        f"<form id='{FORM}' class='sheet' method='get' action='./leaderboard' aria-label='{escape(texts.FILTERS)}'>"
        f"<div class='fields'>{fields}</div>{more}</form></details>"
    )


def words_of(address: BoardAddress) -> str:
    """Return the filters that are set, in words."""
    set_ = [
        texts.SET.format(name=texts.LABELS[name], value=texts.CHOICES.get(name, {}).get(value, value))
        for name, value in (*address.conditions, *address.rules)
    ]
    marked = {MINE: address.mine, COUNT_ALL: address.count_all, HIDE_RETIRED: address.hide_retired}
    set_ += [texts.LABELS[name] for name, is_on in marked.items() if is_on]
    return " · ".join(set_) or texts.DEFAULT_BOARD


def _clear(address: BoardAddress) -> str:
    if not (address.is_filtered or address.hide_retired):
        return ""
    return f"<p><a href='./leaderboard' data-view data-focus='leaderboard-category'>{escape(texts.CLEAR)}</a></p>"


def _select(name: str, value: str, offered: Mapping[str, str]) -> str:
    known = {"": texts.ALL if name in NARROWING else texts.DEFAULT, **offered}
    if value not in known:
        known[value] = value
    options = "".join(
        f"<option value='{escape(choice)}'{' selected' if choice == value else ''}>{escape(words)}</option>"
        for choice, words in known.items()
    )
    return _labelled(name, f"<select id='leaderboard-{name}' name='{name}'>{options}</select>")


def _date(name: str, value: str) -> str:
    return _labelled(
        name, f"<input type='date' id='leaderboard-{name}' name='{name}' value='{escape(value)}' maxlength='10'>"
    )


def _labelled(name: str, control: str) -> str:
    return f"<label class='field'><span>{escape(texts.LABELS[name])}</span>{control}</label>"


def _check(name: str, is_on: bool) -> str:
    checked = " checked" if is_on else ""
    box = f"<input type='checkbox' id='leaderboard-{name}' name='{name}' value='{YES}'{checked}>"
    return f"<label class='check'>{box}<span>{escape(texts.LABELS[name])}</span></label>"
