"""Card files and template files -> the models that can be chosen, each with its template and tokenizer.

Boundary: reads small files and the header of weights, never the weights; knows no engine. A tokenizer is read when
it is first needed. The keys of a card are described in playground/cards/README.md.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from playground.errors import InvalidCard, InvalidValue, PromptTooLong, TokenizerError, Unknown
from playground.prompting import build_prompt, check_fits, check_tokenizer
from playground.records import Instruction, ModelCard, Prompt, PromptTemplate, SamplingParams
from playground.templates import ID, load_templates
from playground.tokenization import Tokenizer, load_tokenizer
from playground.tomlfile import Table, files, read_table

CARD_FOLDER = Path(__file__).parent / "cards"
TEMPLATE_FOLDER = Path(__file__).parent.parent / "prompts" / "templates"

REQUIRED = (
    "id",
    "name",
    "repo",
    "revision",
    "license",
    "architecture",
    "context_length",
    "dtype",
    "template",
    "sampling",
    "sampling_source",
)
OPTIONAL = (
    "num_parameters",
    "size_bytes",
    "description",
    "limitations",
    "stands_in_for",
    "engine",
    "metrics",
    "notes",
)
DTYPES = ("float32", "float16", "bfloat16")
ENGINES = ("local", "remote", "zerogpu")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
SAMPLING_KEYS = tuple(f.name for f in fields(SamplingParams))


def read_card(path: Path) -> ModelCard:
    """The card of a file; a repo that begins with ``.`` or ``/`` is a folder, relative to the file.

    Raises:
        InvalidCard: an unknown key, a missing field, a wrong type or value, naming file and key.
    """
    table, _ = read_table(path, InvalidCard)
    table.only(REQUIRED + OPTIONAL)
    table.need(*REQUIRED)
    if not ID.fullmatch(table.text("id")) or table.text("id") != path.stem:
        raise table.fail(f"'id' is {table.text('id')!r}; it has to be the file's name, {path.stem!r}")
    repo = _repo(table, path.parent)
    num_parameters, size_bytes = weights_size(Path(repo))
    return ModelCard(
        id=table.text("id"),
        name=_filled(table, "name"),
        repo=repo,
        revision=_filled(table, "revision"),
        license=_filled(table, "license"),
        architecture=_filled(table, "architecture"),
        num_parameters=table.integer("num_parameters", num_parameters, low=1) or 0,
        size_bytes=table.integer("size_bytes", size_bytes, low=1) or 0,
        context_length=table.integer("context_length", None, low=2) or 0,
        dtype=table.one_of("dtype", DTYPES, ""),
        template=_filled(table, "template"),
        sampling=_sampling(table.table("sampling")),
        sampling_source=table.one_of("sampling_source", ("card", "ours"), ""),
        description=table.text("description"),
        limitations=table.texts("limitations"),
        stands_in_for=table.text("stands_in_for"),
        engine=table.one_of("engine", ENGINES, "local"),
        metrics=table.numbers("metrics"),
        notes=table.texts("notes"),
    )


def _filled(table: Table, key: str) -> str:
    text = table.text(key)
    if not text.strip():
        raise table.fail(f"{key!r} is empty; fill it in")
    return text


def _repo(table: Table, folder: Path) -> str:
    repo = _filled(table, "repo")
    if repo.startswith(("./", "../")) or Path(repo).is_absolute():
        return str((folder / repo).resolve())
    if not HUB_ID.fullmatch(repo):
        raise table.fail(f"'repo' is {repo!r}; valid: a hub id such as 'org/name', or a folder: ./…, ../… or absolute")
    return repo


def _sampling(table: Table) -> SamplingParams:
    table.only(SAMPLING_KEYS)
    try:
        return SamplingParams().changed(table.values)
    except InvalidValue as problem:
        raise table.fail(str(problem)) from problem


def weights_size(folder: Path) -> tuple[int, int]:
    """Parameters (from the headers of safetensors files) and bytes of a folder's weights; 0 for what is not known.

    Weights that are missing or torn are no error here: loading them is, and names the file.
    """
    weights = [*folder.glob("*.safetensors")]
    num_parameters = sum(_num_parameters(path) for path in weights)
    return num_parameters, sum(path.stat().st_size for path in weights or folder.glob("pytorch_model*.bin"))


def _num_parameters(path: Path) -> int:
    """Elements of all tensors of a safetensors file: 8 bytes of header length, then the header as JSON."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length if length < path.stat().st_size else 0))
        return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


@dataclass(frozen=True)
class Catalog:
    """Every model that can be chosen; tokenizers are read once, when they are first needed."""

    cards: Mapping[str, ModelCard]
    templates: Mapping[str, PromptTemplate]
    _tokenizers: dict[str, Tokenizer] = field(default_factory=dict, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @classmethod
    def load(
        cls,
        card_folders: Iterable[Path] = (CARD_FOLDER,),
        template_folders: Iterable[Path] = (TEMPLATE_FOLDER,),
    ) -> Catalog:
        """The cards and templates of all the folders; a file in a later one takes the place of its namesake.

        Raises:
            InvalidCard: a card that cannot be read, or whose template is not there.
            InvalidTemplate: a template that cannot be read.
        """
        templates = load_templates(template_folders)
        cards: dict[str, ModelCard] = {}
        for path in files(card_folders, InvalidCard):
            card = read_card(path)
            if card.template not in templates:
                raise InvalidCard(f"{path}: unknown template {card.template!r}; valid: {', '.join(sorted(templates))}")
            cards[card.id] = card
        return cls(MappingProxyType(cards), MappingProxyType(templates))

    def card(self, model_id: str) -> ModelCard:
        """The card with this id.

        Raises:
            Unknown: there is none; the message lists the valid ids.
        """
        if model_id not in self.cards:
            raise Unknown(f"unknown model {model_id!r}; valid: {', '.join(self.cards)}")
        return self.cards[model_id]

    def template(self, template_id: str) -> PromptTemplate:
        """The template with this id.

        Raises:
            Unknown: there is none; the message lists the valid ids.
        """
        if template_id not in self.templates:
            raise Unknown(f"unknown template {template_id!r}; valid: {', '.join(sorted(self.templates))}")
        return self.templates[template_id]

    def template_of(self, card: ModelCard) -> PromptTemplate:
        """The format that the card's model is fed in."""
        return self.template(card.template)

    def tokenizer_of(self, card: ModelCard) -> Tokenizer:
        """The card's tokenizer, read when first asked for.

        Raises:
            TokenizerError: its files are missing or broken, or it lacks the template's special ids.
        """
        with self._lock:
            if card.repo not in self._tokenizers:
                self._tokenizers[card.repo] = self._read_tokenizer(card)
            return self._tokenizers[card.repo]

    def _read_tokenizer(self, card: ModelCard) -> Tokenizer:
        if not Path(card.repo).is_absolute():
            raise TokenizerError(
                f"{card.id}: {card.repo} is not on this machine; download it and name its folder as the card's repo"
            )
        try:
            tokenizer = load_tokenizer(Path(card.repo))
            check_tokenizer(self.template_of(card), tokenizer)
        except TokenizerError as problem:
            raise TokenizerError(f"{card.id}: {problem}") from problem
        return tokenizer

    def prompt(self, model_id: str, instruction: Instruction, template_id: str = "") -> Prompt:
        """Exactly what the model is fed for `instruction`, in its card's format or another one.

        Raises:
            Unknown: no such model or template.
            PromptTooLong: longer than the format allows.
            TokenizerError: the model's tokenizer cannot be read.
        """
        card = self.card(model_id)
        template = self.template(template_id or card.template)
        try:
            return build_prompt(template, self.tokenizer_of(card), instruction)
        except PromptTooLong as problem:
            raise PromptTooLong(f"{card.name}: {problem}") from problem

    def check_fits(self, model_id: str, instruction: Instruction, params: SamplingParams) -> Prompt:
        """The model's prompt for `instruction`, when it and the answer fit the context.

        Raises:
            PromptTooLong: they do not fit; otherwise as `prompt`.
        """
        prompt = self.prompt(model_id, instruction)
        check_fits(prompt, self.card(model_id), params)
        return prompt

    def line_up(self, model_ids: Sequence[str] = ()) -> tuple[ModelCard, ...]:
        """The cards of these ids in order; of none: the pocket models, the cards that stand in for others.

        Raises:
            Unknown: an id without a card.
            InvalidValue: an id twice.
        """
        if not model_ids:
            return tuple(self._pocket()) or tuple(self.cards.values())
        if len(set(model_ids)) < len(model_ids):
            raise InvalidValue(f"a model is named twice in {', '.join(model_ids)}; name each one once")
        return tuple(self.card(model_id) for model_id in model_ids)

    def _pocket(self) -> Iterator[ModelCard]:
        return (card for card in self.cards.values() if card.stands_in_for)
