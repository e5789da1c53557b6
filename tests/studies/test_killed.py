"""A process that is killed between the next battle of a rater and their vote: nothing is lost or given twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from playground.battles import Battles
from playground.storage.database.store import Store
from playground.studies.reservation import Reservations
from tests.support.cast import House, house
from tests.support.studying import Studied, studied

ITEMS = 6
RATE = """
import sys
from pathlib import Path
from playground.battles import Ballot, Battles, Viewer
from playground.storage.database.store import Store
from playground.studies.reservation import Reservations

with Store(Path(sys.argv[1])) as store:
    battles = Battles(store)
    reservations, rater = Reservations(battles), Viewer("rater-1")
    while (battle := reservations.next("helpful", sys.argv[2], rater).battle_id) is not None:
        print(battle, flush=True)
        input()
        battles.vote(battle, rater, Ballot("a"))
        print("voted", flush=True)
"""


def rate(path: Path, token: str, votes: int, *, late: bool = False) -> list[str]:
    """Rate in a process of its own; kill it after so many votes, with the next battle given. Return its battles.

    Args:
        late: kill it while it stores one more vote.
    """
    command = [sys.executable, "-c", RATE, str(path), token]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given = [process.stdout.readline().strip()]
        while given[-1] and len(given) <= votes:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "voted\n"
            given.append(process.stdout.readline().strip())
        if late:
            process.stdin.write("\n")
            process.stdin.flush()
        process.kill()
    return [battle for battle in given if battle]


@pytest.mark.slow
def test_kill_between_next_and_vote_loses_and_doubles_nothing(tmp_path: Path) -> None:
    home = house(tmp_path)
    study = studied(home, ITEMS, 1)
    path, token = tmp_path / "playground.db", study.tokens[0]
    assert home.store.path == path
    home.store.close()
    [first] = rate(path, token, 0)
    again = rate(path, token, 2)
    assert again[0] == first, "the same battle waits after the restart"
    late = rate(path, token, 1, late=True)
    assert late[0] == again[-1]
    last = rate(path, token, ITEMS)
    with Store(path) as store:
        found = Studied(House(store), study.file, Reservations(Battles(store)), study.tokens)
        assert found.votes_by_item() == dict.fromkeys(range(1, ITEMS + 1), 1)
        assert set(Counter(found.rows("SELECT item FROM assignments")).values()) == {1}
        judged = {*again[:-1], *late[:-1], *last}
        assert {battle for (battle,) in found.rows("SELECT battle_id FROM votes")} >= judged
        assert found.next(1).battle_id is None
