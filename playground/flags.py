"""Whether an answer gives away which model wrote it.

Boundary: an answer and a card in, the words that were found out; stores nothing and drops nothing. What it cannot see:
names in letters of other scripts that look alike, and boasts in other languages than English.

A name that nobody writes by chance (``OpenAlpaca``, ``orca_mini``, ``Minotaur MPT``) counts anywhere; one that is a
word (``orca``, ``mamba``) only where the answer speaks of itself: "I am Orca", "as Mamba, I", "trained by". So does a
name that the question has in it: to repeat a question says nothing, to say "yes, I am OpenAlpaca" does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from playground.records import ModelCard

Words = tuple[str, ...]

GENERIC = frozenset(
    (
        "a", "ai", "base", "beta", "chat", "chatbot", "finetuned", "gpt", "gptq", "hf", "instruct", "large", "llm",
        "lm", "local", "mini", "model", "mpt", "my", "new", "open", "pocket", "preview", "sft", "small", "test",
        "the", "tiny", "tuned",
    )
)  # fmt: skip
"""Words of models' names that say nothing about which one it is, as are sizes and versions."""
ORDINARY = frozenset(
    (
        "alpaca", "bloom", "camel", "claude", "cobra", "dolphin", "eagle", "falcon", "flan", "gemini", "gemma",
        "gorilla", "granite", "guanaco", "hermes", "koala", "lion", "llama", "mamba", "minotaur", "mistral", "nova",
        "olive", "opus", "orca", "owl", "phoenix", "platypus", "puma", "smaug", "stable", "starling", "tiger", "tulu",
        "vicuna", "wizard", "wolf", "yi", "zephyr",
    )
)  # fmt: skip
"""Names that are words: of animals, of winds, of people."""
FEWEST_LETTERS = 5
"""A single word that is shorter is too likely to stand there by chance: phi, yi."""

_VARIABLE = re.compile(r"v?\d+(\.\d+)*[a-z]{0,2}")  # 7b, 6.7b, 2bt, v1, 13
_MARKUP = re.compile(r"[*`~]")
_BLANKS = re.compile(r"[^\S\n]+")
_INVISIBLE = frozenset("\u034f\ufe0e\ufe0f")  # beside those that Unicode calls format characters
_GAP = r"(?:[ _\-\u2010-\u2015]{0,2}|\.)"  # between the words of one name

# In these, one space stands for any blanks, and everything is in lower case.
_KIND = r"(?:model|assistant|chatbot|bot|ai)"
_SOME = rf"(?:an?|the|your) (?:[^.,;!?\n]{{0,60}} )?(?:{_KIND},? )?(?:called|named|known as)"
_SPEAKING = r"(?:i am|i'm|im|my name is|my name's|call me|you are (?:talking|speaking|chatting) (?:to|with))"
_CALLED = rf"(?:(?:{_SOME}|called|named|known as|(?:(?:an?|the|your|ai|language|large|open|helpful) )+{_KIND},?) )?"
_MADE = r"(?:(?:(?:pre|fine)[- ]?)?(?:trained|tuned)|developed|created|made|built|designed) (?:by|at)"
_WAS = r"(?:,| (?:that|which|who|is|am|was|been|have|has|an?|the|language|large|originally|also|first|ai|model|system))"
_MAKER = r"my (?:makers?|creators?|developers?|authors?) (?:is|are|at|from)"


def names_itself(text: str, card: ModelCard, asked: str = "") -> str:
    """The words with which an answer names its model or who made it, as compared (plain, lower case); "" if none.

    Args:
        asked: what was asked; names that stand in it count only where the answer speaks of itself.
    """
    anywhere, in_person, makers = _names(card.name, card.public_repo, card.id, card.stands_in_for)
    plain, question = plain_text(text), plain_text(asked)
    unasked = [name for name in anywhere if not _whole(_spelled([name])).search(question)]
    if unasked and (found := _whole(_spelled(unasked)).search(plain)):
        return found.group()
    found = _self_reference(anywhere + in_person, makers).search(plain)
    return " ".join(found.group().split()) if found else ""


def plain_text(text: str) -> str:
    """The text without what hides a name: compatibility forms, case, invisible characters, emphasis."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    visible = "".join(c for c in folded if unicodedata.category(c) != "Cf" and c not in _INVISIBLE)
    return _BLANKS.sub(" ", _MARKUP.sub("", visible).replace("\u2019", "'"))


@lru_cache(maxsize=256)
def _names(name: str, repo: str, card_id: str, stands_in_for: str) -> tuple[tuple[Words, ...], ...]:
    """Names that count anywhere, those that count in self-reference, and makers."""
    owner, _, repo_name = repo.rpartition("/")
    full = {words for words in map(_words, (name, repo_name, card_id, stands_in_for)) if words}
    core = {tuple(word for word in words if not _is_generic(word)) for words in full} - {()}
    core |= {tuple(word for word in words if not _VARIABLE.fullmatch(word)) for words in full}
    anywhere = {words for words in full | core if _is_distinctive(words)}
    in_person = {(word,) for words in core for word in words if not _is_generic(word)} - anywhere
    makers = {_words(owner)} - {()}
    return tuple(tuple(sorted(found, key=_longest_first)) for found in (anywhere, in_person, makers))


def _longest_first(words: Words) -> tuple[int, Words]:
    return -len(words), words


def _words(name: str) -> Words:
    """``OpenAlpaca 7B`` -> open, alpaca, 7b; ``orca_mini_13b`` -> orca, mini, 13b."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)
    return tuple(word for word in re.split(r"[\s_\-/]+", plain_text(apart)) if word)


def _is_generic(word: str) -> bool:
    return word in GENERIC or _VARIABLE.fullmatch(word) is not None


def _is_distinctive(words: Words) -> bool:
    """Whether nobody writes it by chance."""
    if all(_is_generic(word) for word in words):
        return False
    return len(words) > 1 or (len(words[0]) >= FEWEST_LETTERS and words[0] not in ORDINARY)


def _spelled(names: Iterable[Words]) -> str:
    """Any of these names, its words together or apart."""
    return "(?:" + "|".join(_GAP.join(map(re.escape, words)) for words in names) + ")"


def _whole(pattern: str) -> re.Pattern[str]:
    """Not as a part of a longer word; an underscore is no letter."""
    return re.compile(rf"(?<![^\W_]){pattern}(?![^\W_])")


@lru_cache(maxsize=256)
def _self_reference(names: tuple[Words, ...], makers: tuple[Words, ...]) -> re.Pattern[str]:
    """An answer that says who it is or who made it."""
    me, made_by = _spelled(names), _spelled((*names, *makers))
    quoted = rf"[\"'_\u201c\u00ab]?{me}"
    ways = (
        rf"{_SPEAKING} {_CALLED}{quoted}",
        rf"{_SPEAKING} (?:an?|the) {me}[- ](?:based )?(?:ai |language |large )*{_KIND}",
        rf"as (?:{_SOME} )?{quoted}, (?:i|my)",
        rf"i, {me},",
        rf"(?:i|i'm|i've|{_KIND}){_WAS}{{0,8}} {_MADE} (?:the )?{made_by}",
        rf"{_MAKER} (?:the )?{made_by}",
    )
    return _whole(f"(?:{'|'.join(ways)})")
