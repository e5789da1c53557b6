"""What a server is, found out by asking it: its software, whether it has the model, whether it does what it is asked.

Boundary: asks through a `Client`; keeps nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.engines.protocol import EngineFacts, Job
from playground.engines.remote.answer import Answer
from playground.engines.remote.client import Client
from playground.engines.remote.trouble import Effect, Trouble, inexact, lost
from playground.records import ModelCard, SamplingParams

LAST_VLLM: Mapping[str, tuple[int, ...]] = {"MPTForCausalLM": (0, 28), "MptForCausalLM": (0, 28)}
"""Architectures that vLLM no longer serves, with the last version that did, by its own account."""
NAMES: Mapping[str, str] = {"vllm": "vLLM", "sglang": "SGLang", "llamacpp": "llama.cpp"}
PROBE_IDS = (1,)
PROBE_TOKENS = 8
PROBE_SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Identity:
    """A server that may write answers for a card."""

    software: str
    version: str
    context_length: int | None  # in tokens, where it says so

    def facts(self, card: ModelCard) -> EngineFacts:
        """What a generation records; dtype and revision are the card's, a server tells neither."""
        words = " ".join(part for part in (self.software, self.version) if part)
        versions = {"server": self.software} | ({"version": self.version} if self.version else {})
        return EngineFacts("remote", f"remote: {words}", card.dtype, card.revision, versions)


def served_name(card: ModelCard) -> str:
    """The name by which servers know the card's model."""
    return card.served_name or card.repo


async def identify(client: Client, card: ModelCard) -> Identity:
    """Ask a server everything.

    Raises:
        Trouble: it does not answer, does not have the model, or cannot be fed exactly.
    """
    models, version = _models(await client.models()), _plain(await client.version())
    row = models.get(served_name(card))
    owner = _plain(str((row or next(iter(models.values()), {})).get("owned_by", "")))
    software = NAMES.get(owner.lower(), owner) or "unnamed server"
    if row is None:
        raise _absent(card, software, version, sorted(models))
    try:
        await _check_exact(client)
    except Trouble as trouble:
        if trouble.effect is Effect.REQUEST:
            words = "does not take what exact answers need: token ids, top_k, a seed, stop ids; use one that does"
            raise inexact(words, trouble.detail) from trouble
        raise
    length = row.get("max_model_len")
    return Identity(software, version, length if isinstance(length, int) else None)


def _models(document: Any) -> dict[str, Mapping[str, Any]]:
    try:
        return {str(row["id"]): dict(row) for row in document["data"]}
    except (KeyError, TypeError, ValueError) as problem:
        raise lost("does not say which models it has", repr(document)) from problem


def _absent(card: ModelCard, software: str, version: str, names: list[str]) -> Trouble:
    detail = f"it has {', '.join(names) or 'no model'}; the card asks for {served_name(card)!r}"
    last = LAST_VLLM.get(card.architecture)
    if last is not None and software == "vLLM" and _numbers(version) > last:
        number = ".".join(map(str, last))
        return lost(
            f"is vLLM {version} and does not have {card.name}: it served {card.architecture} until {number}; "
            "use such a server, or the local engine",
            detail,
        )
    return lost(f"does not have {card.name} under its card's name; check 'served_name' in the card", detail)


async def _check_exact(client: Client) -> None:
    """See that ids come back, and that the sampling parameters count: the one likeliest token at any temperature.

    Two tokens can be equally likely, so one difference proves nothing.
    """
    greedy = await _probe(client, SamplingParams(max_new_tokens=PROBE_TOKENS), 0)
    hot = SamplingParams(max_new_tokens=PROBE_TOKENS, do_sample=True, temperature=2.0, top_k=1)
    for seed in PROBE_SEEDS:
        if await _probe(client, hot, seed) == greedy:
            return
    raise inexact("pays no heed to top_k; exact answers need one that does, such as vLLM")


async def _probe(client: Client, params: SamplingParams, seed: int) -> list[int]:
    job = Job("probe", PROBE_IDS, params, seed, (), 0.0)
    pieces = client.write(job, Answer(job, PROBE_TOKENS))
    return [token_id async for piece in pieces for token_id in piece]


def _plain(text: str) -> str:
    """A short name or version that may be shown; empty when it is anything else, such as an address."""
    return text if re.fullmatch(r"[\w.+-]{1,40}", text, re.ASCII) else ""


def _numbers(version: str) -> tuple[int, ...]:
    """(0, 32) of "0.32.0rc1"."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
