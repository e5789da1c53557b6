"""All formats that can be imported, and why others cannot.

Boundary: a table.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.errors import InvalidValue
from playground.exchange.imports.arena140k import ARENA_140K
from playground.exchange.imports.autoarena import AUTOARENA
from playground.exchange.imports.fastchat_log import FASTCHAT_LOG
from playground.exchange.imports.formats import ImportFormat
from playground.exchange.imports.kaggle55k import KAGGLE_55K
from playground.exchange.imports.llm_comparator import LLM_COMPARATOR
from playground.exchange.imports.lmsys33k import LMSYS_33K
from playground.exchange.imports.pairs import PAIRS
from playground.exchange.imports.trl_preference import TRL_PREFERENCE
from playground.exchange.imports.votes import VOTES

FORMATS: Mapping[str, ImportFormat] = {
    known.name: known
    for known in (
        VOTES,
        PAIRS,
        LMSYS_33K,
        ARENA_140K,
        KAGGLE_55K,
        FASTCHAT_LOG,
        LLM_COMPARATOR,
        AUTOARENA,
        TRL_PREFERENCE,
    )
}
WITHOUT_VOTES: Mapping[str, str] = {
    "trl-unpaired": "has one answer per row and not the one that it was judged against, so no row is a vote",
    "alpaca": "has only the winning answer of each vote, and not the one that it won against",
}
"""Export formats that cannot be imported, and the reason."""


def format_of(name: str) -> ImportFormat:
    """Return a format.

    Raises:
        InvalidValue: it is unknown, or has no votes; naming those that have.
    """
    if name in WITHOUT_VOTES:
        raise InvalidValue(f"{name} {WITHOUT_VOTES[name]}; formats with votes: {', '.join(FORMATS)}")
    if name not in FORMATS:
        raise InvalidValue(f"unknown format {name!r}; valid: {', '.join(FORMATS)}")
    return FORMATS[name]
