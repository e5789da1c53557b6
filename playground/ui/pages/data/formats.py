"""HTML of the export formats of the Data page: purpose, files to download, and a look inside.

Boundary: strings from records; every value of a row is escaped and cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from playground.exchange import LeftOut
from playground.ui.data_address import FORMAT, DataAddress
from playground.ui.rendering import escape
from playground.ui.texts import data as texts
from playground.ui.texts import formats as numbers
from playground.ui.texts.language import said

HEADING = "data-formats-head"
CELL_CHARS = 120
OPERATORS_CURES = ("hidden", "unknown_license")
"""Reasons to leave rows out that only the operator can cure."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A format in the list."""

    name: str
    purpose: str
    containers: tuple[str, ...]  # without dots


@dataclass(frozen=True, slots=True)
class Inside:
    """A look inside one format: its size and first rows."""

    rows: int
    size_bytes: int  # estimated, of the first container
    commercial: int  # rows for commercial use
    left_out: tuple[LeftOut, ...] = ()
    columns: tuple[str, ...] = ()
    first: tuple[Mapping[str, Any], ...] = ()
    error: str = ""  # the reason why this format has no file for the address


def formats_html(kinds: Sequence[Kind], address: DataAddress, inside: Inside | None, is_operator: bool) -> str:
    """Return the list of formats; the selected one is open."""
    items = "".join(
        _item(kind, address, inside if kind.name == address.format else None, is_operator) for kind in kinds
    )
    head = f"<h2 id='{HEADING}'>{escape(texts.DOWNLOADS)}</h2>"
    return f"<section aria-labelledby='{HEADING}'>{head}<ul class='formats'>{items}</ul></section>"


def _item(kind: Kind, address: DataAddress, inside: Inside | None, is_operator: bool) -> str:
    files = "".join(_files(kind, container, address) for container in kind.containers)
    look = _look(kind, address, inside is not None)
    opened = "" if inside is None else _inside(kind, inside, is_operator)
    return (
        f"<li data-format='{escape(kind.name)}'><div class='line'><h3>{escape(kind.name)}</h3>"
        f"<p class='purpose'>{escape(kind.purpose)}</p><p class='files'>{files}{look}</p></div>{opened}</li>"
    )


def _look(kind: Kind, address: DataAddress, is_open: bool) -> str:
    words, label = (texts.CLOSE, texts.CLOSE_LABEL) if is_open else (texts.LOOK, texts.LOOK_LABEL)
    link, id = address.link(**{FORMAT: "" if is_open else kind.name}), f"look-{escape(kind.name)}"
    return (
        f"<a class='look' id='{id}' href='{escape(link)}' data-view data-focus='{id}' "
        f"aria-label='{escape(label.format(format=kind.name))}'>{escape(words)}</a>"
    )


def _files(kind: Kind, container: str, address: DataAddress) -> str:
    """Return the link to a file; two if licenses are kept apart."""
    name = texts.CONTAINERS.get(container, container)
    if not address.apart:
        label = texts.DOWNLOAD_LABEL.format(format=kind.name, container=name)
        return _file(kind, container, address, name, label)
    return "".join(
        _file(
            kind,
            container,
            address.with_license(license),
            f"{name}: {part}",
            texts.DOWNLOAD_LABEL_PART.format(format=kind.name, container=name, part=part),
        )
        for license, part in texts.PARTS.items()
    )


def _file(kind: Kind, container: str, address: DataAddress, words: str, label: str) -> str:
    query = address.query(**{FORMAT: kind.name, "container": container, "before": ""})
    return (
        f"<a class='file' href='./data/export?{escape(query)}' download data-download "
        f"aria-label='{escape(label)}'>{escape(words)}</a>"
    )


def _inside(kind: Kind, inside: Inside, is_operator: bool) -> str:
    facts = facts_html(kind, inside, is_operator)
    return f"<div class='inside'>{facts}{table_html(kind.name, inside.columns, inside.first)}</div>"


def facts_html(kind: Kind, inside: Inside, is_operator: bool) -> str:
    """Return the number of rows, the size, the licenses, and all that is left out."""
    if inside.error:
        return f"<p class='error'>{escape(inside.error)}</p>"
    left_out = [_advised(gone, is_operator) for gone in inside.left_out]
    lines = [size_words(kind, inside), *(f"{said(gone.sentence)}." for gone in left_out), license_words(inside)]
    return "".join(f"<p>{escape(line)}</p>" for line in lines if line)


def _advised(gone: LeftOut, is_operator: bool) -> LeftOut:
    """Return what is left out, without advice that only the operator can follow for anybody else."""
    return gone if is_operator or gone.reason not in OPERATORS_CURES else replace(gone, cure="")


def size_words(kind: Kind, inside: Inside) -> str:
    """Return rows and size."""
    if not inside.rows:
        return texts.INSIDE_NONE
    rows, size = numbers.counted(inside.rows, texts.ROWS), numbers.size(inside.size_bytes)
    return texts.INSIDE.format(rows=rows, size=size, container=texts.CONTAINERS[kind.containers[0]])


def license_words(inside: Inside) -> str:
    """Return how many rows allow commercial use."""
    other = inside.rows - inside.commercial
    if not inside.rows:
        return ""
    if not other:
        return texts.ALL_COMMERCIAL
    return texts.SOME_COMMERCIAL.format(
        commercial=numbers.counted(inside.commercial, texts.ROWS), other=numbers.counted(other, texts.ROWS)
    )


def table_html(name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the first rows as a table that scrolls inside its box, also by keyboard."""
    if not rows:
        return ""
    head = "".join(f"<th scope='col'>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td><div>{escape(cell(row.get(column)))}</div></td>' for column in columns)}</tr>"
        for row in rows
    )
    label = escape(texts.FIRST_ROWS.format(format=name))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='scroll' tabindex='0' role='group' aria-label='{label}'>{table}</div>"


def cell(value: Any) -> str:
    """Return a value as one short line."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return f"{line[:CELL_CHARS]}…" if len(line) > CELL_CHARS else line
