"""After two minutes of people, programs and an attacker at once, the board counts people alone.

All people have the same true preferences, and read from the database which model is on which side. The attacker invents
names, chooses a pair, and votes for the worst model as fast as possible.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client

from playground.ratings.policy import CountingPolicy
from playground.records import Origin
from playground.storage.database.store import Store
from tests.conftest import ROOT, LiveApp, models_are_up, start_app, stop_app
from tests.support.blindness import UNLIMITED, PageVisitor, read_config
from tests.support.judged import build_leaderboard

DURATION_S = 120.0
PEOPLE, PROGRAMS = 40, 3
RATINGS = {
    "pocket-openalpaca": 1300,
    "pocket-mamba-gpt": 1150,
    "pocket-orca-mini": 1000,
    "pocket-minotaur": 850,
    "pocket-galpaca": 700,
}
WORST = "pocket-galpaca"
RIVAL = "pocket-openalpaca"


@dataclass
class Given:
    """Acknowledged votes: battle -> choice."""

    people: dict[str, str] = field(default_factory=dict)
    programs: dict[str, str] = field(default_factory=dict)
    stuffer: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Person(PageVisitor):
    """A visitor of the page with their own address, who keeps the last reply."""

    def __init__(self, url: str, config: Mapping[str, Any], number: int) -> None:
        super().__init__(url, config)
        self._address = f"93.184.{number // 250}.{number % 250 + 1}"
        self.said = ""

    def _open(self, path: str, asked: Mapping[str, Any] | None = None) -> str:
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"playground_rater={self.secret}",
            "X-Forwarded-For": self._address,
        }
        body = None if asked is None else json.dumps(asked).encode()
        with urllib.request.urlopen(urllib.request.Request(self._url + path, body, headers), timeout=120) as reply:
            self.said = reply.read().decode()
        return self.said


def models_of(db: Path, battle_id: str) -> list[str]:
    with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)) as raw:
        rows = raw.execute("SELECT model_id FROM battle_sides WHERE battle_id = ? ORDER BY side", (battle_id,))
        return [row[0] for row in rows]


def judge(app: LiveApp, config: Mapping[str, Any], number: int, ends_s: float, given: Given) -> None:
    """Compare, read and vote until the end; undo every tenth vote and give it again."""
    chance = random.Random(number)
    person = Person(app.url, config, number)
    turn = 0
    while time.monotonic() < ends_s:
        turn += 1
        person.load()
        person.follow(person.compare(f"What is {number * 1000 + turn} plus 1?"))
        first, second = models_of(app.db, person.battle_id)
        time.sleep(1.2 + chance.random())
        wins = chance.random() < 1 / (1 + 10 ** ((RATINGS[second] - RATINGS[first]) / 400))
        choice = "a" if wins else "b"
        if turn % 10 == 0:
            person.click("vote-tie")
            person.click("undo")
        person.click(f"vote-{choice}")
        if "Saved." in person.said:
            given.people[person.battle_id] = choice
        person.click("reveal")


def programme(app: LiveApp, number: int, ends_s: float, given: Given) -> None:
    """Compare and vote over the API under one name."""
    client = Client(app.url, verbose=False, headers={"X-Playground-Rater": f"program-{number}"})
    while time.monotonic() < ends_s:
        battle = client.submit(f"Say something about {number}.", blind=True, api_name="/compare").result()
        answer = client.predict(battle["battle_id"], "tie", api_name="/vote")
        given.programs[battle["battle_id"]] = answer["choice"]
        given.counts[str(answer["counts"])] += 1


def stuff(app: LiveApp, ends_s: float, given: Given) -> None:
    """Attack with 41 invented names, a chosen pair, short greedy answers and a second of waiting."""
    clients = [
        Client(app.url, verbose=False, headers={"X-Playground-Rater": f"invented-{number}"}) for number in range(3)
    ]
    turn = 0
    ask = {"models": [WORST, RIVAL], "blind": True, "params": {"do_sample": False, "max_new_tokens": 6}}
    while time.monotonic() < ends_s:
        client = clients[turn % 3]
        client.headers["X-Playground-Rater"] = f"invented-{turn % 41}"
        turn += 1
        battle = client.submit("What is an alpaca?", **ask, api_name="/compare").result()
        time.sleep(1.05)
        side = "ab"[models_of(app.db, battle["battle_id"]).index(WORST)]
        answer = client.predict(battle["battle_id"], side, api_name="/vote")
        given.stuffer[battle["battle_id"]] = answer["choice"]
        given.counts[str(answer["counts"])] += 1


@pytest.mark.long
def test_board_counts_people_alone(tmp_path: Path) -> None:
    app = start_app(tmp_path, FORWARDED_ALLOW_IPS="127.0.0.1", **UNLIMITED)
    given = Given()
    try:
        models_are_up(app.url)
        run(app, given)
    finally:
        stop_app(app)
    assert given.problems == []
    assert given.counts.keys() == {"False"}
    everybody = given.people | given.programs | given.stuffer
    with Store(app.db, read_only=True) as store:
        pairs = list(store.judged_pairs())
        with store.reading() as reading:
            stored = {vote.battle_id: vote.choice for vote in reading.exported_votes(words=False)}
            networks = len(set(reading.networks().values()))
    assert {battle: stored.get(battle) for battle in everybody} == everybody, "an acknowledged vote is lost or changed"
    assert networks == PEOPLE
    board = json.loads(command(app.db, "leaderboard", "--json"))
    alone = build_leaderboard([pair for pair in pairs if pair.origin is Origin.PERSON], {})
    print(board["verdict"]["headline"], board["kinds"], {row["model"]: round(row["rating"]) for row in board["rows"]})
    assert [row["model"] for row in board["rows"]] == list(RATINGS), "the order is that of the people"
    assert [row["rating"] for row in board["rows"]] == pytest.approx([row.rating for row in alone.rows])
    left_out = {exclusion["reason"]: exclusion["votes"] for exclusion in board["exclusions"]}
    assert left_out["by_program"] == len(given.programs) + len(given.stuffer)
    assert left_out.keys() <= {"by_program", "names_itself"}
    assert board["num_votes"] == len(given.people) - left_out.get("names_itself", 0)
    assert board["num_raters"] == PEOPLE
    assert CountingPolicy().description in board["basis"]


def run(app: LiveApp, given: Given) -> None:
    ends_s, config = time.monotonic() + DURATION_S, read_config(app.url)

    def work(job: Any, *arguments: Any) -> None:
        try:
            job(app, *arguments, ends_s, given)
        except Exception as error:  # noqa: BLE001  # of any kind: the test names it
            given.problems.append(f"{job.__name__} {arguments[-1:]}: {error!r}")

    threads = [threading.Thread(target=work, args=(judge, config, number)) for number in range(PEOPLE)]
    threads += [threading.Thread(target=work, args=(programme, number)) for number in range(PROGRAMS)]
    threads.append(threading.Thread(target=work, args=(stuff,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def command(db: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "playground", *arguments, "--db", str(db)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
