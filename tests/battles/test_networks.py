"""Networks are told apart for a day, and no address can be found from what is kept."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count

import pytest

from playground.battles import Viewer
from playground.battles.networks import Networks, public_network
from playground.records import Instruction
from tests.support.cast import ADA, BEN, MAMBA, OPENALPACA, House, ToldTime, battle, generation, house

HOME, OTHER = "93.184.216.34", "151.101.1.69"


def networks(time: ToldTime | None = None) -> Networks:
    keys = count()
    return Networks((time or ToldTime()).clock, lambda: bytes([next(keys)]) * 32)


@pytest.mark.parametrize(
    ("address", "known"),
    [
        (HOME, HOME),
        ("::ffff:93.184.216.34", HOME),
        ("2a00:1450:4001:82b::200e", "2a00:1450:4001:82b::/64"),
        ("2a00:1450:4001:82b:ffff::1", "2a00:1450:4001:82b::/64"),
        *((address, None) for address in ("127.0.0.1", "::1", "10.0.0.7", "192.168.1.2", "172.17.0.1", "fe80::1")),
        *((address, None) for address in ("169.254.1.1", "fd00::1", "100.64.0.1", "0.0.0.0", "", "testclient")),
    ],
)
def test_only_an_address_of_the_internet_names_a_network(address: str, known: str | None) -> None:
    assert public_network(address) == known
    assert (networks().of(address) is None) is (known is None)


def test_one_network_has_one_tag_on_one_day_and_another_the_next() -> None:
    time = ToldTime()
    known = networks(time)
    first, again, other = known.of(HOME), known.of(HOME), known.of(OTHER)
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.tag == again.tag != other.tag
    assert HOME not in first.tag
    time.pass_s(24 * 3600)
    tomorrow = known.of(HOME)
    assert tomorrow is not None
    assert (tomorrow.tag != first.tag, tomorrow.day > first.day) == (True, True)


def test_two_processes_give_one_network_different_tags() -> None:
    tags = {network.tag for _ in range(2) if (network := Networks().of(HOME)) is not None}
    assert len(tags) == 2


def test_answers_of_an_open_run_are_remembered_until_midnight() -> None:
    time = ToldTime()
    known = networks(time)
    known.remember(Viewer("ada", address=HOME), [generation("shown", OPENALPACA, "Grey waves.")])

    def has_seen(viewer: Viewer, text: str = "Grey waves.", model: str = OPENALPACA, asked: str = "") -> bool:
        answer = generation("blind", model, text, **({"instruction": Instruction(asked)} if asked else {}))
        made = battle(models=[model, MAMBA])
        side = replace(made.sides[0], generation=answer)
        return known.has_seen(viewer, replace(made, sides=(side, made.sides[1])))

    neighbour, ben = Viewer("ben", address=HOME), Viewer("ben", address="127.0.0.1")
    assert has_seen(neighbour)
    assert has_seen(Viewer("ada", address=OTHER))
    assert has_seen(Viewer("ada", address="127.0.0.1"))
    assert not has_seen(Viewer("ada", "api", OTHER)), "a program's name may be anybody's"
    assert not has_seen(Viewer("ben", address=OTHER))
    assert not has_seen(ben)
    assert not has_seen(neighbour, "Green waves.")
    assert not has_seen(neighbour, model=MAMBA)
    assert not has_seen(neighbour, asked="Something else.")
    time.pass_s(24 * 3600)
    assert not has_seen(neighbour)


def test_the_oldest_answers_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.battles.networks.REMEMBERED_ANSWERS", 3)
    known, viewer = networks(), Viewer("ada", address=HOME)
    answers = [generation(f"{number}", text=f"Wave {number}.") for number in range(4)]
    known.remember(viewer, answers)
    made = battle()
    battles = [replace(made, sides=(replace(made.sides[0], generation=answer), made.sides[1])) for answer in answers]
    assert [known.has_seen(viewer, one) for one in battles] == [False, True, True, True]


def test_many_threads_at_once_agree() -> None:
    known, tags = networks(), set[str]()

    def ask() -> None:
        for _ in range(200):
            network = known.of(HOME)
            assert network is not None
            known.remember(Viewer("ada", address=HOME), [generation("one")])
            tags.add(network.tag)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tags) == 1


# In the database


def flags_of(home: House, name: str) -> set[str]:
    with home.store.reading() as reading:
        rows = reading.select(
            "SELECT f.kind FROM vote_flags f JOIN votes v ON v.id = f.vote_id WHERE v.battle_id = ?", (name,)
        )
        return {row["kind"] for row in rows}


def test_a_vote_of_a_network_that_saw_the_answer_today_is_flagged() -> None:
    home = house()
    home.battles.rules.networks.remember(Viewer("", "api", HOME), [generation("open", OPENALPACA)])
    for battle_id, address in (("blind", HOME), ("other", OTHER)):
        home.battle_is_open(battle_id)
        home.battles.vote(battle_id, "a", ADA, address=address)
    assert (flags_of(home, "blind"), flags_of(home, "other")) == ({"seen_before"}, set())


def test_an_open_run_of_somebody_else_is_marked_and_leaves_nobody_out() -> None:
    home = house()
    home.battle_is_open("open", owner=BEN, blind=False)
    home.time.pass_s(1)
    home.battle_is_open("blind", created_at=home.time.now())
    home.battles.vote("blind", "a", ADA)
    home.battle_is_open("different", ends={"a": {"text": "Blue."}, "b": {"text": "Green."}})
    home.battles.vote("different", "a", ADA)
    assert (flags_of(home, "blind"), flags_of(home, "different")) == ({"seen_elsewhere"}, set())


def test_votes_above_the_daily_cap_of_a_network_are_marked_when_they_are_cast() -> None:
    home = house()
    home.battles.rules = replace(home.battles.rules, votes_per_network=3)
    for number in range(5):
        home.battle_is_open(f"battle-{number}")
        home.battles.vote(f"battle-{number}", "a", ADA, address=HOME)
    home.battle_is_open("elsewhere")
    home.battles.vote("elsewhere", "a", ADA, address=OTHER)
    assert [flags_of(home, f"battle-{number}") for number in range(5)] == [set(), set(), set(), {"capped"}, {"capped"}]
    assert flags_of(home, "elsewhere") == set()


def test_networks_of_votes_are_forgotten_after_30_days() -> None:
    home = house()
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, address=HOME, final=True)

    def kept() -> int:
        with home.store.reading() as reading:
            return len(reading.networks())

    home.time.pass_s(29 * 86400)
    home.battles.expire()
    assert kept() == 1
    home.time.pass_s(2 * 86400)
    home.battles.expire()
    assert kept() == 0
    with home.store.reading() as reading:
        assert reading.count_votes() == 1


def test_an_erasure_gives_no_new_votes_under_the_cap() -> None:
    home = house()
    home.battles.rules = replace(home.battles.rules, votes_per_network=3)
    for number in range(6):
        home.battle_is_open(f"battle-{number}")
        home.battles.vote(f"battle-{number}", "a", ADA, address=HOME, final=True)
        home.battles.erase(ADA)
    flags = [flags_of(home, f"battle-{number}") & {"capped"} for number in range(6)]
    assert flags == [set()] * 3 + [{"capped"}] * 3


def test_undone_votes_and_those_of_programs_use_up_no_cap() -> None:
    home = house()
    home.battles.rules = replace(home.battles.rules, votes_per_network=2)
    home.battle_is_open("again")
    for _ in range(3):
        home.battles.vote("again", "a", ADA, address=HOME)
        home.battles.undo("again", ADA)
    for number in range(3):
        home.battle_is_open(f"program-{number}", owner="ann", source="api")
        home.battles.vote(f"program-{number}", "a", "ann", final=True, source="api", address=HOME)
    home.battle_is_open("first")
    home.battles.vote("first", "a", ADA, address=HOME)
    home.battles.vote("again", "b", ADA, address=HOME)
    assert [flags_of(home, name) & {"capped"} for name in ("again", "first")] == [set(), set()]
    assert flags_of(home, "program-2") & {"capped"} == {"capped"}, "each origin has its own"
