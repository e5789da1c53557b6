"""The tree of errors that the playground raises on purpose.

Boundary: knows neither the code that raises them nor the code that shows them. Each message names the thing, the valid
values if there are any, and the next step. It may name files of this machine; visitors are shown `public`, which leaves
out their folders.

    PlaygroundError
    ├── InvalidValue            invalid input or an invalid file (also a ValueError)
    │   ├── InvalidInstruction      text that cannot be sent to a model
    │   ├── InvalidCard             a card file that cannot be read
    │   ├── InvalidTemplate         a template file that cannot be read
    │   ├── InvalidStudy            a study's file that cannot be used
    │   ├── InvalidLink             a panel's link that opens nothing
    │   └── PromptTooLong           prompt and answer do not fit a model's context
    ├── Unknown                 an unknown name (also a KeyError)
    ├── TokenizerError          a tokenizer file is missing, broken or of another kind
    ├── EngineError             a model could not be loaded or could not answer
    │   └── CheckpointError         its files are missing, truncated, poisoned or of another shape
    ├── HubError                a model could not be fetched from the hub
    │   └── DatasetError            a dataset could not be read or written; carries whether a later try may succeed
    ├── StorageError            the database or its folder
    │   ├── DatabaseLocked          another process writes to it
    │   ├── DatabaseNewer           written by a newer version of the playground
    │   ├── DatabaseDiffers         its schema is not that of the version it claims
    │   ├── DatabaseBroken          not a database of ours, or damaged
    │   └── ReadTooLong             a read was stopped because votes waited for it
    ├── KeysUnavailable         the keys that a panel signs its links with cannot be fetched
    ├── CannotServe             the page cannot be served: address in use, or too few open files
    ├── Busy                    the limit is reached; carries the time to wait
    └── Refused                 a battle's state or owner forbids it; carries a machine-readable reason
"""

from __future__ import annotations

import re
from pathlib import PurePath

from playground.messages import Message

_QUOTED = re.compile(r"(['\"])/[^'\"\n]*/([^'\"/\n]*)\1")
"""An absolute path in quotes; its names may hold any character."""
_FOLDER = re.compile(r"(?<![\w.:/])/(?:[^\s/:;,'\"]+/)+")
"""The folders of an absolute path."""


def without_folders(words: str) -> str:
    """Return the words with only the last name of each absolute path; a message stays one if its fields allow it."""
    public = _FOLDER.sub("", _QUOTED.sub(r"\1\2\1", str(words)))
    if isinstance(words, Message):
        named = {name: field.name if isinstance(field, PurePath) else field for name, field in words.fields.items()}
        fields = {name: without_folders(field) if isinstance(field, str) else field for name, field in named.items()}
        message = Message(words.template, **fields)
        return message if message == public else public
    return public


class PlaygroundError(Exception):
    """The root of the tree."""

    @property
    def message(self) -> str:
        """The message as it was raised: one that can be said in another language stays one, which `str` flattens."""
        said = self.args[0] if self.args else ""
        return said if isinstance(said, Message) else str(self)

    @property
    def public(self) -> str:
        """The message for visitors: without folders of this machine."""
        return without_folders(self.message)


class InvalidValue(PlaygroundError, ValueError):
    """Invalid input, or an invalid file."""


class UnknownCategory(InvalidValue):
    """A category that neither the starters nor the votes have."""


class InvalidInstruction(InvalidValue):
    """Text that cannot be sent to a model."""


class InvalidCard(InvalidValue):
    """A card file that cannot be read."""


class InvalidTemplate(InvalidValue):
    """A template file that cannot be read."""


class InvalidStudy(InvalidValue):
    """A study's file that cannot be used."""


class InvalidLink(InvalidValue):
    """A link of a panel that opens nothing: incomplete, forged, expired, or of another study."""


class PromptTooLong(InvalidValue):
    """Prompt and answer together do not fit the context of a chosen model."""


class Unknown(PlaygroundError, KeyError):
    """An unknown name."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""


class TokenizerError(PlaygroundError):
    """A tokenizer file is missing, broken or of another kind."""


class EngineError(PlaygroundError):
    """A model could not be loaded or could not answer."""


class CheckpointError(EngineError):
    """A checkpoint's files are missing, truncated, poisoned or of another shape."""


class HubError(PlaygroundError):
    """A model could not be fetched from the hub, or not be stored here."""


class DatasetError(HubError):
    """A dataset of the hub could not be read or written.

    `status` is the hub's answer (0: there was none), `is_final` is True if a later try alone does not help, and
    `retry_after_s` is the wait that the hub asks for (0: none).
    """

    def __init__(self, message: str, *, status: int = 0, is_final: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.is_final = is_final
        self.retry_after_s = retry_after_s


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


class ReadTooLong(StorageError):
    """A read took longer than votes may wait for it."""


class KeysUnavailable(PlaygroundError):
    """The keys that a panel signs its links with cannot be fetched."""


class CannotServe(PlaygroundError):
    """The page cannot be served: its address is not available, or too few files may be open."""


class Busy(PlaygroundError):
    """The limit is reached; `wait_s` is about the time to wait, in whole seconds."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Refused(PlaygroundError):
    """A battle's state or owner forbids the action.

    `reason` is one of ``unknown | unfinished | foreign | expired | void | final | writing | erased | hidden``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
