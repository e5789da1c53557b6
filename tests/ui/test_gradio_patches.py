"""The patches fit the installed versions, are left out with others, and slow the queue's polling down."""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import version

import gradio as gr
import httpx
import pytest
from gradio import http_server
from gradio_client import Client
from uvicorn.config import HTTP_PROTOCOLS

from playground.ui import gradio_patches
from playground.ui.gradio_patches import (
    POLL_S,
    WRITTEN_FOR,
    built_at_launch,
    forget_space,
    guard_connections,
    shrink_sessions,
    skip_statistics,
    slow_polling_down,
)
from playground.ui.http.proxies import Proxies
from tests.conftest import free_port


def size(text: str) -> int:
    return len(text)


def test_patches_are_written_for_the_installed_versions() -> None:
    assert {name: version(name) for name in WRITTEN_FOR} == WRITTEN_FOR


def test_patches_are_left_out_with_other_versions(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gradio_patches, "version", lambda name: {"gradio": "7.0.0", "h11": "1.0"}.get(name, "0.54.0"))
    with caplog.at_level(logging.WARNING):
        slow_polling_down(gr.Blocks())
        shrink_sessions(gr.Blocks())
        guard_connections(Proxies())
        forget_space(gr.Blocks())
        with built_at_launch():
            pass
    assert HTTP_PROTOCOLS["auto"] == "uvicorn.protocols.http.auto:AutoHTTPProtocol"
    assert [record.getMessage() for record in caplog.records] == [
        "Not applied: the slower polling of the queue. Check it with gradio 7.0.0, "
        "then edit playground.ui.gradio_patches.",
        "Not applied: the smaller sessions, so that each page view keeps about 350 KB. Check it with gradio 7.0.0, "
        "then edit playground.ui.gradio_patches.",
        "Not applied: the timeouts of connections. Check it with h11 1.0, then edit playground.ui.gradio_patches.",
        "Not applied: the start without a Space's file watcher. Check it with gradio 7.0.0, "
        "then edit playground.ui.gradio_patches.",
        "Not applied: the start that builds all pages at once. Check it with gradio 7.0.0, "
        "then edit playground.ui.gradio_patches.",
    ]


def test_pages_share_built_at_launch_until_the_launch() -> None:
    with built_at_launch():
        with gr.Blocks() as page:
            gr.Markdown("first")
        built = page.app
        with page.route("Second", "/second"):
            gr.Markdown("second")
    assert page.app is built
    with page.route("Third", "/third"):
        gr.Markdown("third")
    assert page.app is not built
    try:
        address = page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True)[1]
        assert all(httpx.get(f"{address}{path}").status_code == 200 for path in ("", "second", "third"))
    finally:
        page.close()


def test_space_starts_without_a_file_watcher_and_without_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("SPACE_ID", "ada/playground")
    with monkeypatch.context() as patch:
        patch.setattr(http_server, "get_space", http_server.get_space)  # put back afterwards
        with gr.Blocks() as page:
            gr.api(size, api_name="size")
        assert page.space_id == "ada/playground"
        forget_space(page)
        page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True)
        try:
            assert page.config["space_id"] is None
            assert page.server.reloader is None
        finally:
            page.close()
    assert "GRADIO_HOT_RELOAD" not in capsys.readouterr().out


@pytest.mark.parametrize(("given", "named"), [({}, []), ({"GRADIO_ANALYTICS_CACHE_FREQUENCY": "1"}, ["size"])])
def test_queue_makes_no_table_of_its_events_unless_asked(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], named: list[str]
) -> None:
    skip_statistics(given)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    queue = gr.Blocks()._queue
    queue.events_recorded = 10_000
    made = queue.compute_analytics_summary([{"function": "size", "status": "success", "process_time": 0.1}])
    assert list(made["functions"]) == named


@pytest.mark.slow
def test_idle_queue_polls_seldom_and_events_still_pass_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with gr.Blocks() as page:
        gr.api(size, api_name="size")
    page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True)
    try:
        assert page._queue.sleep_when_free < POLL_S, "else the patch is not needed any more"
        assert page._queue.progress_update_sleep_when_free < 1
        slow_polling_down(page)
        slept: list[float] = []
        sleep = asyncio.sleep

        async def note(delay: float) -> None:
            slept.append(delay)
            await sleep(delay)

        monkeypatch.setattr("gradio.queueing.asyncio.sleep", note)
        client = Client(page.local_url, verbose=False)
        assert client.predict("four", api_name="/size") == 4
        client.close()
        assert POLL_S in slept
        assert not [delay for delay in slept if 0 < delay < POLL_S]
    finally:
        page.close()
