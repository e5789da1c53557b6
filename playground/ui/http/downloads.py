"""The files of the Data page: ``/data/export``, ``/data/progress`` and ``/data/manifest``.

A file is written to a temporary folder, from one snapshot, in a thread; then it is sent in pieces. The folder is
removed at the end, also if the visitor leaves before it.

Boundary: pure ASGI, behind `CallGate`, which counts requests. Checks by itself who may have the data; `exchange` writes
the files.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from pathlib import Path

from starlette.requests import Request

from playground.arena.arena import Arena
from playground.clock import Clock
from playground.errors import Busy, InvalidValue, PlaygroundError, Refused, StorageError
from playground.storage.maintenance.disk_space import DiskSpace
from playground.ui.data_address import check_access
from playground.ui.http.asgi import ASGIApp, Header, Receive, Scope, Send, host_of
from playground.ui.http.export_line import MADE_AT_ONCE, ExportLine, ExportProgress, Remembered, Stage, is_ticket
from playground.ui.http.operator import scope_status
from playground.ui.http.orders import DiskFull, Order, WrittenFile, disk_error, read_order, write_file
from playground.ui.http.rater_cookie import rater_of
from playground.ui.http.responses import NEVER_STORED, refuse, respond, respond_json, retry_after
from playground.ui.query import read_query
from playground.ui.texts import data as texts
from playground.ui.texts.refusals import BROKEN

log = logging.getLogger(__name__)

EXPORT, PROGRESS, MANIFEST = "/data/export", "/data/progress", "/data/manifest"
ROUTES = (EXPORT, PROGRESS, MANIFEST)
FOLDER = "playground-export-"
"""The beginning of a temporary folder's name."""
LEFT_OVER_S = 24 * 3600
"""Age of a folder that a process left behind when it was killed."""
PIECE_BYTES = 256 * 1024
STALL_S = 60.0
"""The longest wait until a visitor takes a piece of their file."""


class Abandoned(PlaygroundError):
    """The visitor has left before the file was written."""


class DownloadRoutes:
    """Answer `ROUTES`; pass everything else on."""

    def __init__(
        self,
        app: ASGIApp,
        arena: Arena,
        line: ExportLine | None = None,
        stall_s: float = STALL_S,
        clock: Clock | None = None,
    ) -> None:
        self._app = app
        self._arena = arena
        self._line = line or ExportLine()
        self._stall_s = stall_s
        self._clock = clock or Clock()
        self._threads = ThreadPoolExecutor(MADE_AT_ONCE, thread_name_prefix="export")
        self._tickets: Remembered[ExportProgress] = Remembered()
        self._manifests: Remembered[str] = Remembered()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in ROUTES or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            check_access(self._arena.settings, scope_status(scope))
            query = read_query(scope.get("query_string", b"").decode("latin-1"))
            if scope["path"] == EXPORT:
                await self._export(scope, receive, send, query)
            elif scope["path"] == PROGRESS:
                await self._progress(scope, send, query)
            else:
                await self._manifest(scope, send, query)
        except PlaygroundError as error:
            await refuse(scope, send, *refusal(error))

    async def _progress(self, scope: Scope, send: Send, query: Mapping[str, str]) -> None:
        progress = self._tickets.get(query.get("ticket", ""))
        if progress is None:
            await refuse(scope, send, 404, texts.NO_TICKET)
        else:
            await respond_json(scope, send, 200, progress_document(progress))

    async def _manifest(self, scope: Scope, send: Send, query: Mapping[str, str]) -> None:
        manifest = self._manifests.get(query.get("sha256", ""))
        if manifest is None:
            await refuse(scope, send, 404, texts.NO_MANIFEST)
        else:
            name = [(b"content-disposition", b'attachment; filename="playground-manifest.json"')]
            await respond(scope, send, 200, "application/json", manifest, name)

    async def _export(self, scope: Scope, receive: Receive, send: Send, query: Mapping[str, str]) -> None:
        """Write and send a file, unless the visitor leaves."""
        order = read_order(query, scope_status(scope).is_operator, self._arena.policy, self._clock.now())
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": 200, "headers": file_headers(order)})
            await send({"type": "http.response.body"})
            return
        progress = ExportProgress()
        if is_ticket(query.get("ticket", "")):
            self._tickets.keep(query["ticket"], progress)
        work = asyncio.ensure_future(self._serve(scope, send, order, progress))
        leaving = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            progress.is_gone = not work.done()
            for task in (work, leaving):
                task.cancel()
            await asyncio.wait((work, leaving))
        if not work.cancelled():
            self._note_failure(work.exception(), progress)
            work.result()

    def _note_failure(self, error: BaseException | None, progress: ExportProgress) -> None:
        if error is not None:
            words = refusal(error)[1] if isinstance(error, PlaygroundError) else BROKEN
            progress.stage, progress.error = Stage.FAILED, words

    async def _serve(self, scope: Scope, send: Send, order: Order, progress: ExportProgress) -> None:
        visitor = rater_of(Request(scope)) or host_of(scope)
        async with self._line.turn(visitor, progress) as written:
            folder = Path(await asyncio.to_thread(_new_folder))
            try:
                file = await self._write(order, folder, progress)
                written()
                self._manifests.keep(file.sha256, file.manifest)
                progress.manifest, progress.rows, progress.size_bytes = file.sha256, file.rows, file.size_bytes
                await self._send(scope, send, order, file, progress)
            finally:
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    async def _write(self, order: Order, folder: Path, progress: ExportProgress) -> WrittenFile:
        """Write the file in a thread, and wait for its end even if the visitor leaves: it uses the folder."""
        progress.stage = Stage.WRITING
        space = DiskSpace(folder, self._arena.settings.min_free_bytes)

        def step(done: int, total: int) -> None:
            progress.done, progress.total = done, total
            if progress.is_gone:
                raise Abandoned(texts.ABANDONED)
            try:
                space.check()
            except StorageError as error:  # its message is about comparisons
                raise DiskFull(texts.DISK_FULL) from error

        loop = asyncio.get_running_loop()
        language = copy_context()  # an executor's threads speak English
        work = partial(language.run, write_file, self._arena.store, order, folder, step)
        future = loop.run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            progress.is_gone = True
            with suppress(PlaygroundError):
                await future
            raise

    async def _send(self, scope: Scope, send: Send, order: Order, file: WrittenFile, progress: ExportProgress) -> None:
        progress.stage = Stage.SENDING
        link = f'<manifest?sha256={file.sha256}>; rel="describedby"; type="application/json"'
        headers = [
            *file_headers(order),
            (b"content-length", str(file.size_bytes).encode()),
            (b"link", link.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        with file.path.open("rb") as opened:
            while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
                try:
                    async with asyncio.timeout(self._stall_s):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                except TimeoutError:  # the response stays incomplete, so that the connection is closed
                    log.warning("a visitor has not taken a piece of their export for %.0f s", self._stall_s)
                    progress.stage, progress.error = Stage.FAILED, texts.STALLED
                    return
        await send({"type": "http.response.body"})
        progress.stage = Stage.SENT


def refusal(error: PlaygroundError) -> tuple[int, str, list[Header]]:
    """Return status, message and headers of the response to a request that failed."""
    match error:
        case Busy():
            return 429, error.message, retry_after(error.wait_s)
        case Refused():
            return 403, error.message, []
        case InvalidValue():
            return 400, error.public, []
        case DiskFull():
            return 507, error.message, []
        case StorageError():
            return 503, texts.NOT_WRITTEN.format(reason=error.public), []
    return 500, error.public, []


def progress_words(progress: ExportProgress) -> str:
    """Return the stage of a file in words."""
    return texts.progress(progress.stage, progress.ahead, progress.share, progress.rows, progress.size_bytes)


def progress_document(progress: ExportProgress) -> dict[str, object]:
    """Return the progress of a file, with words for the visitor."""
    manifest = f"./data/manifest?sha256={progress.manifest}" if progress.manifest else ""
    return {
        "stage": progress.stage.value,
        "share": progress.share,
        "words": progress.error or progress_words(progress),
        "manifest": manifest,
    }


def file_headers(order: Order) -> list[Header]:
    """Return the headers of a file, without its length."""
    return [
        (b"content-type", order.media_type.encode()),
        (b"content-disposition", f'attachment; filename="{order.file_name}"'.encode()),
        *NEVER_STORED,
    ]


async def _until_gone(receive: Receive) -> None:
    """Return when the visitor has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _new_folder() -> str:
    """Make a temporary folder; remove those of processes that were killed."""
    before_s = time.time() - LEFT_OVER_S
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with suppress(OSError):
            if folder.stat().st_mtime < before_s:
                shutil.rmtree(folder, ignore_errors=True)
    try:
        return tempfile.mkdtemp(prefix=FOLDER)
    except OSError as error:
        raise disk_error(error) from error
