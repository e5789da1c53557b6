"""Every setting in one table: name, default, help, range.

Boundary: opens nothing; `settings_sources` reads flags and variables. The documentation's table, ``--help`` and the
tests read the same fields.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playground.errors import InvalidValue
from playground.records import MOST_NEW_TOKENS

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"data": ("operator", "public"), "rate": ("public", "off"), "pairs": ("informative", "uniform")}
)
"""The valid values of settings that are one of some words."""
LONGEST_CONTACT = 300
"""Characters of the operator's name or address."""
SHORTEST_TOKEN = 32
"""Characters of an operator's token: fewer could be guessed."""
_REPO = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Range:
    """The valid numbers of a setting; infinity and NaN are never valid."""

    low: float
    high: float
    valid: str


ABOVE_0 = Range(sys.float_info.min, sys.float_info.max, "a number above 0")
FROM_0 = Range(0, sys.float_info.max, "a whole number, or 0 for no limit")


def _setting(default: Any, help: str, valid: Range | None = None, *, gradio: str = "", secret: bool = False) -> Any:
    metadata = {"help": help, "valid": valid, "gradio": gradio, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's choices. Times in seconds, lengths in characters."""

    host: str = _setting("127.0.0.1", "address to listen on", gradio="GRADIO_SERVER_NAME")
    port: int = _setting(7860, "port to listen on", Range(1, 65535, "1 to 65535"), gradio="GRADIO_SERVER_PORT")
    share: bool = _setting(False, "open a public Gradio tunnel to this machine", gradio="GRADIO_SHARE")
    models: str = _setting(
        "",
        "card ids, folders, hub ids or line-ups (pocket, laptop, five …), comma separated; none: rating only; "
        "empty: the real models that are downloaded and fit, on a CPU those of laptop, otherwise the pocket models",
    )
    db: Path = _setting(Path("data/playground.db"), "the SQLite database; its folder is created if missing")
    db_mounted: bool = _setting(False, "the database is on a network mount, such as a Space's bucket")
    store: str = _setting(
        "",
        "a private dataset on the Hugging Face hub, org/name, that every vote is copied to and an empty disk is "
        "restored from; needs `HF_TOKEN` with the right to write",
    )
    store_every_s: float = _setting(60.0, "interval of the copies to the store; 30 s or more on the hub", ABOVE_0)
    min_free_mb: int = _setting(
        200, "with less free space on the database's disk new comparisons are not stored; 0: no limit", FROM_0
    )
    cards: str = _setting("", "a folder with more model cards")
    templates: str = _setting("", "a folder with more prompt templates")
    columns: int = _setting(2, "answers side by side when the page opens, 2 to 6", Range(2, 6, "2 to 6"))
    undo_s: float = _setting(5.0, "time to undo a vote on the page before the models are revealed", ABOVE_0)
    rate: str = _setting("public", "the page Rate, on which visitors judge stored battles of others: public, or off")
    rate_undo_s: float = _setting(60.0, "time to undo a vote on a stored battle of others", ABOVE_0)
    guess_share: float = _setting(
        0.1, "share of drawn blind battles after which the page asks which model an answer was", Range(0, 1, "0 to 1")
    )
    abandon_s: float = _setting(30.0, "answers that nobody has read for this time are stopped", ABOVE_0)
    deadline_s: float = _setting(120.0, "longest time for writing one answer", ABOVE_0)
    expire_s: float = _setting(86400.0, "time for which an open battle takes votes", ABOVE_0)
    instruction_chars: int = _setting(4000, "longest instruction, and longest input", ABOVE_0)
    system_chars: int = _setting(2000, "longest system text", ABOVE_0)
    max_new_tokens: int = _setting(
        4096,
        "most tokens of an answer that a visitor may ask for, or a card's own `max_new_tokens` where that is larger",
        Range(1, MOST_NEW_TOKENS, f"1 to {MOST_NEW_TOKENS}"),
    )
    count_chosen: bool = _setting(
        False, "leaderboard: also count blind votes on models that the rater chose, not only on models that were drawn"
    )
    votes_per_network: int = _setting(
        1000,
        "leaderboard: votes of one network (an IPv4 address, an IPv6 /64) that count on one day; 0: no limit",
        FROM_0,
    )
    prior: float = _setting(
        1.0,
        "leaderboard: strength of the prior; 1.0 is m - 1 ties among m connected models, shared by the pairs that met",
        Range(0, sys.float_info.max, "0 (no prior) or a number above 0"),
    )
    pairs: str = _setting(
        "informative",
        "the drawing of blind battles: informative (from 5 votes per model on, pairs from which the ranking learns "
        "more are up to three times as likely), or uniform (all pairs equally likely)",
    )
    exact: bool = _setting(
        False,
        "each local model writes one answer at a time, so that the rounding of one in 16 bit depends on no other "
        "visitor; with several visitors answers wait for each other",
    )
    threads: int = _setting(1, "torch threads in each worker on a CPU", ABOVE_0)
    memory_gb: float = _setting(
        0.0,
        "memory for models on each device; 0: all free memory",
        Range(0, sys.float_info.max, "a number above 0, or 0 for all free memory"),
    )
    queue_max: int = _setting(
        64, "comparisons that are written at the same time; further visitors are asked to wait", ABOVE_0
    )
    compares_per_minute: int = _setting(
        20, "comparisons per rater and minute; ten times as many per address; 0: no limit", FROM_0
    )
    votes_per_minute: int = _setting(
        60, "votes per rater and minute; notes and reports have a limit of the same size; 0: no limit", FROM_0
    )
    views_per_minute: int = _setting(
        600, "all other requests of the page or a program, per rater and minute; 0: no limit", FROM_0
    )
    locked: bool = _setting(False, "no operator: models cannot be loaded, unloaded or added on the page")
    share_operator: bool = _setting(False, "with `--share` too, the operator's token makes a visitor the operator")
    operator_token: str = _setting(
        "", "the operator's token, 32 characters or more; empty: a new one at each start; has no flag", secret=True
    )
    operators: str = _setting(
        "",
        "Hugging Face user names of a Space's operators, comma separated; empty: the Space's author, if that is a user",
    )
    contact: str = _setting(
        "", "name or address of whoever runs the playground, shown on the page Terms; empty: none is shown"
    )
    password: str = _setting(
        "", "makes the instance private: the password for everything but `/health`; has no flag", secret=True
    )
    publication: str = _setting("", "the public dataset of the hub that `publish` writes, such as `org/name`")
    frame_ancestors: str = _setting(
        "https://huggingface.co https://*.hf.space",
        "sites whose pages may show this one in a frame, such as https://example.org, space separated; none: no site",
    )
    data: str = _setting(
        "operator", "the visitors who see and download all votes on the Data page: operator, or public for everybody"
    )
    remote_key: str = _setting("", "the key that is sent to servers of remote cards; has no flag", secret=True)

    def __post_init__(self) -> None:
        for setting in table():
            value, valid = getattr(self, setting.name), setting.metadata["valid"]
            if valid is not None and not valid.low <= value <= valid.high:
                raise InvalidValue(f"{setting.name} is {value}; valid: {valid.valid}")
        if self.store and not _REPO.fullmatch(self.store):
            raise InvalidValue(f"store is {self.store!r}; valid: the id of a dataset on the hub, such as 'org/votes'")
        for name in ("remote_key", "operator_token"):
            if not all("!" <= char <= "~" for char in getattr(self, name)):
                raise InvalidValue(f"{variable(name)} holds a space or a character that no key has; copy it again")
        if len(self.contact) > LONGEST_CONTACT or not self.contact.isprintable():
            raise InvalidValue(
                f"{variable('contact')} has {len(self.contact)} characters; valid: one line of up to {LONGEST_CONTACT}"
            )
        for name, words in WORDS.items():
            if getattr(self, name) not in words:
                raise InvalidValue(f"{variable(name)} is {getattr(self, name)!r}; valid: {', '.join(words)}")
        if 0 < len(self.operator_token) < SHORTEST_TOKEN:
            raise InvalidValue(
                f"{variable('operator_token')} has {len(self.operator_token)} characters; valid: {SHORTEST_TOKEN} or "
                "more, such as `python -c 'import secrets; print(secrets.token_urlsafe(32))'` prints"
            )

    @property
    def model_ids(self) -> tuple[str, ...]:
        """The chosen card ids; empty: the default line-up."""
        return _names(self.models)

    @property
    def operator_names(self) -> tuple[str, ...]:
        """The Hugging Face user names of a Space's operators; empty: the default."""
        return _names(self.operators)

    @property
    def memory_bytes(self) -> int:
        """Memory for models on each device; 0: all free memory."""
        return int(self.memory_gb * 1e9)

    @property
    def min_free_bytes(self) -> int:
        """Space that has to stay free on the database's disk; 0: none."""
        return self.min_free_mb * 1_000_000

    @property
    def card_folders(self) -> tuple[Path, ...]:
        """The built-in cards, then the operator's, which win."""
        return (Path(__file__).parent / "catalog" / "cards", *(Path(folder) for folder in (self.cards,) if folder))

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """The built-in templates, then the operator's, which win."""
        return (self.prompts_folder / "templates", *(Path(folder) for folder in (self.templates,) if folder))

    @property
    def starters_folder(self) -> Path:
        """The starter instructions, a file per category."""
        return self.prompts_folder / "instructions"

    @property
    def prompts_folder(self) -> Path:
        """The templates and instructions that are sent to models."""
        return Path(__file__).parent.parent / "prompts"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def table() -> tuple[Field[Any], ...]:
    """Return all settings in order; each has `name`, `default` and ``metadata["help"]``."""
    return fields(Settings)


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"PLAYGROUND_{name.upper()}"


def flag(name: str) -> str:
    """Return the command line flag of a setting."""
    return f"--{name.replace('_', '-')}"
