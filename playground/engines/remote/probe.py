"""Probe a server: its software, whether it has the model, and whether it does exactly what it is asked.

Boundary: asks through a `Client`; keeps nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.engines.protocol import EngineFacts
from playground.engines.remote.client import Client
from playground.engines.remote.errors import ServerError, lost
from playground.engines.remote.feed_check import check_feed
from playground.engines.remote.feeds import ROUTES
from playground.records import ModelCard

LAST_VLLM: Mapping[str, tuple[int, ...]] = {"MPTForCausalLM": (0, 28), "MptForCausalLM": (0, 28)}
"""Architectures that vLLM no longer serves -> the last version that did, according to its own error message."""
NAMES: Mapping[str, str] = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "llamacpp": "llama.cpp",
    "organization_owner": "LM Studio",
}
"""The owner that a server's list gives its models -> the server."""


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
        exact = ROUTES[card.feed].is_exact
        versions |= {} if exact else {"feed": card.feed}
        return EngineFacts("remote", f"remote: {name}", card.dtype, card.revision, versions, faithful=exact)


def served_name(card: ModelCard) -> str:
    """Return the name of the card's model on its servers."""
    return card.served_name or card.repo


async def probe(client: Client, card: ModelCard) -> ServerInfo:
    """Check that a server can write answers for the card, as exactly as its `feed` asks for.

    Raises:
        ServerError: it does not answer, does not have the model, or does not follow the request exactly; if another
            `feed` would work, the message names it.
    """
    models, version = _models(await client.models()), _plain(await client.version())
    ollama = "" if version else _plain(await client.ollama_version())
    entry = _entry(models, served_name(card), lenient=bool(ollama) or card.feed != "ids")
    software = "Ollama" if ollama else _software(entry or next(iter(models.values()), {}), card)
    if entry is None:
        raise _missing_model(card, software, version, sorted(models))
    await check_feed(client, card, software)
    length = entry.get("max_model_len")
    return ServerInfo(software, version or ollama, length if isinstance(length, int) else None)


def _entry(models: Mapping[str, Mapping[str, Any]], name: str, *, lenient: bool) -> Mapping[str, Any] | None:
    """Return the model in a server's list; None if it is not there.

    Args:
        lenient: also find what Ollama lists with a tag, and what a router lists without the provider that is asked for.
    """
    names = (name, f"{name}:latest", name.rpartition(":")[0]) if lenient else (name,)
    return next((models[known] for known in names if known in models), None)


def _software(entry: Mapping[str, Any], card: ModelCard) -> str:
    """Return the server's name for people; the owner of a model on a router is not software."""
    owner = _plain(str(entry.get("owned_by", "")))
    return NAMES.get(owner.lower(), owner if card.feed == "ids" else "") or "unnamed server"


def _models(document: Any) -> dict[str, Mapping[str, Any]]:
    try:
        return {str(entry["id"]): dict(entry) for entry in document["data"]}
    except (KeyError, TypeError, ValueError) as error:
        raise lost("does not list its models", said=json.dumps(document)) from error


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


def _plain(text: str) -> str:
    """Return a short name or version that may be shown; empty for anything else, such as an address."""
    return text if re.fullmatch(r"[\w.+-]{1,40}", text, re.ASCII) else ""


def _numbers(version: str) -> tuple[int, ...]:
    """Return major and minor version: (0, 32) of "0.32.0rc1"."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
