"""Check that a server answers in the way that a card's `feed` asks for, and find out which other way would work.

Boundary: asks through a `Client`; keeps nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from playground.engines.protocol import Job
from playground.engines.remote.client import Client
from playground.engines.remote.errors import ServerError, lost
from playground.engines.remote.feeds import ROUTES
from playground.records import Feed, ModelCard, SamplingParams

PROBE_IDS = (1,)
PROBE_TOKENS = 8
PROBE_SEEDS = (0, 1, 2)
PROBE_TEXT = "Hi"
LACKS: Mapping[Feed, str] = {
    "ids": "does not take what exact answers need: token ids, top_k, a seed, stop ids",
    "text": "takes no text at /v1/completions",
    "messages": "takes no messages at /v1/chat/completions, or its model has no chat template",
}
NOT_EXACT = "; its answers are then marked as not exact"
OLLAMA = "Ollama"


async def check_feed(client: Client, card: ModelCard, software: str) -> None:
    """Write a short answer in the way that the card asks for.

    Raises:
        ServerError: the server cannot; the message names a `feed` that works, if there is one. Or it fails at all.
    """
    if software == OLLAMA and card.feed == "text":
        raise lost("is Ollama, which puts every text into its own template" + _advice("messages"))
    try:
        await _check(client, card)
    except ServerError as error:
        if not (error.is_refusal or error.inexact):
            raise
        found = await _working(client, card, software)
        if found is None and error.status >= 500:  # it fails at everything: that says nothing about the feed
            raise
        words = str(error).removeprefix("the model's server ") if error.inexact else LACKS[card.feed]
        advice = _advice(found) if found else "; use one that does" if card.feed == "ids" and not error.inexact else ""
        raise lost(words + advice, error.detail, inexact=True, said=error.said) from error


def _advice(feed: Feed) -> str:
    return f'; write feed = "{feed}" in its card' + ("" if ROUTES[feed].is_exact else NOT_EXACT)


async def _working(client: Client, card: ModelCard, software: str) -> Feed | None:
    """Return the most exact other `feed` that works; None if there is none."""
    for feed in ROUTES:
        if feed == card.feed or (software == OLLAMA and feed != "messages"):
            continue
        try:
            await _check(client, replace(card, feed=feed))
        except ServerError:
            continue
        return feed
    return None


async def _check(client: Client, card: ModelCard) -> None:
    if card.feed == "ids":
        await _check_exact(client, card)
        return
    text = json.dumps([{"role": "user", "content": PROBE_TEXT}]) if card.feed == "messages" else PROBE_TEXT
    await _write(client, card, SamplingParams(max_new_tokens=1), 0, text)


async def _check_exact(client: Client, card: ModelCard) -> None:
    """Check that ids come back and that sampling parameters count: top_k=1 must be greedy at any temperature.

    Two tokens can be equally likely, so that one difference proves nothing.
    """
    greedy = await _write(client, card, SamplingParams(max_new_tokens=PROBE_TOKENS), 0)
    hot = SamplingParams(max_new_tokens=PROBE_TOKENS, do_sample=True, temperature=2.0, top_k=1)
    for seed in PROBE_SEEDS:
        if await _write(client, card, hot, seed) == greedy:
            return
    raise lost("ignores top_k; exact answers need one that does not, such as vLLM", inexact=True)


async def _write(client: Client, card: ModelCard, params: SamplingParams, seed: int, text: str = "") -> list[object]:
    job = Job("probe", () if text else PROBE_IDS, params, seed, (), 0.0, text)
    answer = ROUTES[card.feed].answer(job, params.max_new_tokens)
    pieces = client.write(job, card, answer, params.max_new_tokens)
    return [part for piece in [piece async for piece in pieces] for part in (piece if isinstance(piece, tuple) else ())]
