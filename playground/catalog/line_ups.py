"""Line-ups: lists of models under a name, which is valid wherever models are named.

Boundary: reads files; knows no card. A file is described in playground/catalog/cards/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from playground.documents import check_id, load_toml, read_values, strict_keys, toml_files
from playground.errors import InvalidCard
from playground.records.models import Filled

FOLDER = "line_ups"
"""The folder of line-ups, in a folder of cards."""
POCKET, LAPTOP = "pocket", "laptop"


@strict_keys
@dataclass(frozen=True, slots=True)
class NamedLineUp:
    """A list of models; its name is that of its file."""

    description: Filled
    models: Annotated[tuple[Filled, ...], Field(min_length=1)]  # ids of cards


def load_line_ups(card_folders: Iterable[Path], card_files: Mapping[str, Path]) -> Mapping[str, NamedLineUp]:
    """Return the line-ups by name; one in a later folder replaces one of the same name.

    Args:
        card_files: the file of each card, by id.

    Raises:
        InvalidCard: a file that cannot be read, one with the name of a card, or one that names an unknown card.
    """
    folders = [folder / FOLDER for folder in card_folders if (folder / FOLDER).is_dir()]
    return {path.stem: _read(path, card_files) for path in toml_files(folders, InvalidCard)}


def _read(path: Path, card_files: Mapping[str, Path]) -> NamedLineUp:
    values, _ = load_toml(path, InvalidCard)
    check_id(path.stem, path, InvalidCard)
    line_up = read_values(NamedLineUp, values, str(path), InvalidCard)
    if path.stem in card_files:
        raise InvalidCard(
            f"{path}: a card has the same name, {card_files[path.stem]}; rename the one of the two files that is yours"
        )
    unknown = next((model for model in line_up.models if model not in card_files), None)
    if unknown is not None:
        raise InvalidCard(f"{path}: 'models' names {unknown!r}; valid: {', '.join(card_files)}")
    return line_up
