"""Read the settings: a flag beats PLAYGROUND_NAME beats Gradio's own variable beats the default.

Boundary: reads an environment that it is given; the settings and their defaults are in `settings`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import Field
from functools import partial
from types import MappingProxyType
from typing import Any, NoReturn

from playground.errors import InvalidValue
from playground.settings import Settings, flag, table, variable

RETIRED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "prior_ties": ("prior", "its default, 1.0, suits any number of models"),
    }
)
"""Settings that are refused: the old name, the one to use instead, and advice for its value."""
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


def add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add a flag for each named setting (for all if none is named); retired flags are refused by name."""
    for setting in table():
        if (names and setting.name not in names) or setting.metadata["secret"]:  # every user sees flags
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
    """Read the settings from flags, PLAYGROUND_… variables, Gradio's variables and defaults (on a Space, its own).

    Raises:
        InvalidValue: a value of the wrong type, naming its source; or a retired setting, naming the one to use.
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
        chosen["host"] = "0.0.0.0"  # a Space is only reached from outside its container
    return Settings(**chosen)


def _candidates(
    setting: Field[Any], flags: Mapping[str, str | None], environ: Mapping[str, str]
) -> list[tuple[str, str | None]]:
    own, gradio = variable(setting.name), setting.metadata["gradio"]
    of_gradio = environ.get(gradio) if gradio else None
    return [(flag(setting.name), flags.get(setting.name)), (own, environ.get(own)), (gradio, of_gradio)]


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
