"""Erasure of a rater's text in the database."""

from __future__ import annotations

import pytest

from playground.errors import Refused
from playground.records import BattleSide, BattleState, Belongings, Erased, Instruction
from tests.support.cast import ADA, BEN, HAIKU, MAMBA, OPENALPACA, PARAMS, House, battle, generation
from tests.support.storing import HERRING, rows, voted


def test_erasure_keeps_the_vote(home: House) -> None:
    voted(home)
    before = list(home.store.judged_pairs(blind_only=True))
    assert home.battles.belongings(ADA) == Belongings(battles=1, erased=0, votes=1, notes=1)

    assert home.battles.erase(ADA) == Erased(battles=1, notes=1)

    assert list(home.store.judged_pairs(blind_only=True)) == before
    stored = home.store.battle("battle-1")
    assert stored is not None
    assert stored.erased_at == home.time.now()
    assert stored.instruction == Instruction("", category="creative")
    assert [(s.generation and s.generation.text, s.generation and s.generation.prompt.text) for s in stored.sides] == [
        ("", "")
    ] * 2
    assert rows(home, "SELECT kind, text FROM vote_notes") == [("reason", "clear")]
    assert rows(home, "SELECT prompt_ids, token_ids, good, chars FROM generations") == [("[]", "[]", 1, 23)] * 2
    assert home.battles.belongings(ADA) == Belongings(battles=0, erased=1, votes=1, notes=0)


def test_erasure_leaves_a_tombstone_and_an_event(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    assert rows(home, "SELECT rater_id, battles, notes FROM erasures") == [(ADA, 1, 1)]
    event = rows(home, "SELECT kind, battle_id, erasure_id FROM journal_events ORDER BY seq DESC LIMIT 1")
    assert event == [("erasure", None, 1)]


def test_shared_instruction_is_kept(home: House) -> None:
    voted(home)
    voted(home, "battle-2", instruction=HAIKU)
    voted(home, "battle-3", owner=BEN, instruction=HAIKU)
    home.battles.erase(ADA)
    assert sorted(rows(home, "SELECT instruction FROM instructions")) == [("",), (HAIKU.instruction,)]
    bens = home.store.battle("battle-3")
    assert bens is not None
    assert bens.instruction == HAIKU
    assert bens.sides[0].generation is not None
    assert bens.sides[0].generation.text


def test_shared_answer_is_kept_until_both_erase(home: House) -> None:
    voted(home)
    ada = home.store.battle("battle-1")
    assert ada is not None
    shared = battle("battle-2", owner=BEN, comparison_id=ada.comparison_id, instruction=HERRING, sides=ada.sides)
    home.battles.create(shared)
    home.battles.vote("battle-2", "b", BEN, final=True)

    home.battles.erase(ADA)

    shown = home.battles.view("battle-1", ADA)
    assert (shown.erased, shown.instruction.instruction, [c.text for c in shown.columns]) == (True, "", ["", ""])
    assert all(c.generation is not None and c.generation.prompt.text == "" for c in shown.columns)
    theirs = home.battles.view("battle-2", BEN)
    assert (theirs.erased, theirs.instruction) == (False, HERRING)
    assert [c.text for c in theirs.columns] == [s.generation and s.generation.text for s in ada.sides]

    home.battles.erase(BEN)
    assert rows(home, "SELECT DISTINCT text, prompt_text FROM generations") == [("", "")]
    assert rows(home, "SELECT DISTINCT instruction FROM instructions") == [("",)]


def test_erasure_ends_open_and_voted_battles(home: House) -> None:
    home.battle_is_open("open")
    home.battle_is_open("voted")
    home.battles.vote("voted", "b", ADA)
    home.battles.erase(ADA)
    waiting, judged = home.store.battle("open"), home.store.battle("voted")
    assert waiting is not None
    assert judged is not None
    assert (waiting.state, waiting.void_reason) == (BattleState.VOID, "expired")
    assert (judged.state, judged.final_at) == (BattleState.REVEALED, home.time.now())
    with pytest.raises(Refused, match="final"):
        home.battles.undo("voted", ADA)
    assert rows(home, "SELECT kind FROM journal_events ORDER BY seq") == [("vote",), ("reveal",), ("erasure",)]


def test_erasure_is_refused_while_generating(home: House) -> None:
    voted(home)
    home.battles.create(battle("battle-2"))
    with pytest.raises(Refused, match="nothing was erased") as refused:
        home.battles.erase(ADA)
    assert refused.value.reason == "writing"
    assert home.battles.belongings(ADA).battles == 2
    assert home.battles.view("battle-1", ADA).instruction == HERRING


def test_erasure_is_limited_to_rater_and_source(home: House) -> None:
    voted(home, owner=BEN)
    home.battle_is_open("of-the-api", source="api", owner=ADA, instruction=HERRING)
    assert home.battles.erase(ADA) == Erased(0, 0)
    assert rows(home, "SELECT count(*) FROM erasures") == [(0,)]
    assert home.battles.erase(ADA, "") == Erased(1, 0)
    assert home.battles.view("battle-1", BEN).instruction == HERRING


def test_second_erasure_erases_only_new_text(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    assert home.battles.erase(ADA) == Erased(0, 0)
    voted(home, "battle-2")
    assert home.battles.view("battle-2", ADA).instruction == HERRING
    assert home.battles.erase(ADA) == Erased(1, 1)
    assert rows(home, "SELECT battles, notes FROM erasures") == [(1, 1), (1, 1)]


def test_erased_battle_takes_no_notes(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    with pytest.raises(Refused, match="erased by its rater"):
        home.battles.note("battle-1", ADA, comment="Ada remembers herrings.")
    with pytest.raises(Refused, match="erased by its rater"):
        home.battles.note("battle-1", BEN, report_side="a", report="rude")
    assert home.battles.vote("battle-1", "b", ADA).choice == "a"


def test_acts_on_an_erased_battle_are_refused(home: House) -> None:
    home.battle_is_open("battle-1")
    home.battles.erase(ADA)
    for act in (home.battles.vote, home.battles.undo, home.battles.reveal):
        with pytest.raises(Refused, match="erased by its rater") as refused:
            act(*("battle-1", "a", ADA) if act == home.battles.vote else ("battle-1", ADA))
        assert refused.value.reason == "erased"
    with pytest.raises(Refused, match="belongs to somebody else"):
        home.battles.vote("battle-1", "a", BEN)


def test_only_own_reports_are_erased(home: House) -> None:
    voted(home)
    voted(home, "battle-2", owner=BEN)
    home.battles.note("battle-2", ADA, report_side="a", report="Ada reports a herring.")
    home.battles.note("battle-1", BEN, report_side="a", report="Ben reports.")
    assert home.battles.erase(ADA) == Erased(1, 2)
    assert rows(home, "SELECT text FROM vote_notes WHERE kind = 'report'") == [("Ben reports.",)]


def test_flag_stays_without_its_detail(home: House) -> None:
    home.battle_is_open(instruction=HERRING)
    home.store.write(lambda writing: writing.flag_generation("battle-1-a", "names_itself", "I am a herring"))
    home.battles.erase(ADA)
    assert ("battle-1-a", "names_itself", "") in rows(home, "SELECT generation_id, kind, detail FROM generation_flags")


def test_answer_finished_before_its_battle_is_erased(home: House) -> None:
    """A battle may be created with finished answers."""
    made = generation("early", OPENALPACA, instruction=HERRING, text="An early herring.")
    other = generation("early-2", MAMBA, instruction=HERRING, text="Another herring.")
    sides = (BattleSide("a", OPENALPACA, 5, PARAMS, made), BattleSide("b", MAMBA, 5, PARAMS, other))
    home.battles.create(battle(sides=sides, instruction=HERRING))
    home.battles.erase(ADA)
    assert rows(home, "SELECT DISTINCT text FROM generations") == [("",)]
