"""The box that says how well raters recognise the models of blind battles.

Boundary: draws what the arena computes from the guesses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.ratings.blinding import Blinding, Estimate, Group, ModelBlinding
from playground.records import ModelCard
from playground.ui.rendering import escape
from playground.ui.texts import blinding as texts
from playground.ui.texts import formats

FEWEST = 20
"""Guesses overall below which nothing is said about all models."""
FEWEST_OF_MODEL = 10
"""Guesses about a model's answers below which nothing is said about it, and of a group of raters."""


def blinding_html(found: Blinding | None, cards: Mapping[str, ModelCard]) -> str:
    """Return how much better than chance raters name models; in words where it is not known yet."""
    inside = f"<p class='soft'>{escape(texts.UNKNOWN)}</p>" if found is None else _known(found, cards)
    title = escape(texts.TITLE)
    return f"<section class='box box-blinding' aria-label='{title}'><h2>{title}</h2>{inside}</section>"


def _known(found: Blinding, cards: Mapping[str, ModelCard]) -> str:
    everyone = found.everyone
    method = f"<p class='soft'>{escape(texts.METHOD)}</p>"
    if not everyone.asked:
        return f"<p>{escape(texts.NOBODY)}</p>{method}"
    answered = texts.ANSWERED.format(share=formats.share(everyone.share or 0.0), asked=everyone.asked)
    tables = ""
    if everyone.answered >= FEWEST:
        tables = _models(found.models, cards) + _groups(found.groups)
    return f"<p>{escape(_verdict(found))}</p><p class='soft'>{escape(answered)}</p>{method}{tables}"


def _verdict(found: Blinding) -> str:
    index = found.everyone.index
    guesses = formats.counted(found.everyone.answered, texts.GUESSES)
    if index is None or found.everyone.answered < FEWEST:
        return texts.TOO_FEW.format(guesses=guesses, fewest=FEWEST)
    words = texts.BETTER if index.lower > 0 else texts.NOT_BETTER
    return words.format(**_limits(index), guesses=guesses, raters=formats.counted(found.raters, formats.RATERS))


def _limits(index: Estimate) -> dict[str, str]:
    return {"index": _percent(index.value), "lower": _percent(index.lower), "upper": _percent(index.upper)}


def _percent(part: float) -> str:
    return formats.SHARE.format(percent=formats.signed(round(100 * part)))


def _models(models: Sequence[ModelBlinding], cards: Mapping[str, ModelCard]) -> str:
    lines = [
        (
            cards[model.model_id].name if model.model_id in cards else model.model_id,
            f"{model.answers:,}",
            _range(model.index, model.answers),
        )
        for model in models
    ]
    return _table(texts.MODELS, (texts.MODEL, texts.ANSWERS, texts.INDEX), lines)


def _groups(groups: Sequence[Group]) -> str:
    lines = [
        (
            _seen(group),
            f"{group.asked:,}",
            "–" if group.share is None else formats.share(group.share),
            _range(group.index, group.answered),
        )
        for group in groups
    ]
    return _table(texts.REVEALS, (texts.SEEN, texts.ASKED, texts.SHARE, texts.INDEX), lines)


def _seen(group: Group) -> str:
    if group.most is None:
        return texts.SEEN_FROM.format(least=group.least)
    return texts.SEEN_FROM_TO.format(least=group.least, most=group.most) if group.most else texts.SEEN_NONE


def _range(index: Estimate | None, guesses: int) -> str:
    known = index is not None and guesses >= FEWEST_OF_MODEL
    return texts.RANGE.format(**_limits(index)) if index is not None and known else texts.NOT_YET


def _table(title: str, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in heads)
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in others)}</tr>"
        for first, *others in lines
    )
    label = escape(title)
    return (
        f"<div class='scroll' tabindex='0' role='group' aria-label='{label}'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
