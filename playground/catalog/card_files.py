"""Read a model card from its file.

Boundary: one file and the header of the weights beside it; knows no other card and no template. The keys of a card
are described in playground/catalog/cards/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any

from playground.catalog.checkpoint_files import CONFIG_FILE, HUB_ID, card_of, kv_bytes_per_token
from playground.catalog.weights import weights_size
from playground.documents import check_id, load_toml, read_values
from playground.errors import InvalidCard, InvalidValue
from playground.hub import snapshot_folder
from playground.prompting.prompt import check_taken
from playground.prompting.templates import CHAT_ID, SERVER_ID
from playground.records import ModelCard, SamplingParams

SERVER = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?")
VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
NEEDED = tuple(key.name for key in fields(ModelCard) if key.default is MISSING and key.default_factory is MISSING)
"""Keys that every card has."""
ONLY_REMOTE = ("servers", "served_name", "feed", "server_params", "key_variable", "daily_tokens")
"""Keys that are about servers."""
NOT_SENT = ("do_sample", "renormalize_logits")
"""Parameters without a name on any server: the first is a temperature of 0, the second changes no drawn token."""


def read_card(path: Path) -> ModelCard:
    """Return the card of a file; a repo that begins with ``.`` or ``/`` is a folder, relative to the file.

    Keys that a short card leaves out are those of its checkpoint, if that is on this machine.

    Raises:
        InvalidCard: an unknown key, a missing field, a wrong type or value, naming file and key.
    """
    values, _ = load_toml(path, InvalidCard)
    if values.get("feed") == "messages":
        values = {"template": SERVER_ID} | values
    values = _completed(values, path)
    card = read_values(ModelCard, values, str(path), InvalidCard)
    check_id(card.id, path, InvalidCard)
    try:
        _check_offload(card)
        _check_servers(card)
        _check_feed(card)
        _check_switches(card)
        return _measured(replace(card, repo=_repo(card.repo, path.parent)))
    except InvalidValue as problem:
        raise InvalidCard(f"{path}: {problem}") from problem


def _completed(values: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the values of a card with those of its checkpoint for needed keys that it leaves out."""
    missing = [key for key in NEEDED if key not in values]
    if not missing or values.get("engine", "local") != "local":
        return values
    folder, given_name = _checkpoint(values.get("repo"), values.get("revision"), path.parent)
    if folder is None or not (folder / CONFIG_FILE).is_file():
        return values
    template_id = values.get("template", CHAT_ID)
    if not isinstance(template_id, str):
        raise InvalidCard(f"{path}: 'template' is {template_id!r}; it has to be text")
    try:
        known = asdict(card_of(folder, given_name, template_id))
    except InvalidCard as problem:
        raise InvalidCard(
            f"{path}: {missing[0]!r} is left out, and cannot be read from the model: {problem}"
        ) from problem
    given = values.get("sampling")
    own = {"id": path.stem, "sampling_source": "card" if given is None else "ours"}
    sampling = {"sampling": {**known["sampling"], **given}} if isinstance(given, Mapping) else {}
    return {key: known[key] for key in NEEDED} | own | dict(values) | sampling


def _checkpoint(repo: object, revision: object, parent: Path) -> tuple[Path | None, str]:
    """Return the folder of a card's `repo`, if it is on this machine, and the name of the model in messages."""
    try:
        found = _repo(repo, parent) if isinstance(repo, str) else ""
    except InvalidValue:
        return None, ""
    if Path(found).is_absolute():
        return Path(found), found
    return (snapshot_folder(found, revision if isinstance(revision, str) else "main") if found else None), found


def _repo(repo: str, folder: Path) -> str:
    if "\0" not in repo and (repo.startswith(("./", "../")) or Path(repo).is_absolute()):
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
    if card.engine != "remote":
        _refuse_remote_keys(card)
    if card.key_variable and not VARIABLE.fullmatch(card.key_variable):
        raise InvalidValue(f"'key_variable' is {card.key_variable!r}; valid: the name of an environment variable")
    for url in card.servers:
        if not SERVER.fullmatch(url):
            raise InvalidValue(f"'servers' holds {url!r}; valid: 'http://host:port/v1', without a password or a query")


def _refuse_remote_keys(card: ModelCard) -> None:
    for key in fields(ModelCard):
        default = key.default if key.default_factory is MISSING else key.default_factory()
        if key.name in ONLY_REMOTE and getattr(card, key.name) != default:
            raise InvalidValue(f'{key.name!r} is for remote cards; write engine = "remote", or leave it out')


def _check_feed(card: ModelCard) -> None:
    """Refuse a template that does not go with the feed, and parameters that the servers are not known to take."""
    if (card.template == SERVER_ID) != (card.feed == "messages"):
        raise InvalidValue(
            f"'template' is {card.template!r} and 'feed' is {card.feed!r}; messages are put into the template of the "
            "server: leave 'template' out with feed = \"messages\", and name another one without it"
        )
    valid = [*(parameter.name for parameter in fields(SamplingParams) if parameter.name not in NOT_SENT), "seed"]
    for name in card.server_params:
        if card.feed == "ids":
            raise InvalidValue('\'server_params\' is for feed = "text" and feed = "messages"; leave it out')
        if name not in valid:
            raise InvalidValue(f"'server_params' names {name!r}; valid: {', '.join(valid)}")
    check_taken(card, card.sampling)


def _check_switches(card: ModelCard) -> None:
    if card.chat_template_kwargs and card.template != CHAT_ID and card.feed != "messages":
        raise InvalidValue(
            f"'chat_template_kwargs' are for a model's own chat template, and 'template' is {card.template!r}; "
            f'write template = "{CHAT_ID}", or leave them out'
        )


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
