"""The program as its user starts it: a page, two answers, a vote, and an end that leaves no process."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from playground.storage.database.store import Store
from tests.conftest import start_app, stop_app
from tests.house.test_bad_input import PAIR, ask, call
from tests.support.processes import family, maps, survivors


def test_app_serves_a_page_takes_a_vote_and_ends(tmp_path: Path) -> None:
    app = start_app(tmp_path, f"--models={','.join(PAIR)}", forked=False)
    try:
        with urllib.request.urlopen(app.url, timeout=60) as page:
            assert b"window.gradio_config" in page.read()
        battle = ask(app, "What is an alpaca?", blind=True)
        assert all(column["text"] for column in battle["columns"])
        (answer,) = call(app, "vote", {"battle_id": battle["battle_id"], "choice": "a"})[1]
        assert (answer["accepted"], set(answer["reveal"].values())) == (True, set(PAIR))
        children = family(app.process.pid)
        assert "libtorch" not in maps(app.process.pid)
        assert sum("libtorch" in maps(pid) for pid in children) >= len(PAIR)
    finally:
        stop_app(app)
    assert survivors(children) == []
    with Store(app.db, read_only=True) as store:
        assert store.count_votes() == 1
