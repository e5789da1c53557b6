"""Every error that the playground raises on purpose, in one tree.

Boundary: knows nothing of who raises or shows them. Each message names the thing, the valid ones where
there are any, and the next step. It may name files of this machine: visitors are shown `public`, which does not say
where they lie.

    PlaygroundError
    ├── InvalidValue            something from outside is not what it has to be (also a ValueError)
    │   ├── InvalidInstruction      text that cannot be sent to a model
    │   ├── InvalidCard             a card file that cannot be read
    │   ├── InvalidTemplate         a template file that cannot be read
    │   └── PromptTooLong           prompt and answer do not fit a model's context
    ├── Unknown                 a name that nothing answers to (also a KeyError)
    ├── TokenizerError          a tokenizer file is missing, broken or of another kind
    ├── EngineError             a model could not be loaded or could not answer
    │   └── CheckpointError         its files are missing, truncated, poisoned or of another shape
    ├── HubError                a model could not be fetched from the hub
    ├── StorageError            the database or its folder
    │   ├── DatabaseLocked          another process writes to it
    │   ├── DatabaseNewer           written by a newer version of the playground
    │   ├── DatabaseDiffers         its schema is not that of the version it claims
    │   └── DatabaseBroken          not a database of ours, or damaged
    ├── CannotServe             the page cannot be served at this address, or with so few files
    ├── Busy                    too much is going on for one more; carries how long to wait
    └── Refused                 a battle's state or owner forbids it; carries a machine-readable reason
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r"(['\"])/[^'\"\n]*/([^'\"/\n]*)\1")
"""An absolute path in quotes, whatever is in its names."""
_FOLDER = re.compile(r"(?<![\w.:/])/(?:[^\s/:;,'\"]+/)+")
"""The beginning of an absolute path, up to its last name."""


def without_folders(words: str) -> str:
    """Return the words with only the last name of each absolute path."""
    return _FOLDER.sub("", _QUOTED.sub(r"\1\2\1", words))


class PlaygroundError(Exception):
    """The root: everything that the playground raises on purpose."""

    @property
    def public(self) -> str:
        """The message as a visitor may read it: without folders of this machine."""
        return without_folders(str(self))


class InvalidValue(PlaygroundError, ValueError):
    """Something from outside is not what it has to be."""


class InvalidInstruction(InvalidValue):
    """Text that cannot be sent to a model."""


class InvalidCard(InvalidValue):
    """A card file that cannot be read as one."""


class InvalidTemplate(InvalidValue):
    """A template file that cannot be read as one."""


class PromptTooLong(InvalidValue):
    """Prompt and answer together do not fit the context of a chosen model."""


class Unknown(PlaygroundError, KeyError):
    """A name that nothing answers to."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""


class TokenizerError(PlaygroundError):
    """A tokenizer file is missing, broken or of another kind."""


class EngineError(PlaygroundError):
    """A model could not be loaded or could not answer."""


class CheckpointError(EngineError):
    """A checkpoint's files are missing, truncated, poisoned or of another shape."""


class HubError(PlaygroundError):
    """A model could not be fetched from the hub, or not be kept here."""


class StorageError(PlaygroundError):
    """The database or its folder cannot be used as asked."""


class DatabaseLocked(StorageError):
    """Another process writes to the database."""


class DatabaseNewer(StorageError):
    """The database was written by a newer version of the playground."""


class DatabaseDiffers(StorageError):
    """The database's schema is not that of the version it claims."""


class DatabaseBroken(StorageError):
    """The file is not a database of the playground, or is damaged."""


class CannotServe(PlaygroundError):
    """The page cannot be served: the address is not to be had, or too few files may be open."""


class Busy(PlaygroundError):
    """Too much is going on for one more; `wait_s` says for about how long, in whole seconds."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Refused(PlaygroundError):
    """A battle's state or owner forbids what was asked.

    `reason` is one of ``unknown | unfinished | foreign | expired | void | final | writing | erased``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
