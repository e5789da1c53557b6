"""The API of the real program with the pocket models, by gradio_client and plain HTTP."""

from __future__ import annotations

import itertools
import json
import re
import urllib.request
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.conftest import LiveApp
from tests.support.paths import ROOT
from tests.support.processes import frozen_models


@pytest.fixture(scope="module")
def client(live_app: LiveApp) -> Client:
    return Client(live_app.url, verbose=False, headers={"X-Playground-Rater": "ann"})


def compare(client: Client, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
    job = client.submit(*args, api_name="/compare", **kwargs)
    snapshots = list(job)
    job.result()  # raises what the endpoint raised
    return snapshots


def over_http(app: LiveApp, endpoint: str, **fields: Any) -> list[Any]:
    """Return the events that ``/call/v2`` sends."""
    base = f"{app.url}/gradio_api/call/v2/{endpoint}"
    request = urllib.request.Request(
        base, json.dumps(fields).encode(), {"Content-Type": "application/json", "X-Playground-Rater": "ann"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{base}/{event}", timeout=60) as reply:
        lines = reply.read().decode().splitlines()
    return [json.loads(line.removeprefix("data: "))[0] for line in lines if line.startswith("data: [")]


def test_refused_comparison_yields_nothing_and_its_result_says_why(client: Client) -> None:
    job = client.submit("", api_name="/compare")
    assert list(job) == []
    with pytest.raises(AppError, match="the instruction is empty"):
        job.result()


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_documented_example_runs(live_app: LiveApp, page: str, capsys: pytest.CaptureFixture[str]) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert block is not None
    exec(block[1].replace("http://127.0.0.1:7860", live_app.url), {})
    assert "'accepted': True" in capsys.readouterr().out


def test_compare_streams_growing_columns_with_models_in_open_mode(client: Client) -> None:
    snapshots = compare(client, "What is the capital of France?", models=["pocket-orca-mini", "pocket-galpaca"])
    assert len({s["battle_id"] for s in snapshots}) == 1
    for side in range(2):
        texts = [s["columns"][side]["text"] for s in snapshots]
        assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
        assert texts[-1]
    last = snapshots[-1]
    assert last["state"] == "open"
    assert [c["model"] for c in last["columns"]] == ["pocket-orca-mini", "pocket-galpaca"]
    assert {c["state"] for c in last["columns"]} == {"done"}
    assert {c["finish_reason"] for c in last["columns"]} <= {"stop", "length"}
    assert {c["error"] for c in last["columns"]} == {None}


def test_plain_http_takes_keywords_and_defaults(live_app: LiveApp) -> None:
    last = over_http(live_app, "compare", instruction="What is an alpaca?")[-1]
    assert last["state"] == "open"
    assert len(last["columns"]) == 2
    verdict = over_http(live_app, "vote", battle_id=last["battle_id"], choice="a")[-1]
    assert verdict["accepted"] is True
    assert verdict["reveal"] == {c["side"]: c["model"] for c in last["columns"]}


def test_blind_battle_names_no_model_until_the_vote(client: Client, live_app: LiveApp) -> None:
    known = {row["id"] for row in client.predict(api_name="/models")}
    snapshots = compare(client, "What is the capital of Italy?", blind=True)
    for snapshot in snapshots:
        for column in snapshot["columns"]:
            assert set(column) == {"side", "state", "text", "error"}
    vote = client.predict(snapshots[-1]["battle_id"], "tie", api_name="/vote")
    assert set(vote["reveal"].values()) <= known
    assert len(vote["reveal"]) == 2


def test_a_repeated_vote_gets_the_stored_answer(client: Client) -> None:
    battle = compare(client, "What is the capital of Spain?")[-1]["battle_id"]
    first = client.predict(battle, "b", reasons=["correct"], comment="short", api_name="/vote")
    assert first == client.predict(battle, "b", api_name="/vote") == client.predict(battle, "a", api_name="/vote")
    assert first["choice"] == "b"


def test_refused_vote_has_a_reason(client: Client, live_app: LiveApp) -> None:
    assert client.predict("0" * 32, "a", api_name="/vote") == {"accepted": False, "reason": "unknown"}
    stranger = Client(live_app.url, verbose=False, headers={"X-Playground-Rater": "bob"})
    with frozen_models(live_app.process.pid):
        job = client.submit("Write a story about a fox.", blind=True, api_name="/compare")
        battle = next(job)["battle_id"]
        assert stranger.predict(battle, "a", api_name="/vote") == {"accepted": False, "reason": "unfinished"}
    assert list(job)[-1]["state"] == "open"


def test_a_seed_repeats_an_answer_and_is_refused_while_blind(client: Client) -> None:
    ask: dict[str, Any] = {
        "models": ["pocket-orca-mini", "pocket-orca-mini"],
        "params": {"do_sample": True, "temperature": 1.5, "seed": 7},
    }
    columns = compare(client, "Tell me about the sea.", **ask)[-1]["columns"]
    assert columns[0]["text"] == columns[1]["text"]
    with pytest.raises(AppError, match="seed cannot be given while blind"):
        compare(client, "Tell me about the sea.", blind=True, **ask)


def test_each_model_has_parameters_of_its_own(client: Client) -> None:
    ask: dict[str, Any] = {"models": ["pocket-orca-mini"] * 2, "params": [{"max_new_tokens": 2}, {"max_new_tokens": 9}]}
    columns = compare(client, "Tell me about the sea.", **ask)[-1]["columns"]
    assert len(columns[0]["text"]) < len(columns[1]["text"])
    with pytest.raises(AppError, match="settings per column need open mode"):
        compare(client, "Tell me about the sea.", blind=True, **ask)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"instruction": ""}, "instruction"),
        ({"instruction": "  \n "}, "instruction"),
        ({"instruction": "x" * 4001}, "4,?000"),
        ({"instruction": "hi", "models": ["gpt-9", "pocket-galpaca"]}, "gpt-9"),
        ({"instruction": "hi", "models": ["pocket-galpaca"]}, "2 to 6"),
        ({"instruction": "hi", "models": "pocket-galpaca"}, "models"),
        ({"instruction": "hi", "params": {"warmth": 1}}, "warmth"),
        ({"instruction": "hi", "params": {"temperature": "hot"}}, "temperature"),
        ({"instruction": "hi", "params": {"top_p": 0}}, "top_p"),
        ({"instruction": "hi", "params": [{}, {"top_p": 0}], "models": ["pocket-galpaca"] * 2}, "top_p"),
        ({"instruction": "hi", "params": [{}] * 7}, "up to 6"),
        ({"instruction": "hi", "blind": "yes"}, "blind"),
        ({"instruction": "word " * 700}, "context|tokens"),
    ],
)
def test_invalid_input_gets_the_visitors_message(client: Client, fields: dict, message: str) -> None:
    with pytest.raises(AppError, match=message):
        compare(client, **fields)


def test_models_and_prompt_are_documents(client: Client) -> None:
    rows = client.predict(api_name="/models")
    assert rows[0]["id"].startswith("pocket-")
    assert all({"id", "name", "license", "state"} <= set(row) for row in rows)
    prompt = client.predict("pocket-orca-mini", "hi", api_name="/prompt")
    assert set(prompt) == {"model", "template", "text", "token_ids", "num_tokens"}
    assert prompt["token_ids"][0] == 1
    told = client.predict("pocket-minotaur", "hi", "", "Be brief.", api_name="/prompt")
    assert told["notes"] == ["the system text is left out: the template minotaur has no place for it"]


@pytest.mark.proves("SQL, paths")
def test_path_as_model_id_is_unknown(client: Client) -> None:
    for name in ("/etc", "./playground/pocket/weights/pocket-galpaca", "~", "org/name"):
        with pytest.raises(AppError, match=f"unknown model '{name}'; valid: .*pocket-galpaca"):
            client.predict(name, "hi", api_name="/prompt")


@pytest.mark.parametrize("imported", [True, False])
def test_leaderboard_counts_imported_votes_on_request(client: Client, imported: bool) -> None:
    board = client.predict(imported=imported, api_name="/leaderboard")
    assert board["options"]["policy"]["keep_imported"] is imported


def test_leaderboard_takes_the_filter_of_exports(client: Client) -> None:
    asked = {"origin": "program", "since": "2026-01-01", "models": "pocket-galpaca", "license": "other"}
    board = client.predict(**asked, mine=True, mode="all", api_name="/leaderboard")
    assert board["filter"] == asked | {"rater": "ann"}
    assert board["options"]["policy"]["blind_only"] is False
    with pytest.raises(AppError, match="'since' is 'today'; valid: a day such as"):
        client.predict(since="today", api_name="/leaderboard")


def test_leaderboard_accounts_for_every_vote(client: Client) -> None:
    before = client.predict(api_name="/leaderboard")
    battle = compare(client, "What is the opposite of hot?", blind=True, models=["pocket-galpaca", "pocket-minotaur"])
    client.predict(battle[-1]["battle_id"], "a", api_name="/vote")
    after = client.predict(api_name="/leaderboard")
    assert after["all_votes"] == before["all_votes"] + 1
    left_out = [sum(exclusion["votes"] for exclusion in board["exclusions"]) for board in (before, after)]
    assert after["num_votes"] + left_out[1] == before["num_votes"] + left_out[0] + 1
