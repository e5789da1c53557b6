"""Models, prompts and the leaderboard as values to print, send or show, the same for API and command line.

Boundary: reads the store, the catalog and statuses; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from playground.catalog.catalog import Catalog
from playground.catalog.model_folders import files_state, tokenizer_words, without_folders
from playground.exchange.licenses import COMMERCIAL_LICENSES
from playground.messages import Message, joined
from playground.prompting.prompt import ignores_system
from playground.ratings.analyses import READY, Analyses, NoAnalyses, analyse, newest_rows
from playground.ratings.board import LeaderboardOptions
from playground.ratings.board_filter import on_rows, with_guests
from playground.ratings.chosen import Chosen
from playground.ratings.claims import ClaimReplay
from playground.ratings.leaderboard import NO_FILTER, Leaderboard, rate
from playground.ratings.pairs import IntArray
from playground.ratings.phrases import number_of
from playground.ratings.repeats import RaterAgreement, rater_agreement
from playground.ratings.stored import read_days, read_filtered, read_keys, read_shared
from playground.ratings.stored_styles import StoredStyles
from playground.records import Instruction, ModelCard, ModelStatus, VoteFilter
from playground.storage.database.filters import conditions
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store


def model_rows(cards: Iterable[ModelCard], statuses: Iterable[ModelStatus] = ()) -> list[dict[str, Any]]:
    """Return one document per card, in order; the state of a card without a status is ``off``."""
    known = {status.model_id: status for status in statuses}
    return [_row(card, known.get(card.id, ModelStatus(card.id, "off"))) for card in cards]


def public_statuses(statuses: Sequence[ModelStatus]) -> list[ModelStatus]:
    """Return the statuses without the states of models that take turns: they tell which models a blind battle asked."""
    if not any(status.takes_turns for status in statuses):
        return list(statuses)
    return [
        status
        if status.state == "failed"
        else ModelStatus(status.model_id, "in turns", placement=status.placement, takes_turns=status.takes_turns)
        for status in statuses
    ]


def _row(card: ModelCard, status: ModelStatus) -> dict[str, Any]:
    return {
        "id": card.id,
        "name": card.name,
        "license": card.license,
        "state": status.state,
        "detail": without_folders(status.detail, card),
        "device": status.device,
        "placement": without_folders(status.placement, card),
        "architecture": card.architecture,
        "num_parameters": card.num_parameters,
        "size_bytes": card.size_bytes,
        "context_length": card.context_length,
        "dtype": card.dtype,
        "template": card.template,
        "tokenizer": tokenizer_words(card),
        "feed": card.feed,
        "sampling": asdict(card.sampling),
        "sampling_source": card.sampling_source,
        "stands_in_for": card.stands_in_for,
        "untested": card.untested,
        "repo": card.public_repo,
        "revision": card.revision,
        "files": files_state(card),
        "description": card.description,
        "limitations": list(card.limitations),
        "notes": list(card.notes),
        "metrics": dict(card.metrics),
        "links": dict(card.links),
        "citation": card.citation,
    }


def current_leaderboard(
    store: Store,
    catalog: Catalog,
    models: Sequence[str],
    starters: Mapping[str, Sequence[Instruction]],
    now: str,
    filter: VoteFilter = NO_FILTER,
    options: LeaderboardOptions = LeaderboardOptions(),  # noqa: B008  # frozen
    replay: ClaimReplay = ClaimReplay(),  # noqa: B008  # frozen
) -> Leaderboard:
    """Return the ratings from all votes that are final `now`: the effect of one that can be undone would tell models.

    Args:
        models: ids of the line-up, which are named if they have no vote yet.
        filter: of the votes that are rated; the policy of `options` has to allow for it (`board_filter.narrowed`).
        replay: of the looks that make the claims of the default board.

    Raises:
        InvalidValue: a category that neither the starters nor the votes have.
    """
    with store.reading() as reading:
        chosen = chosen_votes(reading, catalog, models, starters, now, filter, options, replay)
    return rate(chosen, filter.category, filter)


def current_analyses(
    store: Store,
    catalog: Catalog,
    models: Sequence[str],
    starters: Mapping[str, Sequence[Instruction]],
    now: str,
    filter: VoteFilter = NO_FILTER,
    options: LeaderboardOptions = LeaderboardOptions(),  # noqa: B008  # frozen
    styles: StoredStyles | None = None,
) -> Analyses:
    """Return the analyses of the board that `current_leaderboard` returns; they may take seconds.

    Args:
        styles: of answers, as far as they were counted before.

    Raises:
        InvalidValue: a category that neither the starters nor the votes have.
    """
    with store.reading() as reading:
        chosen = chosen_votes(reading, catalog, models, starters, now, filter, options)
        board, keys = chosen.board(), read_keys(reading, now)
        is_rated = board.counted.rows & (chosen.votes.weight > 0)
        rated = keys[is_rated]
        days = read_days(reading, rated)
        found = (styles or StoredStyles()).of_rows(reading, rated[newest_rows(board.table)].tolist())
        shared = read_shared(reading, keys)

    def battles_of(table_rows: IntArray) -> Sequence[str]:
        with store.reading() as reading:
            return reading.battles_of_rows(rated[table_rows].tolist())

    agreement = rater_agreement(chosen, board, shared, with_guests(chosen.options.policy, filter))
    return analyse(chosen, board, found, battles_of, agreement, days)


def current_agreement(
    store: Store,
    catalog: Catalog,
    starters: Mapping[str, Sequence[Instruction]],
    now: str,
    filter: VoteFilter = NO_FILTER,
    options: LeaderboardOptions = LeaderboardOptions(),  # noqa: B008  # frozen
) -> RaterAgreement:
    """Return the agreement of the raters of a board, as `current_analyses` has it, without the others.

    Raises:
        InvalidValue: a category that neither the starters nor the votes have.
    """
    with store.reading() as reading:
        chosen = chosen_votes(reading, catalog, (), starters, now, filter, options)
        shared = read_shared(reading, read_keys(reading, now))
    return rater_agreement(chosen, chosen.board(), shared, with_guests(chosen.options.policy, filter))


def chosen_votes(
    reading: Reading,
    catalog: Catalog,
    models: Sequence[str],
    starters: Mapping[str, Sequence[Instruction]],
    now: str,
    filter: VoteFilter,
    options: LeaderboardOptions,
    replay: ClaimReplay = ClaimReplay(),  # noqa: B008  # frozen
) -> Chosen:
    """Return the votes of a board that are final `now`, and how they are counted.

    Raises:
        InvalidValue: a category that neither the starters nor the votes have.
    """
    where = conditions(on_rows(filter), pairs=True, commercial=COMMERCIAL_LICENSES)
    votes, rows = read_filtered(reading, options.policy, now, where)
    return Chosen.of(
        votes,
        catalog.cards,
        category=filter.category,
        options=options,
        models=models,
        categories=starters,
        rows=rows,
        replay=replay,
    )


def board_document(board: Leaderboard, analyses: Analyses | NoAnalyses) -> dict[str, Any]:
    """Return a board with its analyses as JSON values.

    They are None with the state ``coming`` until they are ready, or ``failed`` and the reason.
    """
    if isinstance(analyses, NoAnalyses):
        missing = {"analyses": None, "analyses_state": analyses.state, "analyses_why_none": analyses.why or None}
        return {**board.as_document(), **missing}
    made = {"analyses": analyses.as_document(), "analyses_state": READY, "analyses_why_none": None}
    return {**board.as_document(), **made}


def prompt_document(catalog: Catalog, model_id: str, instruction: Instruction, template_id: str = "") -> dict[str, Any]:
    """Return the prompt of a model, as ``python -m playground prompt`` prints it; with `notes` if text was left out."""
    prompt = catalog.prompt(model_id, instruction, template_id)
    card = catalog.card(model_id)
    document = {
        "model": card.id,
        "template": prompt.template_id,
        "text": prompt.text,
        "token_ids": list(prompt.token_ids),
        "num_tokens": prompt.num_tokens,
    }
    if ignores_system(catalog.template_of(card, template_id), instruction):
        document["notes"] = [f"the system text is left out: the template {prompt.template_id} has no place for it"]
    return document


def sources_line(cards: Sequence[ModelCard], statuses: Sequence[ModelStatus], saved: bool = True) -> str:
    """Return a line such as "pocket models · this CPU · votes saved"."""
    state = Message("votes saved") if saved else Message("read only")
    if not cards:
        return joined(" · ", [Message("no models"), state])
    pocket = all(card.stands_in_for for card in cards)
    who = Message("pocket models") if pocket else number_of("model", len(cards))
    devices = sorted({status.device for status in statuses if status.device})
    where = [Message("this CPU") if device == "cpu" else device for device in devices]
    loading = [status for status in statuses if status.state in ("queued", "loading")]
    failed = [status for status in statuses if status.state == "failed"]
    parts: list[str] = [who, joined(", ", where)]
    if loading:
        ready = sum(status.state == "ready" for status in statuses)
        parts.append(Message("{ready} of {models} loaded", ready=ready, models=len(statuses)))
    if failed:
        which = failed[0].model_id if len(failed) == 1 else len(failed)
        parts.append(Message("{models} failed to load", models=which))
    return joined(" · ", [*parts, state])
