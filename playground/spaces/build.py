"""Write the folder that is pushed to a Space.

The same recipe gives the same bytes. A folder is written if it is empty or holds an earlier build: files of the earlier
build that are no longer needed are deleted, files that somebody added stay, and files that somebody changed stop the
build.

Boundary: writes below one folder; uploads nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playground.catalog.catalog import Catalog
from playground.errors import InvalidValue
from playground.spaces.front_matter import PICTURE, check_space_id, front_matter
from playground.spaces.marker import MARKER, Marker, digest, fingerprint, read_marker
from playground.spaces.recipe import Recipe
from playground.spaces.requirements import pins, space_requirements
from playground.spaces.sources import FOLDERS, ROOT, code_files

TEXT = Path(__file__).parent / "readme.txt"
"""The README of a Space below its settings."""
GIT_ATTRIBUTES = "*.safetensors *.model *.png"
"""Files that the hub's git takes through LFS only; `hf upload` does so by itself."""
OWN = (".git",)
"""Names that a folder may hold before the first build."""
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a build."""

    kind: str
    folder: str
    files: int
    bytes: int
    code: str  # the fingerprint that /health of the running Space shows
    hardware: str
    models: tuple[str, ...]  # preloaded from the hub


@dataclass(frozen=True, slots=True)
class Options:
    """The operator's choices beside the recipe."""

    space_id: str = ""  # owner/name, for the link preview and the commands in the README
    torch_index: str = ""
    replace: bool = False  # overwrite files of an earlier build that somebody changed
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)  # to preload, by repository; of others everything


def build_space(folder: Path, recipe: Recipe, catalog: Catalog, options: Options, root: Path = ROOT) -> Built:
    """Write a Space to a folder, which is created if missing.

    Raises:
        InvalidValue: the folder holds something else, or a changed file of an earlier build; nothing was written.
    """
    code = code_files(root)
    files = {**_own_files(recipe, catalog, options, root), **code}
    if any(folder.resolve().is_relative_to(root / part) for part in FOLDERS):
        raise InvalidValue(f"{folder} is inside of the code that is copied; name a folder elsewhere")
    marker = write_files(folder, recipe.kind, files, code, replace=options.replace)
    size = sum(len(content) for content in files.values())
    models = tuple(card.id for card in recipe.cards)
    return Built(recipe.kind, str(folder), len(files) + 1, size, marker.code, recipe.hardware, models)


def write_files(folder: Path, kind: str, files: Mapping[str, bytes], code: Collection[str], *, replace: bool) -> Marker:
    """Write the files of a Space, by path, over those of an earlier build, and return their record.

    Args:
        code: paths of the files whose fingerprint tells which code it is.

    Raises:
        InvalidValue: the folder holds something else, or a changed file of an earlier build; nothing was written.
    """
    earlier = _check_folder(folder, replace)
    hashes = {path: digest(content) for path, content in files.items()}
    marker = Marker(kind, fingerprint({path: hashes[path] for path in code}), hashes)
    folder.mkdir(parents=True, exist_ok=True)
    begun = Marker(marker.kind, "", {**(earlier.files if earlier else {}), **hashes})
    _write(folder / MARKER, begun.text().encode())  # without code: a build that is interrupted can be repeated
    for path, content in files.items():
        _write(folder / path, content)
    for path in sorted((earlier.files.keys() if earlier else set()) - files.keys()):
        _remove(folder, path)
    _write(folder / MARKER, marker.text().encode())
    return marker


def _own_files(recipe: Recipe, catalog: Catalog, options: Options, root: Path) -> dict[str, bytes]:
    """Return the files that exist in no checkout, by path."""
    requirements = (root / "requirements.txt").read_text("utf-8")
    repos = [card.repo for card in (recipe.cards or catalog.cards.values()) if not Path(card.repo).is_absolute()]
    head = front_matter(recipe, pins(requirements)["gradio"], repos, options.space_id, options.files)
    space_id = check_space_id(options.space_id) if options.space_id else "OWNER/NAME"
    text = TEXT.read_text("utf-8").format(picture=PICTURE, space=space_id, about=_about(recipe))
    attributes = "".join(f"{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in GIT_ATTRIBUTES.split())
    return {
        "README.md": (head + text).encode(),
        "requirements.txt": space_requirements(requirements, recipe, options.torch_index).encode(),
        ".gitattributes": attributes.encode(),
        PICTURE: (root / "docs" / "pictures" / PICTURE).read_bytes(),
    }


def _about(recipe: Recipe) -> str:
    if not recipe.cards:
        return (
            "Five pocket models (3 to 4 million parameters each) answer on the CPU. They stand in for OpenAlpaca 7B, "
            "mamba-gpt-3b,\norca_mini 13B, Minotaur MPT 7B and Galpaca 30B."
        )
    names = ", ".join(f"[{card.name}](https://huggingface.co/{card.repo})" for card in recipe.cards)
    return f"The models are {names}."


def _check_folder(folder: Path, replace: bool) -> Marker | None:
    """Return the marker of an earlier build; None for an empty folder or none.

    An unfinished build, whose marker names no code, has changed nothing of somebody's.

    Raises:
        InvalidValue: the folder must not be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidValue(f"{folder} is a file; name a folder")
    found = sorted(path.name for path in folder.iterdir() if path.name not in OWN) if folder.is_dir() else []
    earlier = read_marker(folder) if found else None
    if found and earlier is None:
        raise InvalidValue(
            f"{folder} is not empty and not an earlier build: it holds {_some(found)}; name a new or empty folder"
        )
    changed = [] if earlier is None or replace or not earlier.code else list(_changed(folder, earlier.files))
    if changed:
        raise InvalidValue(
            f"{folder}: {_some(changed)} changed since the last build and would be overwritten; save the changes "
            "elsewhere and add --replace"
        )
    return earlier


def _changed(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Yield the files of a whole build that have another content now; a deleted one is simply written again."""
    for path, known in files.items():
        file = _inside(folder, path)
        if file.is_file() and digest(file.read_bytes()) != known:
            yield path


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"


def _inside(folder: Path, path: str) -> Path:
    """Return the file of a path in a marker; raise InvalidValue if it leaves the folder."""
    file = folder / path
    if not file.resolve().is_relative_to(folder.resolve()):
        raise InvalidValue(f"{folder / MARKER} names {path!r}, which is outside of the folder; build into a new one")
    return file


def _write(file: Path, content: bytes) -> None:
    """Write a file that has another content; each is replaced as a whole."""
    if file.is_file() and file.read_bytes() == content:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(content)
    new.replace(file)


def _remove(folder: Path, path: str) -> None:
    """Delete a file of an earlier build and the folders that it leaves empty."""
    file = _inside(folder, path)
    file.unlink(missing_ok=True)
    for parent in file.parents:
        if parent == folder or not parent.is_dir() or any(parent.iterdir()):
            return
        parent.rmdir()
