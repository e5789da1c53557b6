"""Read a model card from its file.

Boundary: one file and the header of the weights beside it; knows no other card and no template. The keys of a card
are described in playground/catalog/cards/README.md.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from playground.catalog.checkpoint_files import HUB_ID, kv_bytes_per_token, weights_size
from playground.documents import check_id, load_toml, read_values
from playground.errors import InvalidCard, InvalidValue
from playground.records import ModelCard

SERVER = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?")


def read_card(path: Path) -> ModelCard:
    """Return the card of a file; a repo that begins with ``.`` or ``/`` is a folder, relative to the file.

    Raises:
        InvalidCard: an unknown key, a missing field, a wrong type or value, naming file and key.
    """
    values, _ = load_toml(path, InvalidCard)
    card = read_values(ModelCard, values, str(path), InvalidCard)
    check_id(card.id, path, InvalidCard)
    try:
        _check_offload(card)
        _check_servers(card)
        return _measured(replace(card, repo=_repo(card.repo, path.parent)))
    except InvalidValue as problem:
        raise InvalidCard(f"{path}: {problem}") from problem


def _repo(repo: str, folder: Path) -> str:
    if repo.startswith(("./", "../")) or Path(repo).is_absolute():
        return str((folder / repo).resolve())
    if not HUB_ID.fullmatch(repo):
        valid = "a hub id such as 'org/name', or a folder: ./…, ../… or absolute"
        raise InvalidValue(f"'repo' is {repo!r}; valid: {valid}")
    return repo


def _check_offload(card: ModelCard) -> None:
    """Refuse offloading by servers, which load their own weights, and of quantized weights: bitsandbytes cannot."""
    if card.offload and card.engine != "local":
        raise InvalidValue("'offload' is for models that run here; leave it out, or write engine = \"local\"")
    if card.offload and card.quantization:
        raise InvalidValue("'offload' and 'quantization' do not go together; leave one of them out")


def _check_servers(card: ModelCard) -> None:
    if card.engine == "remote" and not card.servers:
        raise InvalidValue("'servers' is missing; a remote card needs one or more, such as 'http://127.0.0.1:8000/v1'")
    if card.engine != "remote" and (card.servers or card.served_name):
        raise InvalidValue(
            "'servers' and 'served_name' are for remote cards; write engine = \"remote\", or leave them out"
        )
    for url in card.servers:
        if not SERVER.fullmatch(url):
            raise InvalidValue(f"'servers' holds {url!r}; valid: 'http://host:port/v1', without a password or a query")


def _measured(card: ModelCard) -> ModelCard:
    """Fill in the sizes that the file leaves out from the files of a local folder."""
    if not Path(card.repo).is_absolute():  # a hub id, even if a folder of that name lies here
        return card
    num_parameters, size_bytes = weights_size(Path(card.repo))
    return replace(
        card,
        num_parameters=card.num_parameters or num_parameters,
        size_bytes=card.size_bytes or size_bytes,
        kv_bytes_per_token=card.kv_bytes_per_token or kv_bytes_per_token(Path(card.repo)),
    )
