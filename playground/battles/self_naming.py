"""Answers that name their own model or its maker.

Boundary: an answer and a card in, the words found out; stores nothing. It cannot see names in letters of other scripts
that look alike, or claims in languages other than English.

A name that is not written by chance (``OpenAlpaca``, ``orca_mini``, ``Minotaur MPT``) counts anywhere. One that is a
word (``orca``, ``mamba``), a maker's name, and a name that stands in the question count only if the answer speaks of
itself: "I am Orca", "as Mamba, I", "trained by". `names` lists the names of a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from playground.battles.model_names import Words, names_of, plain_text
from playground.records import ModelCard

_GAP = r"(?:[ _\-\u2010-\u2015]{0,2}|\.)"  # between the words of one name
_TIGHT = r"[_\-\u2010-\u2015.]?"  # the same, but no blank
_VERSION = r"(?:v?\d+(?:\.\d+)*)?"

# In these, one space stands for any blanks, and everything is in lower case.
_JOBS = r"(?:engineer|researcher|developer|expert|scientist|specialist|student|enthusiast|consultant)"
_KIND = rf"(?:model|assistant|chatbot|bot|ai|llm)(?! {_JOBS})"
_ABOUT = r"(?:of|about|for|with|by|from|like|using|in|on|at|to)"
_A_KIND = rf"(?:an?|the|your) (?:(?!{_ABOUT}\b)[\w'\-]+,? ){{0,8}}{_KIND}(?: \(\w+\))?"  # a helpful and honest ai model
_SOME = rf"(?:an?|the|your) (?:[^.,;!?\n]{{0,60}} )?(?:{_KIND},? )?(?:called|named|known as)"
_CALLED = rf"(?:(?:{_SOME}|called|named|known as|(?:(?:an?|the|your|ai|language|large|open|helpful) )+{_KIND},?) )?"
_I_AM = r"(?:i am|i'm|im)"
_I_WAS = r"(?:i am|i'm|im|i was|i have been|i've been)"
_SPEAKING = (
    rf"(?:{_I_AM}|my name is|my name's|call me|i go by|my (?:underlying )?model(?: name)? is"
    r"|you are (?:talking|speaking|chatting) (?:to|with))"
)
_MADE_IT = r"(?:(?:(?:pre|fine)[- ]?)?(?:trained|tuned)|developed|created|made|built|designed|released|provided)"
_MADE = rf"(?:{_MADE_IT}(?: and |, | or )?){{1,3}}(?: \w+ly)? (?:by|at)"
_THEN = r"(?:,| (?:and|i|that|which|who|is|am|was|were|been|have|has|originally|also|first|jointly|specifically))"
_PEOPLE = r"(?:teams?|people|researchers|engineers|scientists|company|lab)"
_SOME_PEOPLE = rf"(?:(?:the|an?) )?(?:(?:\w+ ){{0,2}}{_PEOPLE}(?: of \w+(?: \w+)?)?(?: (?:at|from|called))? )?(?:the )?"
_MAKER = r"my (?:makers?|creators?|developers?|authors?) (?:is|are|at|from)"
_START = r"(?:(?<![\s\S])|(?<=[.!?:\n\"])|(?<=[.!?:\n\"] ))"  # of a sentence


def names_itself(text: str, card: ModelCard, asked: str = "") -> str:
    """Return the words, plain and in lower case, with which an answer names its model or its maker; "" if none.

    Args:
        asked: the question; names in it count only if the answer speaks of itself.
    """
    names = names_of(card)
    plain, question = plain_text(text), plain_text(asked)
    for known, gap in ((names.anywhere, _GAP), (names.joined, _TIGHT)):
        unasked = [name for name in known if not _whole(_spelled([name], gap)).search(question)]
        if unasked and (found := _whole(_spelled(unasked, gap)).search(plain)):
            return found.group()
    found = _self_reference(names.in_person, names.makers).search(plain)
    return " ".join(found.group().split()) if found else ""


def _spelled(names: Iterable[Words], gap: str = _GAP) -> str:
    """Return a pattern for these names, their words together or apart, with or without a version."""
    return "(?:" + "|".join(gap.join(map(re.escape, words)) for words in names) + rf"){_VERSION}"


def _whole(pattern: str) -> re.Pattern[str]:
    """Compile a pattern that matches no part of a longer word; an underscore is not a letter."""
    return re.compile(rf"(?<![^\W_]){pattern}(?![^\W_])")


@lru_cache(maxsize=256)
def _self_reference(names: tuple[Words, ...], makers: tuple[Words, ...]) -> re.Pattern[str]:
    """Compile a pattern for sentences of an answer about its own name or maker."""
    me, made_by = _spelled(names), _spelled((*makers, *names))
    quoted = rf"[\"'_\u201c\u00ab]?{me}"
    maker = rf"{_SOME_PEOPLE}{made_by}(?![\-\u2010][a-z])"  # not of a compound: meta-analysis
    named = r"(?:[\w.\-]+(?: [\w.\-]+){0,2}, )?"  # any name
    ways = (
        # its name
        rf"{_SPEAKING} {_CALLED}{quoted}",
        rf"{_SPEAKING} (?:an?|the) {made_by}[- ](?:based )?(?:ai |language |large )*{_KIND}",
        rf"{_I_AM} (?:based|running) on (?:the )?{me}",
        rf"as (?:{_SOME} )?{quoted}, (?:i|my)",
        rf"{_START}i, {me},",
        # its maker
        rf"{_I_WAS}(?: \w+ly| first| also)? {_MADE} {maker}",
        rf"{_I_AM} {named}{_A_KIND}(?: (?:called|named|known as) \w+)?{_THEN}{{0,5}} {_MADE} {maker}",
        rf"as {_A_KIND}{_THEN}{{0,3}} {_MADE} {maker}[^.,;!?\n]{{0,20}}, (?:i|my)",
        rf"{_MAKER} {maker}",
        rf"(?:the )?{made_by}(?: (?:team|has|have|researchers|\w+ly)){{0,2}} "
        r"(?:trained|tuned|developed|created|designed) me",
    )
    return _whole(f"(?:{'|'.join(ways)})")
