"""One model as the Models room shows it: a card that stays as it is drawn, and its state, drawn apart.

Boundary: HTML from records; every text of a card is escaped, and folders of this machine go by their last name only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.catalog.catalog import without_folders
from playground.exchange.licenses import allows_commercial_use
from playground.ratings.board import LeaderboardRow
from playground.records import ModelCard, ModelStatus
from playground.ui import texts
from playground.ui.rendering import escape

COMING = ("queued", "loading")
UP = ("ready", *COMING)
PRESENT = ("here", "elsewhere")
_NON_COMMERCIAL = re.compile(r"\b(nc|non-?commercial)\b", re.IGNORECASE)

Row = tuple[str, str]
"""A name, and HTML."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one model."""

    card: ModelCard
    status: ModelStatus
    answers: bool  # it is in the line-up
    files: str = "here"  # here | incomplete | missing, or elsewhere: another machine's
    rating: LeaderboardRow | None = None
    takes_turns: bool = False  # it comes and goes with battles, its own or others'

    @property
    def state(self) -> str:
        """As in `ModelStatus`; ``turns`` where battles bring models up and send them to rest: nobody is told which."""
        return "turns" if self.takes_turns and self.status.state != "failed" else self.status.state

    @property
    def do(self) -> str:
        """What its button does now."""
        return "unload" if self.state in UP else "load"

    @property
    def can_do(self) -> bool:
        """Whether that may succeed."""
        return self.state != "turns" and (self.do == "unload" or self.files in PRESENT)


def turns_are_taken(statuses: Iterable[ModelStatus]) -> bool:
    """Whether not all of them fit at once: then any may be sent to rest to make room for another."""
    return any(status.takes_turns for status in statuses)


def state_words(entry: Entry) -> str:
    """Where the model stands. Of rows, crashes and restarts nothing: those come of battles, which may be blind."""
    status = entry.status
    match entry.state:
        case "turns":
            return texts.MODEL_TURNS
        case "queued":
            return texts.MODEL_QUEUED
        case "loading":
            return texts.loading(status.eta_s)
        case "ready":
            return _ready(status)
        case "failed":
            reason = without_folders(status.detail, entry.card)
            return texts.MODEL_FAILED_WHY.format(reason=reason) if reason else texts.MODEL_FAILED
    return texts.MODEL_ASLEEP if entry.answers else texts.MODEL_OFF


def _ready(status: ModelStatus) -> str:
    if status.load_s is None or not status.device:
        return texts.MODEL_READY_ONLY
    device = texts.THIS_CPU if status.device == "cpu" else status.device
    return texts.MODEL_READY.format(device=device, time=texts.seconds(status.load_s))


def check_words(entry: Entry) -> str:
    """What its checks say: who is ready has passed them, and may have been told something."""
    if entry.state == "turns":
        return texts.MODEL_CHECKED_EACH_TIME
    if entry.state != "ready":
        return texts.MODEL_UNCHECKED
    note = without_folders(entry.status.detail, entry.card)
    return f"{texts.MODEL_CHECKED}. {note[:1].upper()}{note[1:]}" if note else texts.MODEL_CHECKED


def license_words(license: str) -> str:
    """The license, and in plain words when it does not clearly allow everything."""
    if allows_commercial_use(license):
        return license
    plain = texts.MODEL_NON_COMMERCIAL if _NON_COMMERCIAL.search(license) else texts.MODEL_TERMS_UNSURE
    return f"{license}: {plain}"


def states_html(entries: Iterable[Entry]) -> str:
    """What may change of each card, for the page's script to put in its place."""
    return "".join(
        f"<i data-model='{escape(entry.card.id)}' data-state='{escape(entry.state)}' data-do='{entry.do}' "
        f"data-action='{escape(_action(entry))}' data-label='{escape(_action_label(entry))}' "
        f"data-checked='{escape(check_words(entry))}'>{escape(state_words(entry))}</i>"
        for entry in entries
    )


def _action(entry: Entry) -> str:
    return texts.MODELS_UNLOAD if entry.do == "unload" else texts.MODELS_LOAD


def _action_label(entry: Entry) -> str:
    return texts.MODELS_ACTION_LABEL.format(action=_action(entry), name=entry.card.name)


def list_html(entries: Sequence[Entry], manages: bool) -> str:
    """All cards, those that answer here first."""
    here = [entry for entry in entries if entry.answers]
    others = [entry for entry in entries if not entry.answers]
    more = _group(texts.MODELS_OTHERS, others, manages, texts.MODELS_OTHERS_HINT) if others else ""
    return f"{_group(texts.MODELS_HERE, here, manages)}{more}"


def _group(title: str, entries: Sequence[Entry], manages: bool, hint: str = "") -> str:
    cards = "".join(card_html(entry, manages) for entry in entries)
    words = f"<p class='soft'>{escape(hint)}</p>" if hint else ""
    head = f"<h2>{escape(title)}</h2>{words}"
    return f"<section aria-label='{escape(title)}'>{head}<div class='cards'>{cards}</div></section>"


def card_html(entry: Entry, manages: bool) -> str:
    """One model: what it is and where it stands; the rest opens."""
    card = entry.card
    return (
        f"<article class='model' data-model='{escape(card.id)}' data-state='{escape(entry.state)}'>"
        f"<div class='top'><h3>{escape(card.name)}</h3>{_button(entry) if manages else ''}</div>"
        f"<p class='state'>{escape(state_words(entry))}</p>"
        f"<p class='facts'>{_facts(card)}</p>"
        f"<p class='says'>{escape(card.description)}</p>{_fetch(entry)}"
        f"<details><summary>{escape(texts.MODEL_MORE)}<span class='unread'>: {escape(card.name)}</span></summary>"
        f"{_table(_rows(entry))}"
        f"{_listed(texts.MODEL_LIMITS, card.limitations)}{_listed(texts.MODEL_NOTES, card.notes)}</details></article>"
    )


def _button(entry: Entry) -> str:
    if not entry.can_do:
        return ""
    return (
        f"<button type='button' class='act' data-do='{entry.do}' data-model='{escape(entry.card.id)}' "
        f"aria-label='{escape(_action_label(entry))}'>{escape(_action(entry))}</button>"
    )


def _facts(card: ModelCard) -> str:
    facts = [card.id] if card.id != card.name else []
    facts += [texts.MODEL_PARAMETERS.format(count=texts.parameters(card.num_parameters))] if card.num_parameters else []
    facts.append(license_words(card.license))
    facts += [texts.MODEL_STANDS_IN.format(name=card.stands_in_for)] if card.stands_in_for else []
    return " · ".join(escape(fact) for fact in facts)


def _rows(entry: Entry) -> list[Row]:
    card = entry.card
    plain = [
        (texts.MODEL_RATING, rating_words(entry.rating)),
        (texts.MODEL_PUBLISHED, " · ".join(f"{name} {value:g}" for name, value in card.metrics.items())),
        (texts.MODEL_WEIGHTS, texts.MODEL_WEIGHTS_WORDS.format(size=texts.size(card.size_bytes), dtype=card.dtype)),
        (texts.MODEL_SOURCE, _source(card)),
        (texts.MODEL_ARCHITECTURE, card.architecture),
        (texts.MODEL_CONTEXT, texts.MODEL_CONTEXT_WORDS.format(count=card.context_length)),
        (texts.MODEL_TEMPLATE, card.template),
        (texts.MODEL_SAMPLING, _sampling(card)),
        (texts.MODEL_FILES, texts.MODEL_FILES_STATE[entry.files] if entry.files in PRESENT else ""),
    ]
    rows = [(name, escape(words)) for name, words in plain if words]
    placement = without_folders(entry.status.placement, card)
    rows += [(texts.MODEL_PLACEMENT, escape(placement))] if placement else []
    return [*rows, (texts.MODEL_CHECK, f"<span class='checked'>{escape(check_words(entry))}</span>")]


def _sampling(card: ModelCard) -> str:
    whose = texts.MODEL_SAMPLING_SOURCE.get(card.sampling_source, card.sampling_source)
    return texts.MODEL_SAMPLING_WORDS.format(params=texts.defaults(card.sampling), whose=whose)


def _source(card: ModelCard) -> str:
    return card.public_repo if _is_folder(card) else f"{card.public_repo} @ {card.revision[:12]}"


def _is_folder(card: ModelCard) -> bool:
    return Path(card.repo).is_absolute()


def rating_words(row: LeaderboardRow | None) -> str:
    """The model's place on the leaderboard of this playground, or why it has none."""
    if row is None:
        return texts.MODEL_NOT_RATED
    if row.provisional:
        return texts.MODEL_RATED_TOO_FEW.format(battles=row.battles)
    return texts.MODEL_RATED.format(
        rating=row.rating, lower=row.rating_lower, upper=row.rating_upper, battles=row.battles
    )


def _fetch(entry: Entry) -> str:
    """Where files are missing: how to get them."""
    card = entry.card
    if entry.files in PRESENT:
        return ""
    if _is_folder(card):
        return f"<p class='fetch'>{escape(texts.MODEL_FILES_LOST.format(name=card.public_repo))}</p>"
    command = escape(texts.MODEL_FETCH.format(name=card.id))
    label = escape(texts.MODEL_COPY_LABEL.format(name=card.name))
    copy = f"<button type='button' class='tool' data-tool='copy' data-text='{command}' aria-label='{label}'>"
    return (
        f"<p class='fetch'>{escape(texts.MODEL_FILES_STATE[entry.files])}</p>"
        f"<div class='command'><code>{command}</code>{copy}{escape(texts.COPY)}</button></div>"
    )


def _table(rows: Sequence[Row]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{words}</dd>' for name, words in rows)}</dl>"


def _listed(title: str, points: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(point)}</li>" for point in points)
    return f"<h4>{escape(title)}</h4><ul>{items}</ul>" if items else ""
