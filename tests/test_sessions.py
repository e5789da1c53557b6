"""Sessions hold what events need and no configuration of components; state goes on from call to call."""

from __future__ import annotations

import gradio as gr
from gradio_client import Client

from playground.ui.sessions import lighten_sessions
from tests.conftest import free_port


def counted(count: int) -> tuple[int, int]:
    return count + 1, count + 1


def test_a_light_session_keeps_state_and_no_configuration() -> None:
    with gr.Blocks() as page:
        count, shown = gr.State(0), gr.Number()
        gr.Button().click(counted, [count], [count, shown], api_name="count")
    page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True)
    try:
        assert page.app.state_holder["before"].config_values
        lighten_sessions(page)
        client = Client(page.local_url, verbose=False)
        assert [client.predict(api_name="/count") for _ in range(3)] == [1, 2, 3]
        assert page.app.state_holder["after"].config_values == {}
        kept = [session.config_values for session in page.app.state_holder.session_data.values()]
        assert not any(config for values in kept[1:] for config in values.values()), "also not of values that passed"
        client.close()
    finally:
        page.close()
