"""HTML of the model cards, and of their states, which change while a card stays.

Boundary: strings from records; folders of this machine are shown by their last name only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.catalog.model_folders import tokenizer_words, without_folders
from playground.exchange.licenses import allows_commercial_use
from playground.ratings.board import LeaderboardRow
from playground.records import ModelCard, ModelStatus
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import models as texts

COMING = ("queued", "loading")
UP = ("ready", "spent", *COMING)
HUB = "https://huggingface.co"
PRESENT = ("here", "elsewhere")
_NON_COMMERCIAL = re.compile(r"\b(nc|non-?commercial)\b", re.IGNORECASE)

Row = tuple[str, str]
"""A label and HTML."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A model with its state, files and rating."""

    card: ModelCard
    status: ModelStatus
    answers: bool  # in the line-up
    files: str = "here"  # here | incomplete | missing | elsewhere (on another server)
    rating: LeaderboardRow | None = None
    takes_turns: bool = False  # loaded and unloaded as battles need memory

    @property
    def state(self) -> str:
        """Return the state of `ModelStatus`; ``turns`` if battles load and unload models, which must stay secret."""
        return "turns" if self.takes_turns and self.status.state != "failed" else self.status.state

    @property
    def do(self) -> str:
        """Return the action of the button."""
        return "unload" if self.state in UP else "load"

    @property
    def can_do(self) -> bool:
        """Return True if the action can succeed."""
        return self.state != "turns" and (self.do == "unload" or self.files in PRESENT)


def turns_are_taken(statuses: Iterable[ModelStatus]) -> bool:
    """Return True if the models do not all fit in memory, so that battles unload some to load others."""
    return any(status.takes_turns for status in statuses)


def state_words(entry: Entry) -> str:
    """Return the state as text, without rows, crashes and restarts: those would reveal models of blind battles."""
    status = entry.status
    match entry.state:
        case "turns":
            return texts.TURNS
        case "queued":
            return texts.QUEUED
        case "loading":
            return formats.loading(status.eta_s)
        case "ready":
            return _ready(status)
        case "spent":
            return texts.SPENT.format(count=entry.card.daily_tokens)
        case "failed":
            reason = without_folders(status.detail, entry.card)
            return texts.FAILED_WHY.format(reason=reason) if reason else texts.FAILED
    return texts.ASLEEP if entry.answers else texts.OFF


def _ready(status: ModelStatus) -> str:
    if status.load_s is None or not status.device:
        return texts.READY
    device = texts.THIS_CPU if status.device == "cpu" else status.device
    return texts.READY_ON.format(device=device, time=formats.seconds(status.load_s))


def check_words(entry: Entry) -> str:
    """Return the result of the checks; a model that is ready has passed them, perhaps with a note."""
    if entry.state == "turns":
        return texts.CHECKED_EACH_TIME
    if entry.state != "ready":
        return texts.UNCHECKED
    note = without_folders(entry.status.detail, entry.card)
    return texts.CHECKED_NOTE.format(checked=texts.CHECKED, note=note[:1].upper() + note[1:]) if note else texts.CHECKED


def license_words(license: str) -> str:
    """Return the license, explained if it does not clearly allow commercial use."""
    if allows_commercial_use(license):
        return license
    plain = texts.NON_COMMERCIAL if _NON_COMMERCIAL.search(license) else texts.TERMS_UNSURE
    return f"{license}: {plain}"


def states_html(entries: Iterable[Entry]) -> str:
    """Return the changing parts of each card, which `models.js` puts in their places."""
    return "".join(
        f"<i data-model='{escape(entry.card.id)}' data-state='{escape(entry.state)}' data-do='{entry.do}' "
        f"data-action='{escape(_action(entry))}' data-label='{escape(_action_label(entry))}' "
        f"data-checked='{escape(check_words(entry))}'>{escape(state_words(entry))}</i>"
        for entry in entries
    )


def _action(entry: Entry) -> str:
    return texts.UNLOAD if entry.do == "unload" else texts.LOAD


def _action_label(entry: Entry) -> str:
    return texts.ACTION_LABEL.format(action=_action(entry), name=entry.card.name)


def list_html(entries: Sequence[Entry], manages: bool) -> str:
    """Return all cards, those that answer here first."""
    here = [entry for entry in entries if entry.answers]
    others = [entry for entry in entries if not entry.answers]
    more = _group(texts.OTHERS, others, manages, texts.OTHERS_HINT) if others else ""
    return f"{_group(texts.HERE, here, manages)}{more}"


def _group(title: str, entries: Sequence[Entry], manages: bool, hint: str = "") -> str:
    cards = "".join(card_html(entry, manages) for entry in entries)
    words = f"<p class='soft'>{escape(hint)}</p>" if hint else ""
    head = f"<h2>{escape(title)}</h2>{words}"
    return f"<section aria-label='{escape(title)}'>{head}<div class='cards'>{cards}</div></section>"


def card_html(entry: Entry, manages: bool) -> str:
    """Return one card with a summary, and details that open."""
    card = entry.card
    return (
        f"<article class='model' data-model='{escape(card.id)}' data-state='{escape(entry.state)}'>"
        f"<div class='top'><h3>{escape(card.name)}</h3>{_button(entry) if manages else ''}</div>"
        f"<p class='state'>{escape(state_words(entry))}</p>"
        f"<p class='facts'>{_facts(card)}</p>"
        f"<p class='says'>{escape(card.description)}</p>{_fetch(entry)}"
        f"<details id='more-{escape(card.id)}'>"
        f"<summary>{escape(texts.MORE)}<span class='unread'>: {escape(card.name)}</span></summary>"
        f"{_table(_rows(entry))}"
        f"{_listed(texts.LIMITS, card.limitations)}{_listed(texts.NOTES, card.notes)}</details></article>"
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
    facts += [texts.PARAMETERS.format(count=formats.parameters(card.num_parameters))] if card.num_parameters else []
    facts.append(license_words(card.license))
    facts += [texts.STANDS_IN.format(name=card.stands_in_for)] if card.stands_in_for else []
    return " · ".join(escape(fact) for fact in facts)


def _rows(entry: Entry) -> list[Row]:
    card = entry.card
    plain = [
        (texts.RATING, rating_words(entry.rating)),
        (texts.PUBLISHED, " · ".join(f"{name} {value:g}" for name, value in card.metrics.items())),
        (texts.WEIGHTS, texts.WEIGHTS_FACTS.format(size=formats.size(card.size_bytes), dtype=card.dtype)),
        (texts.ARCHITECTURE, card.architecture),
        (texts.DAILY_TOKENS, texts.DAILY_COUNT.format(count=card.daily_tokens) if card.daily_tokens else ""),
        (texts.CONTEXT, texts.CONTEXT_TOKENS.format(count=card.context_length)),
        (texts.TEMPLATE, texts.FEEDS.get(card.feed, "{template}").format(template=card.template)),
        (texts.TOKENIZER, tokenizer_words(card)),
        (texts.SWITCHES, ", ".join(f"{name} = {json.dumps(on)}" for name, on in card.chat_template_kwargs.items())),
        (texts.SAMPLING, _sampling(card)),
        (texts.TESTED, texts.UNTESTED if card.untested else ""),
        (texts.FILES, texts.FILE_STATES[entry.files] if entry.files in PRESENT else ""),
    ]
    rows = [(name, escape(words)) for name, words in plain if words]
    rows.append((texts.SOURCE, _source(card)))
    links = " · ".join(_link(name, address) for name, address in card.links.items())
    rows += [(texts.LINKS, links)] if links else []
    rows += [(texts.CITATION, f"<pre class='cite'>{escape(card.citation.strip())}</pre>")] if card.citation else []
    placement = without_folders(entry.status.placement, card)
    rows += [(texts.PLACEMENT, escape(placement))] if placement else []
    return [*rows, (texts.CHECK, f"<span class='checked'>{escape(check_words(entry))}</span>")]


def _sampling(card: ModelCard) -> str:
    source = texts.SAMPLING_SOURCES.get(card.sampling_source, card.sampling_source)
    return texts.SAMPLING_FACTS.format(params=formats.sampling(card.sampling), source=source)


def _source(card: ModelCard) -> str:
    """Return the folder's name, or a link to the repository on the hub."""
    if _is_folder(card):
        return escape(card.public_repo)
    return f"{_link(card.repo, f'{HUB}/{card.repo}')} @ {escape(card.revision[:12])}"


def _link(name: str, address: str) -> str:
    return f"<a href='{escape(address)}' rel='noopener' target='_blank'>{escape(name)}</a>"


def _is_folder(card: ModelCard) -> bool:
    return Path(card.repo).is_absolute()


def rating_words(row: LeaderboardRow | None) -> str:
    """Return the rating on this playground, or why there is none."""
    if row is None:
        return texts.NOT_RATED
    battles = formats.counted(row.battles, formats.BATTLES)
    if row.provisional:
        return texts.RATED_TOO_FEW.format(battles=battles)
    points = (formats.signed(round(value)) for value in (row.rating, row.rating_lower, row.rating_upper))
    return texts.RATED.format(**dict(zip(("rating", "lower", "upper"), points, strict=True)), battles=battles)


def _fetch(entry: Entry) -> str:
    """Return how to get missing files."""
    card = entry.card
    if entry.files in PRESENT:
        return ""
    if _is_folder(card):
        return f"<p class='fetch'>{escape(texts.FILES_LOST.format(name=card.public_repo))}</p>"
    command = escape(texts.FETCH.format(name=card.id))
    label = escape(texts.COPY_LABEL.format(name=card.name))
    copy = f"<button type='button' class='tool' data-tool='copy' data-text='{command}' aria-label='{label}'>"
    return (
        f"<p class='fetch'>{escape(texts.FILE_STATES[entry.files])}</p>"
        f"<div class='command'><code>{command}</code>{copy}{escape(texts.COPY)}</button></div>"
    )


def _table(rows: Sequence[Row]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{words}</dd>' for name, words in rows)}</dl>"


def _listed(title: str, points: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(point)}</li>" for point in points)
    return f"<h4>{escape(title)}</h4><ul>{items}</ul>" if items else ""
