"""The page, the API and ``/health`` show no folder of the server."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest

from playground.errors import PlaygroundError, StorageError, without_folders
from playground.settings import Settings
from tests.conftest import models_are_up, start_app, stop_app
from tests.support.calling import Visitor, compare, ended, press
from tests.support.serving import Playground, playground
from tests.ui.http.test_health import begin, fetch


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("/srv/play/votes.db was deleted", "votes.db was deleted"),
        ("cannot read '/srv/my data/votes.db'", "cannot read 'votes.db'"),
        ("[Errno 2] No such file: '/srv/a/b'", "[Errno 2] No such file: 'b'"),
        ("it holds (/srv/play/votes.db.lock); stop it", "it holds (votes.db.lock); stop it"),
        ("valid: /compare, /vote", "valid: /compare, /vote"),
        ("and/or, 3/4, https://example.org/a/b", "and/or, 3/4, https://example.org/a/b"),
        ("org/name is no model", "org/name is no model"),
    ],
)
def test_absolute_path_is_shown_without_its_folders(words: str, shown: str) -> None:
    assert without_folders(words) == shown
    assert PlaygroundError(words).public == shown
    assert str(StorageError(words)) == words, "the log and the command line say all of it"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, models_of_one_process: None) -> Iterator[Playground]:
    """A served page; the last test of this file moves its database away."""
    db = tmp_path_factory.mktemp("app") / "playground.db"
    with playground(Settings(db=db, models="pocket-orca-mini,pocket-galpaca")) as app:
        yield app


@pytest.mark.slow  # the second app waits ten seconds for the lock
def test_message_of_a_read_only_database_hides_its_folder(app: Playground) -> None:
    second = start_app(app.db.parent, "--models", "pocket-orca-mini")
    try:
        said = fetch(begin(second, "compare", instruction="What is an alpaca?"))[1]
        visitor = Visitor(second.url)
        config = visitor.get("config").document
        chips = [fn for fn in config["dependencies"] if "load" in str(fn["targets"])]
        drawn = b"".join(visitor.join(fn["id"], [None] * len(fn["inputs"])).body for fn in chips)
        with urllib.request.urlopen(second.url, timeout=60) as page:
            said += drawn + page.read()
        assert b"another program writes to playground.db" in said
        assert str(app.db.parent).encode() not in said
    finally:
        stop_app(second)


def test_message_of_a_lost_database_hides_its_folder(app: Playground) -> None:
    models_are_up(app.url)
    visitor = Visitor(app.url)
    config = visitor.get("config").document
    battle = compare(visitor, config)
    ended(app, battle)
    program = json.loads(
        fetch(begin(app, "compare", instruction="What is an alpaca?"))[1].decode().strip().splitlines()[-1][6:]
    )[0]
    app.db.rename(app.db.with_name("moved.db"))
    said = [
        fetch(begin(app, "compare", instruction="What is an alpaca?"))[1],
        fetch(begin(app, "vote", battle_id=program["battle_id"], choice="a"))[1],
        fetch(begin(app, "leaderboard"))[1],
        fetch(begin(app, "models"))[1],
        fetch(f"{app.url}/gradio_api/run/vote", {"data": [program["battle_id"], "a", [], ""]})[1],
        fetch(f"{app.url}/health")[1],
        fetch(app.url)[1],
        fetch(f"{app.url}/leaderboard")[1],
        press(visitor, config, "vote").body,
        press(visitor, config, "refresh").body,
    ]
    assert any(b"was deleted or moved" in reply for reply in said)
    for reply in said:
        assert str(app.db.parent).encode() not in reply
