"""The control that rates the counted votes again, which `assets/again.js` drives.

Boundary: a string from a `Report`.
"""

from __future__ import annotations

from collections.abc import Iterator

from playground.report import texts
from playground.report.report import Report
from playground.ui.pages.leaderboard.numbers import points
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.rendering import escape


def again(report: Report) -> str:
    """Return the form, and the table with the ratings as stored."""
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in texts.AGAIN_HEAD)
    table = f"<table><thead><tr>{head}</tr></thead><tbody id='again-rows'>{''.join(_rows(report))}</tbody></table>"
    return (
        f"<p class='soft'>{escape(texts.AGAIN_LEAD)}</p><noscript><p>{escape(texts.SCRIPTS_OFF)}</p></noscript>"
        f"<form id='again-form' hidden>{_fields(report)}"
        f"<button type='reset'>{escape(texts.AGAIN_RESET)}</button></form>"
        f"<p id='again-said' class='soft' role='status'></p>{scrolling(texts.TITLES['again'], table)}"
    )


def _rows(report: Report) -> Iterator[str]:
    index = {model: number for number, model in enumerate(report.tallies.models)}
    for row in report.view.rows:
        yield (
            f"<tr data-model='{index[row.model]}' data-stored='{row.rating!r}'><th scope='row'>{escape(row.name)}</th>"
            f"<td>{points(row.rating)}</td><td>{points(row.rating)}</td><td>0</td></tr>"
        )


def _fields(report: Report) -> str:
    tallies, rated = report.tallies, {row.model: row.name for row in report.view.rows}
    models = "".join(
        _check("checkbox", "model", str(number), rated[model], True)
        for number, model in enumerate(tallies.models)
        if model in rated
    )
    used = sorted({line[1] for line in tallies.lines}, key=lambda number: tallies.categories[number])
    categories = "".join(
        _check("checkbox", "category", str(number), tallies.categories[number] or texts.NO_CATEGORY, True)
        for number in used
    )
    rules = "".join(
        _check("radio", "bothBad", value, words, value == tallies.both_bad) for value, words in texts.BOTH_BAD.items()
    )
    groups = {texts.AGAIN_MODELS: models, texts.AGAIN_BOTH_BAD: rules}
    if len(used) > 1:
        groups[texts.AGAIN_CATEGORIES] = categories
    return "".join(f"<fieldset><legend>{escape(title)}</legend>{inputs}</fieldset>" for title, inputs in groups.items())


def _check(kind: str, name: str, value: str, words: str, is_on: bool) -> str:
    checked = " checked" if is_on else ""
    return (
        f"<label class='check'><input type='{kind}' name='{name}' value='{escape(value)}'{checked}>"
        f"{escape(words)}</label>"
    )
