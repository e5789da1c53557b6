"""The end of a report: method, filter, versions, licenses, citation; and the box on votes that do not count.

Boundary: strings from a `Report`.
"""

from __future__ import annotations

from collections.abc import Iterator

import playground
from playground.report import texts
from playground.report.report import Report
from playground.ui.pages.leaderboard.method import sentences
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts.language import Plural

MODELS = Plural("{count:,} model", "{count:,} models")


def about(report: Report) -> str:
    """Return the sections."""
    method = "".join(f"<li>{escape(words)}</li>" for words in sentences(report.view))
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _facts(report))
    parts = {
        texts.METHOD: f"<ul>{method}</ul>",
        texts.FACTS: f"<dl>{facts}</dl>",
        texts.LICENSES: f"<p>{escape(texts.DATA_LICENSE)}</p>{_models(report)}",
        texts.CITE: f"<p class='cite'>{escape(citation(report))}</p>",
    }
    return "".join(f"<section><h3>{escape(title)}</h3>{inside}</section>" for title, inside in parts.items())


def left_out(report: Report) -> str:
    """Return the box on votes that do not count, and why."""
    board = report.view.board
    inside = f"<p>{escape(texts.LEFT_OUT_NONE)}</p>"
    if board.exclusions:
        counts = {"counted": formats.counted(board.num_votes, formats.VOTES), "all": f"{board.all_votes:,}"}
        items = "".join(
            f"<li>{escape(formats.counted(one.votes, formats.VOTES))}: {escape(one.words)}</li>"
            for one in board.exclusions
        )
        inside = f"<p>{escape(texts.LEFT_OUT_SOME.format(**counts))}</p><ul>{items}</ul>"
    title = escape(texts.LEFT_OUT)
    return f"<section class='box box-left-out' aria-label='{title}'><h2>{title}</h2>{inside}</section>"


def citation(report: Report) -> str:
    """Return the sentence by which the report is cited."""
    board = report.view.board
    return texts.CITATION.format(
        title=report.asked.title,
        models=formats.counted(len(board.rows), MODELS),
        votes=formats.counted(board.num_votes, formats.VOTES),
        raters=formats.counted(board.num_raters, formats.RATERS),
        version=playground.__version__,
        day=report.asked.now[:10],
    )


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    asked, board, names = report.asked, report.view.board, texts.FACTS_HEAD
    conditions = " · ".join(f"{name} {value}" for name, value in asked.filter.as_mapping().items())
    yield names["filter"], conditions or (texts.OTHER_RULES if asked.options.filtered else texts.NO_FILTER)
    if asked.study_hash:
        yield names["study"], texts.STUDY.format(study=asked.filter.study, hash=asked.study_hash)
    yield names["policy"], board.options.policy.description
    counted = formats.counted(board.num_votes, formats.VOTES)
    yield names["votes"], f"{counted}, {formats.counted(board.num_raters, formats.RATERS)}"
    yield names["until"], formats.moment(asked.now)
    yield names["version"], texts.VERSION.format(version=playground.__version__)


def _models(report: Report) -> str:
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in texts.MODELS_HEAD)
    cards, lines = report.view.cards, ""
    for row in report.view.rows:
        card = cards.get(row.model)
        cells = (row.license, card.public_repo if card else "", card.revision if card else "")
        lines += f"<tr><th scope='row'>{escape(row.name)}</th>{''.join(f'<td>{escape(c)}</td>' for c in cells)}</tr>"
    return scrolling(texts.LICENSES, f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>")
