"""Make the card and the template of a checkpoint from its own files, for models without a card file.

Boundary: reads small files and the header of weights, never the weights; knows no other card.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

from playground.catalog.license_files import license_of
from playground.catalog.weights import weights_size
from playground.errors import InvalidCard, InvalidTemplate, InvalidValue, PlaygroundError, TokenizerError, Unknown
from playground.hub import snapshot_folder
from playground.prompting.chat_template import own_words, read_source, takes_system
from playground.prompting.self_names import introduced_names
from playground.prompting.special_tokens import Markers, read_markers, read_object
from playground.prompting.templates import CHAT, CHAT_ID, SYSTEM
from playground.prompting.tokenization import ChatTokenizer, load_chat_tokenizer
from playground.records import MOST_NEW_TOKENS, Dtype, ModelCard, PromptTemplate, SamplingParams, Segment, Variables

CONFIG_FILE = "config.json"
GENERATION_FILE = "generation_config.json"
TOKENIZER_FILES = ("tokenizer.model", "tokenizer.json")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
HUB_NAME = re.compile(rf"(?P<repo>{HUB_ID.pattern})(@(?P<revision>(?!.*\.\.)\w[\w./-]*))?", re.ASCII)
LAYER_KEYS = ("num_hidden_layers", "n_layers", "n_layer")
HIDDEN_KEYS = ("hidden_size", "d_model", "n_embd")
HEAD_KEYS = ("num_attention_heads", "n_heads", "n_head")
CONTEXT_KEYS = ("max_position_embeddings", "max_seq_len", "max_sequence_length", "n_positions", "n_ctx", "seq_length")
LENGTHS = {"max_new_tokens", "min_new_tokens"}
"""Sampling parameters that are not taken from a checkpoint's files as they are."""
FEWEST_NEW_TOKENS, MOST_UNASKED = 256, 4096
"""The range of `max_new_tokens` where the model's files name none."""
ANYWHERE = ("./", "../", "~", "/")


def folder_named(name: str) -> Path | None:
    """Return the absolute folder that `name` is; None if it does not look like a path and is not a checkpoint."""
    folder = Path(os.path.abspath(os.path.expanduser(name)))  # does not follow links, to keep the given name
    if name in (".", "..") or name.startswith(ANYWHERE) or (folder / CONFIG_FILE).is_file():
        return folder
    return None


def card_named(name: str, template_id: str = CHAT_ID) -> ModelCard | None:
    """Return the card of a folder or a hub id (``org/name``, ``org/name@revision``); None if `name` is neither.

    Args:
        template_id: of the card; another one than `chat` does not need the checkpoint to have a chat template.

    Raises:
        Unknown: a hub id whose files are not on this machine.
        InvalidCard: the checkpoint cannot be run without a card file.
    """
    folder = folder_named(name)
    if folder is not None:
        return card_of(folder, name, template_id)
    hub = HUB_NAME.fullmatch(name)
    if hub is None:
        return None
    snapshot = snapshot_folder(hub["repo"], hub["revision"] or "main")
    if snapshot is None:
        raise Unknown(f"{name} is not on this machine; fetch it first: python -m playground fetch {name}")
    return card_of(snapshot, name, template_id)


def card_of(folder: Path, given_name: str, template_id: str = CHAT_ID) -> ModelCard:
    """Return the card of a checkpoint: `template_id`, everything else from its files.

    Args:
        given_name: a hub id, which becomes the card's id and repo; otherwise the card is about `folder`.

    Raises:
        InvalidCard: a file is missing or cannot be used; the message names it and the next step.
    """
    try:
        return _card(folder, given_name, template_id)
    except InvalidCard:
        raise
    except PlaygroundError as problem:
        raise InvalidCard(f"{given_name}: {problem}") from problem


def _card(folder: Path, given_name: str, template_id: str) -> ModelCard:
    config = read_object(folder / CONFIG_FILE)
    _check_files(folder, given_name)
    if template_id == CHAT_ID:
        _check_chat(folder, given_name)
    hub = HUB_NAME.fullmatch(given_name) if folder_named(given_name) is None else None
    context_length = _context_length(config, given_name)
    num_parameters, size_bytes = weights_size(folder)
    return ModelCard(
        id=given_name if hub else _id(folder),
        name=given_name if hub else folder.name,
        repo=hub["repo"] if hub else str(folder),
        revision=_commit(folder, hub["revision"]) if hub else "local",
        license=license_of(folder),
        architecture=_architecture(config, given_name),
        num_parameters=num_parameters,
        size_bytes=size_bytes,
        context_length=context_length,
        dtype=_dtype(config),
        template=template_id,
        sampling=_sampling(read_object(folder / GENERATION_FILE), context_length, given_name),
        sampling_source="card",
        kv_bytes_per_token=kv_bytes_per_token(folder),
        description="Read from the checkpoint's own files.",
        self_names=self_names(folder),
    )


def _check_files(folder: Path, given_name: str) -> None:
    if not folder.is_dir():
        raise InvalidCard(f"{given_name}: there is no such folder; correct the path")
    if not (folder / CONFIG_FILE).is_file():
        raise InvalidCard(f"{given_name}: it has no {CONFIG_FILE}; name the folder of a checkpoint")
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise InvalidCard(f"{given_name}: it has no tokenizer; it has to hold {' or '.join(TOKENIZER_FILES)}")


def _check_chat(folder: Path, given_name: str) -> None:
    source = read_source(folder)
    if not source:
        raise InvalidCard(
            f"{given_name}: it has no chat template, so its prompt format is unknown; write a card that names "
            "a template (playground/catalog/cards/README.md), or try one: prompt and check take --template"
        )
    takes_system(source, read_markers(folder).names)  # refuses an unusable template before any prompt


def _id(folder: Path) -> str:
    """Return the folder's name with only the characters of a card's id."""
    name = re.sub(r"[^a-z0-9._-]+", "-", folder.name.lower()).strip("._-")
    if not name:
        raise InvalidCard(f"{folder.name!r} makes no model id; give the folder a name of letters and digits")
    return name


def _commit(folder: Path, revision: str | None) -> str:
    return folder.name if re.fullmatch("[0-9a-f]{40}", folder.name) else revision or "main"


def _architecture(config: Mapping[str, Any], given_name: str) -> str:
    named = config.get("architectures")
    if not isinstance(named, list) or not named or not isinstance(named[0], str):
        raise InvalidCard(f"{given_name}: {CONFIG_FILE} names no architecture; write a card that does")
    return named[0]


def _context_length(config: Mapping[str, Any], given_name: str) -> int:
    for part in (config, config.get("text_config")):
        found = [part.get(key) for key in CONTEXT_KEYS] if isinstance(part, dict) else []
        for value in found:
            if isinstance(value, int) and not isinstance(value, bool) and value >= 2:
                return value
    raise InvalidCard(
        f"{given_name}: {CONFIG_FILE} does not give the context length ({', '.join(CONTEXT_KEYS)}); write a card"
    )


def _dtype(config: Mapping[str, Any]) -> Dtype:
    said = str(config.get("dtype") or config.get("torch_dtype") or "").removeprefix("torch.")
    return next((dtype for dtype in get_args(Dtype) if dtype == said), "float32")


def _sampling(config: Mapping[str, Any], context_length: int, given_name: str) -> SamplingParams:
    """Return the repository's own defaults; keys without an equivalent here, and nulls, are left out."""
    names = {f.name for f in fields(SamplingParams)} - LENGTHS
    said = {name: value for name, value in config.items() if name in names and value is not None}
    if said.get("temperature") == 0:  # means greedy in some files
        del said["temperature"]
        said["do_sample"] = False
    try:
        return SamplingParams(max_new_tokens=_new_tokens(config, context_length)).changed(_used(said))
    except InvalidValue as problem:
        raise InvalidCard(f"{given_name}: {GENERATION_FILE}: {problem}; correct it, or write a card") from problem


def _new_tokens(config: Mapping[str, Any], context_length: int) -> int:
    """Return the repository's own `max_new_tokens`, else an eighth of the context; at most half of the context."""
    said = config.get("max_new_tokens")
    if type(said) is not int or said < 1:
        said = min(max(context_length // 8, FEWEST_NEW_TOKENS), MOST_UNASKED)
    return max(1, min(said, context_length // 2, MOST_NEW_TOKENS))


def _used(said: Mapping[str, Any]) -> dict[str, Any]:
    """Add transformers' default: `top_k` is 50 if sampling is on."""
    return ({"top_k": 50} if said.get("do_sample") is True else {}) | dict(said)


def self_names(folder: Path) -> tuple[str, ...]:
    """Return the names of model and maker in the chat template's own text: "You are Qwen, created by …".

    Empty without a template, or with one that cannot be used: using it raises the error.
    """
    try:
        source = read_source(folder)
        return introduced_names(own_words(source, read_markers(folder).names)) if source else ()
    except (InvalidTemplate, TokenizerError):
        return ()


# The format


def read_chat(folder: Path, switches: Variables = ()) -> tuple[PromptTemplate, ChatTokenizer]:
    """Return the folder's own chat template and its tokenizer.

    Stop ids are all ends in the files; ids without text are those that ``skip_special_tokens=True`` leaves out.

    Args:
        switches: variables that the template gets besides the special tokens, such as ``enable_thinking``.

    Raises:
        InvalidTemplate: there is no chat template, or it cannot be used.
        TokenizerError: the tokenizer or a file beside it cannot be read.
    """
    source, markers = read_source(folder), read_markers(folder)
    tokenizer = load_chat_tokenizer(folder, markers, source)
    if not source:
        raise InvalidTemplate(f"{folder.name} has no chat template; name another template")
    template = replace(
        CHAT,
        stop_ids=tuple(dict.fromkeys(_ends(folder, markers, tokenizer))),
        drop_ids=tokenizer.special_ids,
        hash=hashlib.sha256((source + (json.dumps(switches) if switches else "")).encode()).hexdigest(),
        chat=source,
        chat_names=(*markers.names, *switches),
    )
    return (template if takes_system(source, template.chat_names) else _without_system(template)), tokenizer


def _without_system(template: PromptTemplate) -> PromptTemplate:
    def others(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
        return tuple(segment for segment in segments if segment != SYSTEM)

    return replace(template, without_input=others(template.without_input), with_input=others(template.with_input))


def _ends(folder: Path, markers: Markers, tokenizer: ChatTokenizer) -> Iterator[int]:
    """Yield the ids that end an answer, from three files."""
    for name in (GENERATION_FILE, CONFIG_FILE):
        ids = read_object(folder / name).get("eos_token_id")
        for token_id in ids if isinstance(ids, list) else [ids]:
            if isinstance(token_id, int) and 0 <= token_id < tokenizer.vocab_size:
                yield token_id
    token_id = tokenizer.id_of(markers.named("eos_token"))
    if token_id is not None:
        yield token_id


# Sizes


def kv_bytes_per_token(folder: Path) -> int:
    """Return the bytes of the keys and values of one token in 16-bit numbers, from config.json; 0 if unknown."""
    if not (folder / CONFIG_FILE).is_file():
        return 0
    config = read_object(folder / CONFIG_FILE)
    layers, hidden, heads = (_number(config, names) for names in (LAYER_KEYS, HIDDEN_KEYS, HEAD_KEYS))
    if not (layers and hidden and heads):
        return 0
    width = _number(config, ("head_dim",)) or hidden // heads
    return 2 * 2 * layers * width * (_number(config, ("num_key_value_heads",)) or heads)


def _number(config: Mapping[str, Any], names: Sequence[str]) -> int:
    """Return the first whole number above 0; llm-foundry, GPT-2 and Llama name it differently."""
    return next((config[name] for name in names if type(config.get(name)) is int and config[name] > 0), 0)
