"""The order of a file on the Data page: format, container and selected votes; and the writing of it.

Boundary: knows `exchange` and folders, no request.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from playground.errors import InvalidValue, StorageError
from playground.exchange import FORMATS, ExportOptions, export
from playground.ratings.policy import CountingPolicy
from playground.storage.database.store import Store
from playground.storage.maintenance.detached import detached
from playground.ui.data_address import ADDRESS_NAMES, DataAddress, read_address
from playground.ui.query import check_names
from playground.ui.texts import data as texts

Step = Callable[[int, int], None]
"""Called with the number of votes that are done, and of all votes."""


MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "jsonl": "application/x-ndjson",
        "json": "application/json",
        "csv": "text/csv; charset=utf-8",
        "parquet": "application/vnd.apache.parquet",
    }
)
FILE_NAMES = (*ADDRESS_NAMES, "container", "ticket")
"""Names in the address of a file."""


class DiskFull(StorageError):
    """The temporary folder has no space left for a file."""


@dataclass(frozen=True, slots=True)
class Order:
    """A file that a visitor wants."""

    format: str
    container: str  # without its dot
    address: DataAddress
    options: ExportOptions
    day: str  # of its making

    @property
    def file_name(self) -> str:
        """The name under which a browser saves it."""
        part = f"-{self.address.filter.license}" if self.address.filter.license else ""
        return f"playground-{self.format}{part}-{self.day}.{self.container}"

    @property
    def media_type(self) -> str:
        """The type of its content."""
        return MEDIA_TYPES.get(self.container, "application/octet-stream")


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file in a temporary folder."""

    path: Path
    rows: int
    size_bytes: int
    sha256: str
    manifest: str  # JSON


def read_order(query: Mapping[str, str], is_operator: bool, policy: CountingPolicy, now: str) -> Order:
    """Return the order of a file made `now`; without a container the format's first.

    Raises:
        InvalidValue: an unknown format, container, condition or name.
        Refused: raters by id, for somebody else than the operator.
    """
    check_names(query, FILE_NAMES)
    address = read_address(query, is_operator)
    if address.format not in FORMATS:
        raise InvalidValue(texts.NO_FORMAT.format(valid=", ".join(FORMATS)))
    containers = [ending.removeprefix(".") for ending in FORMATS[address.format].containers]
    container = query.get("container", containers[0])
    if container not in containers:
        raise InvalidValue(
            texts.NO_CONTAINER.format(format=address.format, container=container, valid=", ".join(containers))
        )
    if address.apart:
        raise InvalidValue(texts.APART_IS_TWO_FILES)
    return Order(address.format, container, address, export_options(address, policy, now), now[:10])


def export_options(address: DataAddress, policy: CountingPolicy, now: str) -> ExportOptions:
    """Return the options of an export of votes that are final `now`: others would tell models of blind battles."""
    return ExportOptions(
        filter=address.filter,
        counted_only=address.counted_only,
        anonymous=not address.ids,  # only the operator's address has them
        policy=policy,
        final_by=now,
        running_studies=address.ids,  # raters would see what others voted
    )


def disk_error(error: OSError) -> StorageError:
    """Return the error of a file that cannot be written, for visitors."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(texts.DISK_FULL)
    return StorageError(texts.TEMPORARY_FOLDER.format(reason=error.strerror))


def write_file(store: Store, order: Order, folder: Path, step: Step) -> WrittenFile:
    """Write the file and its manifest to a folder.

    Raises:
        InvalidValue: the format has no file for these votes.
        DiskFull: no space is left.
        StorageError: the database cannot be read, or the folder not be written.
    """
    try:
        with detached(store, folder) as source:
            exported = export(source, order.format, folder / order.file_name, order.options, progress=step)
        return WrittenFile(
            path=exported.files[0].path,
            rows=exported.rows,
            size_bytes=exported.files[0].bytes,
            sha256=exported.files[0].sha256,
            manifest=exported.manifest.read_text("utf-8"),
        )
    except StorageError as error:
        if isinstance(error.__cause__, OSError):
            raise disk_error(error.__cause__) from error
        raise
    except OSError as error:
        raise disk_error(error) from error
