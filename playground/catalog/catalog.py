"""The catalog of models that can be chosen, each with its card, template and tokenizer.

Boundary: reads small files and the header of weights, never the weights; knows no engine, downloads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from types import MappingProxyType

from playground.catalog.card_files import read_card
from playground.catalog.checkpoint_files import card_named, folder_named
from playground.catalog.line_ups import POCKET, NamedLineUp, load_line_ups
from playground.catalog.model_folders import folder_here, with_self_names
from playground.catalog.read_files import ReadFiles
from playground.catalog.weights import check_weights
from playground.documents import toml_files
from playground.errors import (
    InvalidCard,
    InvalidTemplate,
    InvalidValue,
    PlaygroundError,
    PromptTooLong,
    Unknown,
)
from playground.messages import Message
from playground.prompting.prompt import build_messages, build_prompt, check_fits, check_taken
from playground.prompting.templates import CHAT_ID, SERVER, SERVER_ID, load_templates
from playground.prompting.tokenization import NoTokenizer, Tokenizer
from playground.records import Instruction, ModelCard, Prompt, PromptTemplate, SamplingParams

CARD_FOLDER = Path(__file__).parent / "cards"
NONE = "none"
"""In place of the ids of models: there are none."""
TEMPLATE_FOLDER = Path(__file__).parents[2] / "prompts" / "templates"


@dataclass(frozen=True)
class Catalog:
    """Every model that can be chosen; files of a checkpoint are read once, when first needed."""

    templates: Mapping[str, PromptTemplate]
    _cards: Mapping[str, ModelCard]
    line_ups: Mapping[str, NamedLineUp] = field(default_factory=dict)
    _found: dict[str, ModelCard] = field(default_factory=dict, repr=False, compare=False)
    _ids: dict[str, str] = field(default_factory=dict, repr=False, compare=False)  # of found checkpoints, by given name
    _lock: RLock = field(default_factory=RLock, repr=False, compare=False)  # for the two tables above
    _files: ReadFiles = field(default_factory=ReadFiles, repr=False, compare=False)

    @classmethod
    def load(
        cls,
        card_folders: Iterable[Path] = (CARD_FOLDER,),
        template_folders: Iterable[Path] = (TEMPLATE_FOLDER,),
    ) -> Catalog:
        """Return the catalog of all the folders; a file in a later one replaces one of the same name.

        Raises:
            InvalidCard: a card or a line-up that cannot be read, or a card whose template does not exist.
            InvalidTemplate: a template that cannot be read.
        """
        card_folders, templates = tuple(card_folders), load_templates(template_folders)
        valid = sorted((*templates, CHAT_ID, SERVER_ID))
        cards: dict[str, ModelCard] = {}
        files: dict[str, Path] = {}
        for path in toml_files(card_folders, InvalidCard):
            card = read_card(path)
            if card.template not in valid:
                raise InvalidCard(
                    Message(
                        "{path}: unknown template {given!r}; valid: {valid}",
                        path=path,
                        given=card.template,
                        valid=", ".join(valid),
                    )
                )
            default_system = templates[card.template].default_system if card.template in templates else ""
            cards[card.id], files[card.id] = with_self_names(card, default_system), path
        return cls(MappingProxyType(templates), MappingProxyType(cards), load_line_ups(card_folders, files))

    @property
    def cards(self) -> Mapping[str, ModelCard]:
        """Every card by its id: those of the card files, then checkpoints that were found by name."""
        with self._lock:
            return MappingProxyType({**self._cards, **self._found})

    def known(self, model_id: str, also_valid: Iterable[str] = ()) -> ModelCard:
        """Return the card with this id, without looking for files: the id may be a visitor's.

        Args:
            also_valid: other names that the message lists.

        Raises:
            Unknown: there is none; the message lists the valid ids.
        """
        cards = self.cards
        if model_id not in cards:
            valid = ", ".join((*cards, *also_valid))
            raise Unknown(Message("unknown model {model_id!r}; valid: {valid}", model_id=model_id, valid=valid))
        return cards[model_id]

    def card(self, name: str, template_id: str = "") -> ModelCard:
        """Return the card with this id, or that of a checkpoint: a folder or a hub id.

        Args:
            template_id: for a checkpoint that is named for the first time, and may have no chat template.

        Raises:
            Unknown: neither exists; the message lists the valid ids, or says how to fetch it.
            InvalidCard: the checkpoint cannot be run without a card file.
        """
        if name in self._cards:
            return self._cards[name]
        with self._lock:
            found = self._found.get(self._ids.get(name, name))
            return found or self._find(name, template_id or CHAT_ID) or self.known(name)

    @contextmanager
    def trying(self, name: str) -> Iterator[ModelCard]:
        """Yield the card of a model that is added; a checkpoint that is new and refused meanwhile is forgotten.

        Raises:
            PlaygroundError: as `card`, or files of the model are damaged.
        """
        before = self.cards
        card = self.card(name)
        try:
            self.check_files(card)
            yield card
        except (PlaygroundError, OSError):
            if card.id not in before:
                with self._lock:
                    self._found.pop(card.id, None)
                    self._ids.pop(name, None)
            raise

    def check_files(self, card: ModelCard) -> None:
        """Check that no file of a local model's weights is cut or missing, as far as sizes tell.

        Raises:
            InvalidCard: one is; the message names the model, the file and the next step.
        """
        folder = folder_here(card) if card.engine == "local" else None
        if folder is None:
            return
        try:
            check_weights(folder)
        except InvalidCard as problem:
            raise InvalidCard(Message("{id}: {problem}", id=card.id, problem=problem)) from problem

    def _find(self, name: str, template_id: str) -> ModelCard | None:
        card = card_named(name, template_id)
        if card is None:
            return None
        namesake = self.cards.get(card.id)
        if namesake is not None and namesake.repo != card.repo:
            raise InvalidCard(
                Message(
                    "{name}: there is another model {id!r}; give the folder a name of its own", name=name, id=card.id
                )
            )
        self._found.setdefault(card.id, card)
        self._ids[name] = card.id
        return self.cards[card.id]

    def template(self, template_id: str) -> PromptTemplate:
        """Return the template with this id.

        Raises:
            Unknown: there is none; the message lists the valid ids.
        """
        if template_id not in self.templates:
            raise Unknown(
                Message(
                    "unknown template {template_id!r}; valid: {valid}",
                    template_id=template_id,
                    valid=", ".join(sorted((*self.templates, CHAT_ID))),
                )
            )
        return self.templates[template_id]

    def template_of(self, card: ModelCard, template_id: str = "") -> PromptTemplate:
        """Return the card's template, or another one; `chat` is that of the model's own files.

        Raises:
            Unknown: there is no such template.
            InvalidTemplate: the model has no chat template, or one that cannot be used.
            TokenizerError: its files are missing or broken.
        """
        name = template_id or card.template
        if name == SERVER_ID and card.feed == "messages":
            return SERVER
        return self._files.chat(card)[0] if name == CHAT_ID else self.template(name)

    def tokenizer_of(self, card: ModelCard, template_id: str = "") -> Tokenizer:
        """Return the card's tokenizer; for a chat template, the one that the template needs.

        Raises:
            TokenizerError: its files are missing or broken, or it lacks the template's special ids.
            InvalidTemplate: as `template_of`.
        """
        if CHAT_ID in (card.template, template_id):
            return self._files.chat(card)[1]
        template = self.template_of(card, template_id)
        return NoTokenizer() if template is SERVER else self._files.tokenizer(card, template)

    def prompt(self, model_id: str, instruction: Instruction, template_id: str = "") -> Prompt:
        """Return the exact input of the model for `instruction`, in its card's template or another one.

        Raises:
            Unknown: no such model or template.
            PromptTooLong: longer than the format allows.
            TokenizerError: the model's tokenizer cannot be read.
            InvalidTemplate: the model's own chat template cannot be used.
        """
        card = self.card(model_id, template_id)
        template = self.template_of(card, template_id)
        if template is SERVER:
            return build_messages(template, instruction)
        tokenizer = self.tokenizer_of(card, template_id)
        try:
            return build_prompt(template, tokenizer, instruction)
        except (PromptTooLong, InvalidTemplate) as problem:
            raise type(problem)(Message("{name}: {problem}", name=card.name, problem=problem)) from problem

    def check_fits(self, model_id: str, instruction: Instruction, params: SamplingParams) -> Prompt:
        """Return the model's prompt for `instruction` if it and the answer fit the context.

        Raises:
            PromptTooLong: they do not fit; otherwise as `prompt`.
            InvalidValue: the model's server does not take a parameter.
        """
        prompt, card = self.prompt(model_id, instruction), self.card(model_id)
        check_taken(card, params)
        check_fits(prompt, card, params)
        return prompt

    def line_up(self, model_ids: Sequence[str] = ()) -> tuple[ModelCard, ...]:
        """Return the cards of these names in order; without names, the pocket models; none for `NONE`.

        Args:
            model_ids: ids, folders, hub ids, and line-ups, each of which stands for its models.

        Raises:
            Unknown: a name of nothing; the message lists the valid ones.
            InvalidCard: a checkpoint that cannot be run without a card file.
            InvalidValue: a model twice, or a line-up whose models are all retired.
        """
        if tuple(model_ids) == (NONE,):
            return ()
        if not model_ids:
            return self.line_up([POCKET]) if POCKET in self.line_ups else tuple(self.cards.values())
        cards = tuple(map(self.member, self.members(model_ids)))
        if len({card.id for card in cards}) < len(cards):
            raise InvalidValue(
                Message("a model is named twice in {valid}; name each one once", valid=", ".join(model_ids))
            )
        return cards

    def members(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the names of models, in place of a line-up those of its models that are not retired.

        Raises:
            InvalidValue: all models of a line-up are retired.
        """
        for name in names:
            if name not in self.line_ups:
                yield name
                continue
            members = [member for member in self.line_ups[name].models if not self._cards[member].retired]
            if not members:
                raise InvalidValue(
                    Message(
                        "line-up {name!r}: all its models are retired; name other models, of which "
                        "'python -m playground models' has a list",
                        name=name,
                    )
                )
            yield from members

    def member(self, name: str, template_id: str = "") -> ModelCard:
        """Return the card as `card` does; the message on an unknown word lists line-ups too."""
        if name in self.cards or "/" in name or folder_named(name) is not None:
            return self.card(name, template_id)
        return self.known(name, self.line_ups)
