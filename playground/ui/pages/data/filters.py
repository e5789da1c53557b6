"""HTML of the filters of the Data page: a form whose fields are named as in the page's address.

Boundary: strings from a `DataAddress`; every value is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.battles.ballot import VOTE_REASONS
from playground.ui.data_address import APART, COUNTED, IDS, DataAddress
from playground.ui.query import YES
from playground.ui.rendering import escape
from playground.ui.texts import compare as compare_texts
from playground.ui.texts import data as texts

FORM = "data-form"
"""Id of the form, which `data.js` sends."""
FIRST_ROW = ("words", "models", "winner", "category", "reason", "since", "until", "license")
MORE = ("origin", "mode", "pairs", "sampling", "imported")


@dataclass(frozen=True, slots=True)
class Offered:
    """Values that the filters offer."""

    models: Sequence[str]
    categories: Sequence[str]


def form_html(address: DataAddress, offered: Offered, is_operator: bool) -> str:
    """Return the form with the values of an address."""
    values = {**address.filter.as_mapping(), **({"license": APART} if address.apart else {})}
    shown = "".join(_field(name, values, offered) for name in FIRST_ROW)
    more = "".join(_field(name, values, offered) for name in MORE)
    more += _text("rater", values.get("rater", "")) if is_operator else ""
    checks = _check(COUNTED, address.counted_only) + (_check(IDS, address.ids) if is_operator else "")
    is_open = any(name in values for name in (*MORE, "rater")) or address.counted_only or address.ids
    clear = f"<a href='./data' data-view data-focus='data-apply'>{escape(texts.CLEAR)}</a>"
    models = "".join(f"<option value='{escape(model)}'></option>" for model in offered.models)
    return (
        f"<form id='{FORM}' class='sheet' method='get' action='./data' role='search' "
        f"aria-label='{escape(texts.FILTERS)}'><datalist id='data-models'>{models}</datalist>"
        f"<div class='fields'>{shown}</div>"
        f"<details id='data-more'{' open' if is_open else ''}><summary>{escape(texts.MORE_FILTERS)}</summary>"
        f"<div class='fields'>{more}</div><div class='checks'>{checks}</div></details>"
        f"<div class='acts'><button id='data-apply' class='go'>{escape(texts.APPLY)}</button>"
        f"{clear}</div></form>"
    )


def _field(name: str, values: Mapping[str, str], offered: Offered) -> str:
    value = values.get(name, "")
    match name:
        case "words":
            return _text(name, value, hint=texts.WORDS_HINT)
        case "models":
            first, _, second = value.partition(",")
            return _text(name, first, suggested=True) + _text(
                name, second, label=texts.SECOND_MODEL, suggested=True, id="data-models-2"
            )
        case "winner":
            return _select(name, value, {**texts.WINNERS, **{model: model for model in offered.models}})
        case "category":
            return _select(name, value, {category: category for category in offered.categories})
        case "reason":
            return _select(name, value, {reason: compare_texts.REASON_CHIPS[reason] for reason in VOTE_REASONS})
        case "since" | "until":
            return _text(name, value, kind="date")
    return _select(name, value, texts.CHOICES[name])


def _text(
    name: str, value: str, *, kind: str = "text", hint: str = "", label: str = "", suggested: bool = False, id: str = ""
) -> str:
    more = f" placeholder='{escape(hint)}'" if hint else ""
    more += " list='data-models'" if suggested else ""
    return _labelled(
        label or texts.LABELS[name],
        f"<input id='{id or f'data-{name}'}' name='{name}' type='{kind}' value='{escape(value)}' maxlength='200' "
        f"autocomplete='off' spellcheck='false'{more}>",
    )


def _select(name: str, value: str, choices: Mapping[str, str]) -> str:
    known = choices if value in choices or not value else {**choices, value: value}
    options = "".join(
        f"<option value='{escape(choice)}'{' selected' if choice == value else ''}>{escape(words)}</option>"
        for choice, words in {"": texts.ANY, **known}.items()
    )
    return _labelled(texts.LABELS[name], f"<select id='data-{name}' name='{name}'>{options}</select>")


def _labelled(label: str, control: str) -> str:
    return f"<label class='field'><span>{escape(label)}</span>{control}</label>"


def _check(name: str, is_on: bool) -> str:
    box = f"<input type='checkbox' id='data-{name}' name='{name}' value='{YES}'{' checked' if is_on else ''}>"
    return f"<label class='check'>{box}<span>{escape(texts.LABELS[name])}</span></label>"
