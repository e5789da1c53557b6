"""Every setting in one table: name, default, help; a flag beats PLAYGROUND_NAME beats Gradio's own variable.

Boundary: reads an environment that it is given; opens nothing. The README's table, ``--help`` and the tests read
the same fields.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from playground.errors import InvalidValue

POSITIVE = (
    "undo_s",
    "abandon_s",
    "deadline_s",
    "expire_s",
    "instruction_chars",
    "system_chars",
    "threads",
    "queue_max",
)
"""Settings that only make sense above zero."""
RETIRED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "prior_ties": ("prior", "its default, 1.0, suits any number of models"),
    }
)
"""Settings that are refused: the old name, the one to use instead, and advice for its value."""
SHORTEST_TOKEN = 32
"""Characters of an operator's token: fewer could be guessed."""
_HERE = Path(__file__).parent
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


def _setting(default: Any, help: str, gradio: str = "", secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"help": help, "gradio": gradio, "secret": secret})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the person who runs the playground may choose. Times in seconds, lengths in characters."""

    host: str = _setting("127.0.0.1", "address to listen on", "GRADIO_SERVER_NAME")
    port: int = _setting(7860, "port to listen on", "GRADIO_SERVER_PORT")
    share: bool = _setting(False, "open a public Gradio tunnel to this machine", "GRADIO_SHARE")
    models: str = _setting(
        "",
        "card ids, folders or hub ids, comma separated; "
        "empty: on a GPU the real models that are here and fit, else the pocket ones",
    )
    db: Path = _setting(Path("data/playground.db"), "the SQLite database; its folder is made when missing")
    db_mounted: bool = _setting(False, "the database lies on a network mount, such as a Space's bucket")
    min_free_mb: int = _setting(
        200, "with less free on the database's disk no new comparisons are stored; 0: never mind"
    )
    cards: str = _setting("", "a folder with more model cards")
    templates: str = _setting("", "a folder with more prompt templates")
    columns: int = _setting(2, "answers side by side when the page opens, 2 to 6")
    undo_s: float = _setting(5.0, "how long a vote on the page can be undone before the models are revealed")
    abandon_s: float = _setting(30.0, "answers that nobody reads for so long are stopped")
    deadline_s: float = _setting(120.0, "the longest that one answer may be written")
    expire_s: float = _setting(86400.0, "an open battle takes votes for so long")
    instruction_chars: int = _setting(4000, "longest instruction, and longest input")
    system_chars: int = _setting(2000, "longest system text")
    count_chosen: bool = _setting(
        False, "leaderboard: count blind votes on models that raters chose too, not only on those that were drawn"
    )
    votes_per_network: int = _setting(
        1000, "leaderboard: votes of one network (an IPv4 address, an IPv6 /64) that count on one day; 0: no limit"
    )
    prior: float = _setting(
        1.0,
        "leaderboard: strength of the prior; 1.0 is m - 1 ties among m connected models, shared by the pairs that met",
    )
    threads: int = _setting(1, "torch threads in each worker on a CPU")
    memory_gb: float = _setting(0.0, "memory for models, on each device; 0: what is free")
    queue_max: int = _setting(64, "so many comparisons are written at once; above it visitors are asked to wait")
    compares_per_minute: int = _setting(20, "comparisons of one rater in a minute (0: no limit); ten times per address")
    votes_per_minute: int = _setting(60, "the same for votes, and apart from them for notes and reports")
    views_per_minute: int = _setting(600, "the same for everything else that the page or a program asks for")
    locked: bool = _setting(False, "nobody is the operator: models cannot be loaded, unloaded or added on the page")
    share_operator: bool = _setting(False, "with `--share` too, whoever has the operator's token is the operator")
    operator_token: str = _setting(
        "", "the operator's token, 32 characters or more; empty: a new one at each start; has no flag", secret=True
    )
    operators: str = _setting(
        "",
        "Hugging Face user names, comma separated, that are the operator on a Space; "
        "empty: the Space's author, if that is a user",
    )
    password: str = _setting(
        "", "a private instance: the password for everything but `/health`; has no flag", secret=True
    )
    remote_key: str = _setting("", "the key that servers of remote cards are sent; has no flag", secret=True)

    def __post_init__(self) -> None:
        if not 2 <= self.columns <= 6:
            raise InvalidValue(f"columns is {self.columns}; valid: 2 to 6")
        if not 0 < self.port < 65536:
            raise InvalidValue(f"port is {self.port}; valid: 1 to 65535")
        for name in ("remote_key", "operator_token"):
            if not all("!" <= char <= "~" for char in getattr(self, name)):
                raise InvalidValue(f"{variable(name)} holds a space or a character that no key has; copy it again")
        if 0 < len(self.operator_token) < SHORTEST_TOKEN:
            raise InvalidValue(
                f"{variable('operator_token')} has {len(self.operator_token)} characters; valid: {SHORTEST_TOKEN} or "
                "more, such as `python -c 'import secrets; print(secrets.token_urlsafe(32))'` prints"
            )
        if not 0 <= self.memory_gb < math.inf:
            raise InvalidValue(f"memory_gb is {self.memory_gb}; valid: a number above 0, or 0 for what is free")
        if not 0 <= self.prior < math.inf:
            raise InvalidValue(f"prior is {self.prior}; valid: 0 (no prior) or a number above 0")
        for name in (
            "min_free_mb",
            "votes_per_network",
            "compares_per_minute",
            "votes_per_minute",
            "views_per_minute",
        ):
            if getattr(self, name) < 0:
                raise InvalidValue(f"{name} is {getattr(self, name)}; valid: a whole number, or 0 for no limit")
        for name in POSITIVE:
            if not 0 < getattr(self, name) < math.inf:  # neither is NaN
                raise InvalidValue(f"{name} is {getattr(self, name)}; valid: a number above 0")

    @property
    def model_ids(self) -> tuple[str, ...]:
        """The chosen card ids; empty: the default line-up."""
        return tuple(name.strip() for name in self.models.split(",") if name.strip())

    @property
    def operator_names(self) -> tuple[str, ...]:
        """The Hugging Face user names that are the operator on a Space; empty: the default."""
        return tuple(name.strip() for name in self.operators.split(",") if name.strip())

    @property
    def memory_bytes(self) -> int:
        """What models may take on each device; 0: what is free."""
        return int(self.memory_gb * 1e9)

    @property
    def min_free_bytes(self) -> int:
        """What has to stay free on the database's disk; 0: nothing."""
        return self.min_free_mb * 1_000_000

    @property
    def card_folders(self) -> tuple[Path, ...]:
        """Our own cards, then the user's, which win."""
        return (_HERE / "catalog" / "cards", *(Path(folder) for folder in (self.cards,) if folder))

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Our own templates, then the user's, which win."""
        return (self.prompts_folder / "templates", *(Path(folder) for folder in (self.templates,) if folder))

    @property
    def starters_folder(self) -> Path:
        """Starter instructions, a file per category."""
        return self.prompts_folder / "instructions"

    @property
    def prompts_folder(self) -> Path:
        """Everything that is sent to a model, as data."""
        return _HERE.parent / "prompts"


def table() -> tuple[Field[Any], ...]:
    """All settings in order; each has `name`, `default` and ``metadata["help"]``."""
    return fields(Settings)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"PLAYGROUND_{name.upper()}"


def flag(name: str) -> str:
    """The command line flag of a setting."""
    return f"--{name.replace('_', '-')}"


def add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """Give `parser` one flag per named setting (all when none is named); retired flags are refused by name."""
    for setting in table():
        if (names and setting.name not in names) or setting.metadata["secret"]:  # a flag is seen by every user
            continue
        words = f"{setting.metadata['help']} [{variable(setting.name)}]"
        add = partial(parser.add_argument, flag(setting.name), default=None, dest=setting.name, help=words)
        if isinstance(setting.default, bool):
            add(action="store_const", const="true")
        else:
            add(metavar=setting.name.upper())
        for old, (new, _) in RETIRED.items():
            if new == setting.name:
                parser.add_argument(flag(old), action=_Retired, nargs="?", dest=old, help=argparse.SUPPRESS)


class _Retired(argparse.Action):
    """A flag that ends the program with a usage error naming the flag to use."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        new, advice = RETIRED[self.dest]
        parser.error(f"{flag(self.dest)} is retired; use {flag(new)} instead: {advice}")


def read_settings(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Settings:
    """Settings from flags, then PLAYGROUND_… variables, then Gradio's own, then the defaults (of a Space, on one).

    Raises:
        InvalidValue: a value that is not of its setting's type, naming where it came from, or the variable of a
            retired setting, naming the one to use.
    """
    for old, (new, advice) in RETIRED.items():
        if environ.get(variable(old)):
            raise InvalidValue(f"{variable(old)} is retired; use {variable(new)} instead: {advice}")
    chosen: dict[str, Any] = {}
    for setting in table():
        for source, text in _candidates(setting, flags, environ):
            if text is not None and text != "":
                chosen[setting.name] = _parse(setting, source, text)
                break
    if "host" not in chosen and environ.get("SYSTEM") == "spaces":
        chosen["host"] = "0.0.0.0"  # a Space is reached from outside its container only
    return Settings(**chosen)


def _candidates(
    setting: Field[Any], flags: Mapping[str, str | None], environ: Mapping[str, str]
) -> list[tuple[str, str | None]]:
    own, gradio = variable(setting.name), setting.metadata["gradio"]
    return [
        (flag(setting.name), flags.get(setting.name)),
        (own, environ.get(own)),
        (gradio, environ.get(gradio) if gradio else None),
    ]


def _parse(setting: Field[Any], source: str, text: str) -> Any:
    kind: type = type(setting.default)
    if kind is bool:
        if text.lower() not in _TRUE + _FALSE:
            raise InvalidValue(f"{source} is {text!r}; valid: true, false")
        return text.lower() in _TRUE
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidValue(f"{source} is {text!r}; it has to be of type {kind.__name__}") from error
