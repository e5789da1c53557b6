"""Raters of a live study write instructions, which real workers answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.arena.studies import StudyAssignment
from playground.battles import Ballot, RaterData, Viewer
from playground.errors import Busy, InvalidInstruction, InvalidValue, Refused
from playground.records import BattleState, CheckState, FinishReason, Instruction, LiveItem, StoredStudy
from playground.settings import Settings
from playground.storage.database.rows import to_json
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from playground.studies.links import new_token, token_hash
from playground.studies.reservation import Reservations
from playground.studies.study_file import StudyFile, as_document
from tests.arena.test_file_answers import MODELS, make
from tests.support.patience import wait_until

pytestmark = pytest.mark.slow

ADA = Viewer("a" * 32)
FILE = StudyFile(id="helpful", models=MODELS, votes=10, live=True)
ASKED = Instruction("Name a sea.")


def add_study(path: Path, file: StudyFile = FILE) -> str:
    """Store a live study with one link; return its token."""
    token = new_token()

    def work(writing: Writing) -> None:
        writing.insert_study(StoredStudy(file.id, "5a" * 32, to_json(as_document(file)), "ab" * 16, "2026-12-01"), [])
        writing.insert_link(file.id, token_hash(token), CheckState.NONE, "2026-12-01")

    with Store(path) as store:
        store.write(work)
    return token


def opened(settings: Settings) -> Arena:
    arena = Arena(settings)
    arena.open()
    return arena


def next_of(arena: Arena, token: str) -> StudyAssignment:
    return arena.studies.next(ADA, (), "helpful", token)


def answered(arena: Arena, token: str) -> StudyAssignment:
    wait_until(lambda: next_of(arena, token).view is not None)
    return next_of(arena, token)


@pytest.fixture
def settings(tmp_path: Path, models_of_one_process: None) -> Settings:
    return make(tmp_path)


def test_models_answer_and_the_rater_judges(settings: Settings) -> None:
    token = add_study(settings.db)
    arena = opened(settings)
    assert next_of(arena, token).live is not None
    arena.studies.write(ADA, "helpful", token, ASKED)
    waiting = next_of(arena, token)
    assert waiting.view is not None or (waiting.live is not None and waiting.live.is_being_answered)
    given = answered(arena, token)
    assert given.view is not None
    assert (given.view.blind, given.view.state, given.view.instruction) == (True, BattleState.OPEN, ASKED)
    assert [(column.card, column.generation) for column in given.view.columns] == [(None, None)] * 2
    arena.battles.stored.vote(given.view.battle_id, ADA, Ballot("a"))
    assert next_of(arena, token).live is not None
    assert len(arena.capacity) == 0
    [status] = arena.studies.running()
    assert (status.votes, status.battles) == (1, 1)
    arena.close()


def test_restart_writes_what_was_cut_off(settings: Settings) -> None:
    token = add_study(settings.db)
    arena = opened(settings)
    arena.studies.write(ADA, "helpful", token, ASKED)
    with pytest.raises(Refused, match="nothing was erased"):
        arena.raters.erase(ADA.rater)
    arena.close()
    again = opened(settings)
    given = answered(again, token)
    assert given.view is not None
    assert given.view.instruction == ASKED
    with again.store.reading() as reading:
        reasons = [row[0] for row in reading.select("SELECT finish_reason FROM generations")]
        assert reading.scalar("SELECT count(*) FROM generated") == 2
    assert FinishReason.CANCELLED not in reasons
    again.close()


def test_rater_does_not_wait_for_models_that_do_not_run(settings: Settings) -> None:
    token = add_study(settings.db)
    arena = opened(settings)
    arena.studies.write(ADA, "helpful", token, ASKED)
    arena.close()
    rating_only = opened(replace(settings, models="none"))
    told = next_of(rating_only, token)
    assert (told.view, told.live) == (None, None)
    assert told.why_none.startswith("Instructions of this study are answered by models that do not run here now.")
    rating_only.close()
    again = opened(settings)
    assert answered(again, token).view is not None
    again.close()


def test_answer_that_is_stored_is_not_written_again(settings: Settings) -> None:
    token = add_study(settings.db)
    arena = opened(settings)
    arena.studies.write(ADA, "helpful", token, ASKED)
    answered(arena, token)
    with arena.store.reading() as reading:
        before = sorted(row[0] for row in reading.select("SELECT id FROM generations"))
    arena.close()
    with Store(settings.db) as store:  # as a process that ended before it made an item of them
        store.write(forget_item)
    again = opened(settings)
    wait_until(lambda: not again.live_answers.is_running)
    answered(again, token)
    with again.store.reading() as reading:
        assert sorted(row[0] for row in reading.select("SELECT id FROM generations")) == before
    again.close()


def forget_item(writing: Writing) -> None:
    trigger = writing.scalar("SELECT sql FROM sqlite_schema WHERE name = 'live_items_end_once'")
    for statement in ("DROP TRIGGER live_items_end_once", "UPDATE live_items SET item = NULL", trigger):
        writing.change(statement, [{}])


def test_words_erased_before_their_answers_begin_stay_erased(settings: Settings) -> None:
    token = add_study(settings.db)
    arena = opened(settings)
    stored = arena.battles.stored

    def store() -> LiveItem:
        live = Reservations(stored).write("helpful", token, ADA, ASKED)
        assert arena.raters.erase(ADA.rater).battles == 1
        return live

    arena.live_answers.write(FILE, ASKED, store)
    wait_until(lambda: not arena.live_answers.is_running)
    assert words(arena) == []
    arena.close()


def test_words_erased_while_answers_are_written_stay_erased(settings: Settings) -> None:
    token = add_study(settings.db)
    arena = opened(settings)
    arena.studies.write(ADA, "helpful", token, ASKED)
    assert arena.live_answers.is_running
    RaterData(arena.battles.stored).erase(ADA.rater)  # as if it began before the instruction came
    wait_until(lambda: not arena.live_answers.is_running)
    assert words(arena) == []
    arena.close()


def words(arena: Arena) -> list[str]:
    """Return what is stored of instructions and answers."""
    with arena.store.reading() as reading:
        found = reading.select(
            "SELECT instruction FROM instructions WHERE instruction <> ''"
            " UNION ALL SELECT text FROM generations WHERE text || prompt_text <> ''"
        )
    return [row[0] for row in found]


def test_long_instruction_and_missing_models_are_refused(settings: Settings) -> None:
    token = add_study(settings.db)
    arena = opened(settings)
    with pytest.raises(InvalidInstruction, match="too long for the models of this study"):
        arena.studies.write(ADA, "helpful", token, Instruction("sea " * 20_000))
    arena.close()
    rating_only = opened(replace(settings, models="none"))
    told = next_of(rating_only, token)
    assert (told.view, told.live) == (None, None)
    assert told.why_none.startswith("Instructions of this study are answered by models that do not run here now.")
    with pytest.raises(InvalidValue, match="models that do not run here now"):
        rating_only.studies.write(ADA, "helpful", token, ASKED)
    rating_only.close()


def test_capacity_is_shared_with_comparisons(settings: Settings) -> None:
    token = add_study(settings.db)
    arena = opened(replace(settings, queue_max=1))
    arena.capacity.take("somebody")
    with pytest.raises(Busy):
        arena.studies.write(ADA, "helpful", token, ASKED)
    with arena.store.reading() as reading:
        assert reading.scalar("SELECT count(*) FROM live_items") == 0
    arena.capacity.free("somebody")
    with pytest.raises(InvalidValue, match="This link is not valid"):
        arena.studies.write(ADA, "helpful", "none", ASKED)
    assert len(arena.capacity) == 0
    arena.studies.write(ADA, "helpful", token, ASKED)
    answered(arena, token)
    arena.close()
