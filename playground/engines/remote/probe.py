"""Probe a server: its software, whether it has the model, and whether it does exactly what it is asked.

Boundary: asks through a `Client`; keeps nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.engines.protocol import EngineFacts, Job
from playground.engines.remote.client import Client
from playground.engines.remote.errors import Effect, ServerError, lost
from playground.engines.remote.stream_events import Completion
from playground.records import ModelCard, SamplingParams

LAST_VLLM: Mapping[str, tuple[int, ...]] = {"MPTForCausalLM": (0, 28), "MptForCausalLM": (0, 28)}
"""Architectures that vLLM no longer serves -> the last version that did, according to its own error message."""
NAMES: Mapping[str, str] = {"vllm": "vLLM", "sglang": "SGLang", "llamacpp": "llama.cpp"}
PROBE_IDS = (1,)
PROBE_TOKENS = 8
PROBE_SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Software and context of a server that may write answers for a card."""

    software: str = "unnamed server"
    version: str = ""
    context_length: int | None = None  # in tokens, if the server says so

    def facts(self, card: ModelCard) -> EngineFacts:
        """Return the provenance that generations record; dtype and revision are the card's, no server tells them."""
        name = " ".join(part for part in (self.software, self.version) if part)
        versions = {"server": self.software} | ({"version": self.version} if self.version else {})
        return EngineFacts("remote", f"remote: {name}", card.dtype, card.revision, versions)


def served_name(card: ModelCard) -> str:
    """Return the name of the card's model on its servers."""
    return card.served_name or card.repo


async def probe(client: Client, card: ModelCard) -> ServerInfo:
    """Check that a server can write exact answers for the card.

    Raises:
        ServerError: it does not answer, does not have the model, or does not follow the request exactly.
    """
    models, version = _models(await client.models()), _plain(await client.version())
    entry = models.get(served_name(card))
    owner = _plain(str((entry or next(iter(models.values()), {})).get("owned_by", "")))
    software = NAMES.get(owner.lower(), owner) or "unnamed server"
    if entry is None:
        raise _missing_model(card, software, version, sorted(models))
    try:
        await _check_exact(client)
    except ServerError as error:
        if error.effect is Effect.REQUEST:
            message = "does not take what exact answers need: token ids, top_k, a seed, stop ids; use one that does"
            raise lost(message, error.detail, inexact=True) from error
        raise
    length = entry.get("max_model_len")
    return ServerInfo(software, version, length if isinstance(length, int) else None)


def _models(document: Any) -> dict[str, Mapping[str, Any]]:
    try:
        return {str(entry["id"]): dict(entry) for entry in document["data"]}
    except (KeyError, TypeError, ValueError) as error:
        raise lost("does not list its models", repr(document)) from error


def _missing_model(card: ModelCard, software: str, version: str, names: list[str]) -> ServerError:
    detail = f"it has {', '.join(names) or 'no model'}; the card asks for {served_name(card)!r}"
    last = LAST_VLLM.get(card.architecture)
    if last is not None and software == "vLLM" and _numbers(version) > last:
        return lost(
            f"is vLLM {version} and does not have {card.name}: vLLM served {card.architecture} until "
            f"{'.'.join(map(str, last))}; use such a server, or the local engine",
            detail,
        )
    return lost(f"does not have {card.name} under its card's name; check 'served_name' in the card", detail)


async def _check_exact(client: Client) -> None:
    """Check that ids come back and that sampling parameters count: top_k=1 must be greedy at any temperature.

    Two tokens can be equally likely, so that one difference proves nothing.
    """
    greedy = await _write(client, SamplingParams(max_new_tokens=PROBE_TOKENS), 0)
    hot = SamplingParams(max_new_tokens=PROBE_TOKENS, do_sample=True, temperature=2.0, top_k=1)
    for seed in PROBE_SEEDS:
        if await _write(client, hot, seed) == greedy:
            return
    raise lost("ignores top_k; exact answers need one that does not, such as vLLM", inexact=True)


async def _write(client: Client, params: SamplingParams, seed: int) -> list[int]:
    job = Job("probe", PROBE_IDS, params, seed, (), 0.0)
    pieces = client.write(job, Completion(job, PROBE_TOKENS))
    return [token_id async for piece in pieces for token_id in piece]


def _plain(text: str) -> str:
    """Return a short name or version that may be shown; empty for anything else, such as an address."""
    return text if re.fullmatch(r"[\w.+-]{1,40}", text, re.ASCII) else ""


def _numbers(version: str) -> tuple[int, ...]:
    """Return major and minor version: (0, 32) of "0.32.0rc1"."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
