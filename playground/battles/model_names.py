"""Names that identify a model: its own and its maker's, from its card and names.toml.

Boundary: a card in, names out, in lower case and word by word; reads no answer. Words and organisations are data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from playground.documents import load_toml, read_values, strict_keys
from playground.errors import InvalidCard
from playground.messages import Message
from playground.records import ModelCard

NAMES_FILE = Path(__file__).parent / "names.toml"
FEWEST_LETTERS = 5
"""Shorter single words are too common by chance: phi, yi."""
MOST_WORDS = 4
"""The most words in the name of a family of models."""

Words = tuple[str, ...]

_VERSION = re.compile(
    r"""
    v?\d+(\.\d+)*[a-z]{0,2}               # 7b, 6.7b, 2bt, v1, 13
    | \d+x\d+(\.\d+)?b | [ae]\d+(\.\d+)?b  # 8x7b, and the active part of it: a3b
    | (int|fp|bf|nf|iq?|w|q)\d+\w*         # int8, fp16, q4_k
    """,
    re.VERBOSE,
)
_WITH_VERSION = re.compile(r"(?P<name>[a-z]{2,}?)v?\d+(\.\d+)*[a-z]{0,2}")  # falcon3, qwen2.5, but not h2o
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HUB_ID = re.compile(r"[\w.-]+/(?P<name>[\w.-]+)(@.*)?")
_MARKUP = re.compile(r"[*`~]")
_BLANKS = re.compile(r"[^\S\n]+")
_INVISIBLE = frozenset("\u034f\ufe0e\ufe0f")  # beside those that Unicode calls format characters


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one model, longer ones first."""

    anywhere: tuple[Words, ...]  # never written by chance
    joined: tuple[Words, ...]  # the same, if written as one word or with hyphens: tinyllama, tiny-llama
    in_person: tuple[Words, ...]  # count where an answer speaks of itself; includes the others
    makers: tuple[Words, ...]


def plain_text(text: str) -> str:
    """Remove differences that hide a name: compatibility forms, case, invisible characters, emphasis."""
    if text.isascii():
        return _BLANKS.sub(" ", _MARKUP.sub("", text.casefold()))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    visible = "".join(c for c in folded if unicodedata.category(c) != "Cf" and c not in _INVISIBLE)
    return _BLANKS.sub(" ", _MARKUP.sub("", visible).replace("\u2019", "'"))


def names_of(card: ModelCard) -> Names:
    """Return the names of the card's model."""
    owner = card.public_repo.rpartition("/")[0]
    return _names((card.name, card.public_repo, card.id, card.stands_in_for), owner, card.self_names, lexicon())


# Words of a name


def _split(name: str) -> list[Words]:
    """Split ``TinyLlama 1.1B`` into (tiny, llama), (1.1b) and ``orca_mini`` into (orca), (mini)."""
    apart = (token.strip(".") for token in re.split(r"[^\w.]+|_|\.(?=[^\W\d])", unicodedata.normalize("NFKC", name)))
    return [_in_parts(token) for token in apart if token]


def _in_parts(token: str) -> Words:
    """Split a word in camel case; a single letter stays with the next word: xLAM."""
    first, *rest = (plain_text(part) for part in _CAMEL.split(token))
    if len(first) == 1 and rest:
        first, rest = first + rest[0], rest[1:]
    return tuple(part for part in (first, *rest) if part)


def _known_parts(token: Words, known: Lexicon) -> Words:
    """Join the parts of an ordinary word (LLaMA); split a word that is known to have several parts (tinyllama)."""
    whole = "".join(token)
    name = "".join(_cut(token))
    if name in known.ordinary:
        return (whole,)
    parts = known.parts.get(name) if len(token) == 1 else None
    return (*parts[:-1], parts[-1] + whole[len(name) :]) if parts and whole.startswith(name) else token


def _cut(token: Words) -> Words:
    """Return the word without its version; nothing if it is only a version."""
    last = token[-1]
    if _VERSION.fullmatch(last):
        return token[:-1]
    versioned = _WITH_VERSION.fullmatch(last)
    return (*token[:-1], versioned["name"]) if versioned else token


def _without_generic(token: Words, known: Lexicon) -> Words:
    """Drop leading generic parts: TinyLlama becomes Llama, Instruct becomes nothing."""
    while token and known.is_generic(token[:1]):
        token = token[1:]
    return token


def _with_and_without_version(name: str) -> tuple[Words, Words]:
    tokens = _split(name)
    return _flat(tokens), _flat(map(_cut, tokens))


def _in_words(name: str) -> Words:
    """Split ``Georgia Tech`` or ``GeorgiaTech`` into georgia, tech."""
    return _flat(_split(name))


def _flat(tokens: Iterable[Words]) -> Words:
    return tuple(word for token in tokens for word in token)


def _in_one(name: str) -> str:
    return "".join(_in_words(name))


def _read_words(name: object) -> Words:
    if not isinstance(name, str):
        raise InvalidCard(Message("is {name!r}; it has to be text", name=name))
    return _in_words(name)


_AS_WORDS = BeforeValidator(_read_words)


# Known words and organisations


@strict_keys
@dataclass(frozen=True, slots=True)
class Organisation:
    """A publisher of models, and the names of its models."""

    owners: frozenset[Annotated[str, AfterValidator(str.casefold)]]  # on the hub
    families: frozenset[Annotated[str, AfterValidator(_in_one)]]  # of models, their words joined
    names: tuple[Annotated[Words, _AS_WORDS], ...]
    makers: tuple[Annotated[Words, _AS_WORDS], ...]


@strict_keys
@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words and organisations of names.toml."""

    generic: frozenset[str]
    everyday: frozenset[str]
    descriptive: frozenset[str]
    ordinary: frozenset[str]
    organisations: tuple[Organisation, ...]

    @cached_property
    def parts(self) -> Mapping[str, Words]:
        """The words of names that a folder's name joins: smollm -> smol, lm."""
        names = (words for organisation in self.organisations for words in organisation.names)
        return {"".join(words): words for words in names if len(words) > 1}

    def is_generic(self, words: Words) -> bool:
        """Return True if no word distinguishes one model from another."""
        return all(word in self.generic or _VERSION.fullmatch(word) for word in words)

    def is_distinctive(self, words: Words) -> bool:
        """Return True if these words are not written by chance, at least not as one word."""
        if len(words) == 1:
            chance = self.ordinary | self.descriptive | self.everyday
            return len(words[0]) >= FEWEST_LETTERS and words[0] not in chance and not self.is_generic(words)
        return not self.is_generic(words) and "".join(words) not in self.ordinary

    def may_be_apart(self, words: Words, in_one: bool) -> bool:
        """Return True if these words are not written by chance, even with blanks between them.

        Args:
            in_one: the name is written as one word: StarCoder, TinyLlama.
        """
        if any(word in self.generic - self.everyday or any(map(str.isdigit, word)) for word in words):
            return True
        common = self.ordinary | self.everyday
        return not in_one and not all(word in common or len(word) == 1 for word in words)

    def is_name(self, words: Words) -> bool:
        """Return True if these words after "I am" are a name and not a trait."""
        if any(words in organisation.names for organisation in self.organisations):
            return True
        if self.is_generic(words) or (len(words) == 1 and words[0] in self.descriptive):
            return False
        return len("".join(words)) > 2 or any(map(str.isdigit, words[0]))


@lru_cache(maxsize=1)
def lexicon(path: Path = NAMES_FILE) -> Lexicon:
    """Return the contents of the file, read once.

    Raises:
        InvalidCard: it cannot be read, or a key is unknown, missing or of another type.
    """
    values, _ = load_toml(path, InvalidCard)
    return read_values(Lexicon, values, str(path), InvalidCard)


# Names of a card


@lru_cache(maxsize=256)
def _names(texts: Words, owner: str, self_names: Words, known: Lexicon) -> Names:
    bare = [hub["name"] if (hub := _HUB_ID.fullmatch(text)) else text for text in texts]
    models = [[_known_parts(parts, known) for parts in _split(text)] for text in dict.fromkeys(bare)]
    candidates = {found for tokens in models for found in _candidates(tokens, known) if known.is_distinctive(found[0])}
    anywhere = {words for words, in_one in candidates if len(words) == 1 or known.may_be_apart(words, in_one)}
    introduced = {words for name in self_names for words in _with_and_without_version(name) if known.is_name(words)}
    publishers = list(_organisations(models, owner, known))
    in_person = {words for tokens in models for words in _names_in_person(tokens, known)}
    in_person |= {words for words, _ in candidates} | introduced | {words for one in publishers for words in one.names}
    makers = {_in_words(owner)} | {words for one in publishers for words in one.makers} | introduced
    joined = {words for words, _ in candidates} - anywhere
    return Names(*(_longest_first(found) for found in (anywhere, joined, in_person, makers - {()})))


def _longest_first(names: Iterable[Words]) -> tuple[Words, ...]:
    return tuple(sorted(names, key=lambda words: (-len(words), words)))


def _candidates(tokens: list[Words], known: Lexicon) -> Iterator[tuple[Words, bool]]:
    """Yield the name in full, without versions, and without generic words; then its words that have several parts.

    A single plain word without version or size may be any word, such as the name of a folder: story, results.
    """
    without_version = [cut for token in tokens if (cut := _cut(token))]
    specific = [rest for token in without_version if (rest := _without_generic(token, known))]
    for words in (tokens, without_version, specific):
        if len(_flat(tokens)) > 1 or tokens != without_version:
            yield _flat(words), len(words) == 1
    for token in without_version:
        if len(token) > 1:
            yield token, True


def _names_in_person(tokens: list[Words], known: Lexicon) -> Iterator[Words]:
    """Yield each word of the name; for TinyLlama also Llama."""
    for token in tokens:
        for words in (token, _cut(token), _without_generic(_cut(token), known)):
            if words and known.is_name(words):
                yield words


def _organisations(models: list[list[Words]], owner: str, known: Lexicon) -> Iterator[Organisation]:
    runs = {run for tokens in models for run in _runs([name for name in map("".join, map(_cut, tokens)) if name])}
    for organisation in known.organisations:
        if owner.casefold() in organisation.owners or organisation.families & runs:
            yield organisation


def _runs(words: list[str]) -> Iterator[str]:
    """Yield every run of up to `MOST_WORDS` words, joined."""
    for start in range(len(words)):
        for end in range(start + 1, min(start + MOST_WORDS, len(words)) + 1):
            yield "".join(words[start:end])
