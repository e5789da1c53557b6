"""Ratings over time: one small plot for each model over the same scales, and all numbers as a table.

The lines of a plot are stretched to its width; letters and dots are not.

Boundary: draws `History` as HTML; colours are those of the style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from playground.ratings.history import History, HistoryModel, HistoryPoint, RatingThen, too_few
from playground.ui.pages.leaderboard.numbers import interval, points
from playground.ui.pages.leaderboard.scale import scale
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.rendering import escape
from playground.ui.texts import board_history as texts
from playground.ui.texts import formats

WIDTH, HEIGHT, FOOT, TOP = 1000, 96, 22, 8  # of a plot: units across, px of the lines, of the days below, above
FARTHEST = 200  # points beyond the highest and the lowest rating up to which intervals are drawn
LEFT, RIGHT = 13, 3  # per cent beside the lines: for the ratings, for the dot
DOT = 5  # px, its radius


@dataclass(frozen=True, slots=True)
class _Scales:
    """The scales that all plots share."""

    ticks: Sequence[float]
    first: int  # day as an ordinal
    last: int

    def x(self, day: str) -> float:
        """Return the place of a day, from 0 to `WIDTH`."""
        return WIDTH * (date.fromisoformat(day).toordinal() - self.first) / (self.last - self.first)

    def y(self, rating: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return TOP + HEIGHT * (high - min(max(rating, low), high)) / (high - low)


def history(found: History | None) -> str:
    """Return the plots and the table; the reason if there are none."""
    if found is None:
        return f"<p>{escape(too_few())}</p>"
    scales = _scales(found)
    plots = "".join(_plot(model, found.of(model.model), scales) for model in found.models)
    notes = "".join(f"<p class='soft'>{escape(note)}</p>" for note in found.notes())
    lead = texts.LEAD.format(level=f"{100 * found.level:g}")
    return (
        f"<p class='soft'>{escape(lead)}</p><div class='plots'>{plots}</div>"
        f"<p class='soft'>{escape(texts.NOTE)}</p>{notes}{_table(found)}"
    )


def _scales(found: History) -> _Scales:
    then = [one for point in found.points for one in point.ratings]
    floor, ceiling = min(one.rating for one in then) - FARTHEST, max(one.rating for one in then) + FARTHEST
    ends = [*(max(one.rating_lower, floor) for one in then), *(min(one.rating_upper, ceiling) for one in then)]
    first, last = (date.fromisoformat(found.points[i].day).toordinal() for i in (0, -1))
    return _Scales(scale(ends), first, last)


def _plot(model: HistoryModel, known: Sequence[tuple[HistoryPoint, RatingThen]], scales: _Scales) -> str:
    last = known[-1][1]
    band = [*((point, then.rating_upper) for point, then in known)]
    band += [(point, then.rating_lower) for point, then in reversed(known)]
    line = [(point, then.rating) for point, then in known]
    x = f"{LEFT + (100 - LEFT - RIGHT) * scales.x(known[-1][0].day) / WIDTH:.2f}%"
    return (
        f"<figure><figcaption><b>{escape(model.name)}</b> <span class='soft'>"
        f"{escape(_cell(last))}</span></figcaption>"
        f"<svg class='history' role='img' aria-label='{escape(_words(model, known))}' width='100%' "
        f"height='{TOP + HEIGHT + FOOT}'>{_rules(scales)}"
        f"<svg x='{LEFT}%' y='0' width='{100 - LEFT - RIGHT}%' height='{TOP + HEIGHT}' "
        f"viewBox='0 0 {WIDTH} {TOP + HEIGHT}' preserveAspectRatio='none'>"
        f"<polygon class='band' points='{_places(band, scales)}'/>"
        f"<polyline class='line' vector-effect='non-scaling-stroke' points='{_places(line, scales)}'/></svg>"
        f"<circle class='dot' cx='{x}' cy='{scales.y(last.rating):.1f}' r='{DOT}'/></svg></figure>"
    )


def _places(values: Sequence[tuple[HistoryPoint, float]], scales: _Scales) -> str:
    return " ".join(f"{scales.x(point.day):.1f},{scales.y(value):.1f}" for point, value in values)


def _rules(scales: _Scales) -> str:
    """Return a line at the lowest and the highest rating, and the first and the last day."""
    ticks = scales.ticks
    rules = "".join(
        f"<line class='rule' x1='0' x2='100%' y1='{scales.y(tick):.1f}' y2='{scales.y(tick):.1f}'/>"
        f"<text class='soft' x='0' y='{scales.y(tick) + up:.1f}'>{formats.signed(tick)}</text>"
        for tick, up in ((ticks[0], -3), (ticks[-1], 13))
    )
    days = "".join(
        f"<text class='soft' x='{x}' y='{TOP + HEIGHT + 17}' text-anchor='{anchor}'>{date.fromordinal(day)}</text>"
        for day, x, anchor in ((scales.first, f"{LEFT}%", "start"), (scales.last, "100%", "end"))
    )
    return rules + days


def _words(model: HistoryModel, known: Sequence[tuple[HistoryPoint, RatingThen]]) -> str:
    (first_at, first), (last_at, last) = known[0], known[-1]
    words = texts.PLOT if len(known) > 1 else texts.PLOT_ONE
    return words.format(
        name=model.name,
        first=points(first.rating),
        first_day=first_at.day,
        last=points(last.rating),
        last_day=last_at.day,
    )


def _table(found: History) -> str:
    heads = (texts.DAY, texts.VOTES, *(model.name for model in found.models))
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in heads)
    body = "".join(f"<tr>{_row(point, found.models)}</tr>" for point in reversed(found.points))
    table = scrolling(texts.TITLE, f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    return f"<details id='board-history'><summary>{escape(texts.TABLE)}</summary>{table}</details>"


def _row(point: HistoryPoint, models: Sequence[HistoryModel]) -> str:
    then = {one.model: one for one in point.ratings}
    cells = [_cell(then[model.model]) if model.model in then else "–" for model in models]
    row = f"<th scope='row'>{escape(point.day)}</th><td>{point.votes:,}</td>"
    return row + "".join(f"<td>{escape(text)}</td>" for text in cells)


def _cell(one: RatingThen) -> str:
    return texts.CELL.format(rating=points(one.rating), interval=interval(one.rating_lower, one.rating_upper))
