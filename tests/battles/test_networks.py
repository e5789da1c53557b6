"""Networks are told apart for a day, and no address can be found from what is kept."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count

import pytest

from playground.battles.networks import REMEMBERED_ANSWERS, Networks, public_network
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
    shown = generation("shown", OPENALPACA, "Grey waves.")
    network = known.of(HOME)
    assert network is not None
    known.saw(network, "ada", [shown])

    def has_seen(address: str, text: str, model: str = OPENALPACA, asked: str = "", rater: str = "") -> bool:
        answer = generation("blind", model, text, **({"instruction": Instruction(asked)} if asked else {}))
        made = battle(models=[model, MAMBA])
        side = replace(made.sides[0], generation=answer)
        return known.seen(known.of(address), rater).holds_one_of(replace(made, sides=(side, made.sides[1])))

    assert has_seen(HOME, "Grey waves.")
    assert not has_seen(OTHER, "Grey waves.")
    assert has_seen(OTHER, "Grey waves.", rater="ada")
    assert has_seen("127.0.0.1", "Grey waves.", rater="ada")
    assert not has_seen("127.0.0.1", "Grey waves.", rater="ben")
    assert not has_seen(HOME, "Green waves.")
    assert not has_seen(HOME, "Grey waves.", MAMBA)
    assert not has_seen(HOME, "Grey waves.", asked="Something else.")
    time.pass_s(24 * 3600)
    assert not has_seen(HOME, "Grey waves.")


def test_the_oldest_answers_are_forgotten_first() -> None:
    known = networks()
    network = known.of(HOME)
    assert network is not None
    answers = [generation(f"{number}", text=f"Wave {number}.") for number in range(REMEMBERED_ANSWERS + 1)]
    known.saw(network, "", answers)
    assert len(known.seen(network, "nobody").digests) == REMEMBERED_ANSWERS


def test_many_threads_at_once_agree() -> None:
    known, tags = networks(), set[str]()

    def ask() -> None:
        for _ in range(200):
            network = known.of(HOME)
            assert network is not None
            known.saw(network, "", [generation("one")])
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


def test_a_vote_of_a_network_that_saw_the_answer_today_is_marked() -> None:
    home, known = house(), networks()
    seen, unseen = known.of(HOME), known.of(OTHER)
    assert seen is not None
    assert unseen is not None
    home.battle_is_open("blind")
    known.saw(seen, "", [generation("open", OPENALPACA)])
    home.battles.vote("blind", "a", ADA, network=seen, seen=known.seen(seen, ADA))
    home.battle_is_open("other")
    home.battles.vote("other", "a", ADA, network=unseen, seen=known.seen(unseen, ADA))
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
    home, known = house(), networks()
    home.battles._votes_per_network = 3
    for number in range(5):
        home.battle_is_open(f"battle-{number}")
        home.battles.vote(f"battle-{number}", "a", ADA, network=known.of(HOME))
    home.battle_is_open("elsewhere")
    home.battles.vote("elsewhere", "a", ADA, network=known.of(OTHER))
    assert [flags_of(home, f"battle-{number}") for number in range(5)] == [set(), set(), set(), {"capped"}, {"capped"}]
    assert flags_of(home, "elsewhere") == set()


def test_networks_of_votes_are_forgotten_after_30_days() -> None:
    home, known = house(), networks()
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, network=known.of(HOME), final=True)

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
    home, known = house(), networks()
    home.battles._votes_per_network = 3
    for number in range(6):
        home.battle_is_open(f"battle-{number}")
        home.battles.vote(f"battle-{number}", "a", ADA, network=known.of(HOME), final=True)
        home.battles.erase(ADA)
    flags = [flags_of(home, f"battle-{number}") & {"capped"} for number in range(6)]
    assert flags == [set()] * 3 + [{"capped"}] * 3


def test_undone_votes_and_those_of_programs_use_up_no_cap() -> None:
    home, known = house(), networks()
    home.battles._votes_per_network = 2
    home.battle_is_open("again")
    for _ in range(3):
        home.battles.vote("again", "a", ADA, network=known.of(HOME))
        home.battles.undo("again", ADA)
    for number in range(3):
        home.battle_is_open(f"program-{number}", owner="ann", source="api")
        home.battles.vote(f"program-{number}", "a", "ann", final=True, source="api", network=known.of(HOME))
    home.battle_is_open("first")
    home.battles.vote("first", "a", ADA, network=known.of(HOME))
    home.battles.vote("again", "b", ADA, network=known.of(HOME))
    assert [flags_of(home, name) & {"capped"} for name in ("again", "first")] == [set(), set()]
    assert flags_of(home, "program-2") & {"capped"} == {"capped"}, "each origin has its own"
