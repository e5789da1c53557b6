"""Imports: known rows of every format, refusals by row, and rows that are stored already."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.battles import Battles, Moderation
from playground.errors import InvalidValue
from playground.exchange.imports import FORMATS, WITHOUT_VOTES, Imported, import_file
from playground.rater_ids import imported_id
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, ExclusionReason
from playground.records import ExportedPair, ModelCard
from playground.storage.database.store import Store
from tests.support.cast import ADA, HAIKU, OPENALPACA, card, house
from tests.support.counting_oracle import count_list
from tests.support.import_rows import ASKED, AT, ROWS, SEA, WAVES, conversation, side, state, write_format
from tests.support.memory import memory_store

CONTAINERS = {name: (".json",) if name == "llm-comparator" else (".jsonl", ".json", ".csv") for name in FORMATS}
EACH_FILE = [(format, ending) for format, endings in CONTAINERS.items() for ending in endings]
WITH_TIME = ("votes", "pairs", "lmsys-33k", "arena-140k", "fastchat-log")
WITH_RATER = ("votes", "pairs", "lmsys-33k", "autoarena", "trl-preference")
WITH_STRENGTH = ("pairs", "trl-preference")

Import = Callable[..., Imported]


@pytest.fixture
def store() -> Iterator[Store]:
    with memory_store() as made:
        yield made


@pytest.fixture
def bring(store: Store, tmp_path: Path) -> Import:
    """Import rows of a format, each problem as ``place: words`` in `problems` of the result."""

    def run(format: str, *rows: dict[str, Any], name: str = "", **options: Any) -> Imported:
        path = write_format(tmp_path / (name or f"rows{CONTAINERS[format][0]}"), format, *rows)
        return import_file(store, format, path, **options)

    return run


def problems_of(bring: Import, format: str, *rows: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    bring(format, *rows, report=lambda place, why: problems.append(f"{place}: {why}"))
    return problems


def texts(store: Store) -> list[ExportedPair]:
    with store.reading() as reading:
        return list(reading.exported_pairs())


def winner_and_loser(judged: ExportedPair) -> tuple[tuple[str, str], tuple[str, str]]:
    a, b = (judged.a.model_id, judged.a.text), (judged.b.model_id, judged.b.text)
    return (a, b) if judged.winner == "model_a" else (b, a)


@pytest.mark.parametrize(("format", "ending"), EACH_FILE)
def test_row_of_every_format_becomes_a_vote(
    store: Store, tmp_path: Path, bring: Import, format: str, ending: str
) -> None:
    counts = bring(format, name=f"rows{ending}")
    assert (counts.rows, counts.imported, counts.refused) == (1, 1, 0)
    assert sorted(counts.models) == ["alpha", "beta"]
    [pair] = texts(store)
    assert pair.vote.asked.instruction == ASKED
    assert winner_and_loser(pair) == (("beta", SEA), ("alpha", WAVES))
    assert pair.winner in ("model_a", "model_b")
    assert pair.vote.imported == counts.file
    assert counts.file.startswith(f"rows{ending} ")
    assert pair.vote.rater_id == ("imported/ada" if format in WITH_RATER else "imported/unknown")
    assert (pair.vote.created_at == AT) is (format in WITH_TIME)
    assert pair.vote.strength == (2.5 if format in WITH_STRENGTH else None)
    assert (pair.vote.blind, pair.vote.drawn, pair.vote.decision_s) == (True, False, None)


@pytest.mark.parametrize("format", FORMATS)
def test_row_is_stored_once_whatever_file_it_stands_in(bring: Import, store: Store, format: str) -> None:
    for number, ending in enumerate((*CONTAINERS[format], CONTAINERS[format][0])):
        counts = bring(format, ROWS[format], ROWS[format], name=f"file-{number}{ending}")
        assert (counts.imported, counts.there) == ((1, 1) if number == 0 else (0, 2))
    assert store.count_votes() == 1


@pytest.mark.parametrize("number", range(4))  # the side is drawn from the content
def test_row_with_other_line_ends_is_the_same_row(bring: Import, store: Store, number: int) -> None:
    for format, asked, answer in (("pairs", "instruction", "answer_a"), ("trl-preference", "prompt", "chosen")):
        unix = ROWS[format] | {asked: f"One\ntwo {number}", answer: "Grey\nwaves"}
        windows = unix | {asked: f"One\r\ntwo {number}", answer: "Grey\r\nwaves"}
        assert (bring(format, unix).imported, bring(format, windows).there) == (1, 1)


@pytest.mark.parametrize("format", FORMATS)
def test_dry_run_counts_and_stores_nothing(bring: Import, store: Store, format: str) -> None:
    counts = bring(format, ROWS[format], ROWS[format], is_dry=True)
    assert (counts.imported, counts.there, sorted(counts.models)) == (1, 1, ["alpha", "beta"])
    assert store.count_votes() == 0
    with store.reading() as reading:
        assert reading.cards() == {}
    bring(format)
    assert bring(format, is_dry=True).there == 1


@pytest.mark.parametrize("format", WITHOUT_VOTES)
def test_format_without_votes_names_those_that_have_them(store: Store, tmp_path: Path, format: str) -> None:
    with pytest.raises(InvalidValue, match=rf"{format} has .*; formats with votes: votes, pairs, lmsys-33k"):
        import_file(store, format, tmp_path / "not-even-there.jsonl")


def test_unknown_format_names_the_valid_ones(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="unknown format 'lmsys'; valid: votes, pairs"):
        import_file(store, "lmsys", tmp_path / "rows.jsonl")


VOTE_IDS = {
    "votes": "vote-1",
    "pairs": "8ed68f1752157c033e3fc16ae2c60810",
    "lmsys-33k": "4256e04aa370f81bbfeacb36f8a634b4",
    "arena-140k": "f5d8f5081476471504bae0cede669593",
    "kaggle-55k": "0a43c3803fc5b39da7ba1fa984e07f45",
    "fastchat-log": "2f7e3cf7675e1fa1cb0be10574dc8813",
    "llm-comparator": "b045df5cda84e70c79dee85d77d670e8",
    "autoarena": "1f2622e3ce1b4e72ab20adc98fca79f9",
    "trl-preference": "e1ea7bd7c99a4c6b897c28832a435f55",
}
"""The id that each format's row has for good: with another one, files imported before would be imported again."""


@pytest.mark.parametrize("format", FORMATS)
def test_row_has_the_same_id_in_every_version(bring: Import, store: Store, format: str) -> None:
    bring(format)
    assert [judged.vote.vote_id for judged in texts(store)] == [VOTE_IDS[format]]


# Outcomes


ANSWERED = {"criterion": "facts", "choice": "a", "reason": ""}
OF_STUDY = {"study": "helpful", "study_hash": "5a" * 32, "study_kind": "item"}


@pytest.mark.parametrize(
    ("format", "changes", "winner"),
    [
        ("lmsys-33k", {"winner": "tie"}, "tie"),
        ("lmsys-33k", {"winner": "tie (bothbad)"}, "both_bad"),
        ("arena-140k", {"winner": "both_bad"}, "both_bad"),
        ("kaggle-55k", {"winner_model_b": 0, "winner_tie": 1}, "tie"),
        ("fastchat-log", {"type": "leftvote"}, "model_a"),
        ("fastchat-log", {"type": "tievote"}, "tie"),
        ("fastchat-log", {"type": "bothbad_vote"}, "both_bad"),
        ("llm-comparator", {"score": 0}, "tie"),
        ("llm-comparator", {"score": 0.5}, "model_a"),
        ("autoarena", {"winner": "-"}, "tie"),
        ("autoarena", {"winner": "A"}, "model_a"),
        ("pairs", {"winner": "both_bad"}, "both_bad"),
    ],
)
def test_outcome_is_read_in_each_spelling(
    bring: Import, store: Store, format: str, changes: dict[str, Any], winner: str
) -> None:
    bring(format, ROWS[format] | changes)
    assert [judged.winner for judged in texts(store)] == [winner]


def test_open_battle_stays_open(bring: Import, store: Store) -> None:
    bring("lmsys-33k", ROWS["lmsys-33k"] | {"anony": False})
    assert [judged.vote.blind for judged in texts(store)] == [False]


def test_system_message_is_a_field_of_its_own(bring: Import, store: Store) -> None:
    told = [{"role": "system", "content": "Be brief."}]
    row = {"conversation_a": told + conversation(WAVES), "conversation_b": told + conversation(SEA)}
    bring("lmsys-33k", ROWS["lmsys-33k"] | row)
    assert texts(store)[0].vote.asked.system == "Be brief."


def test_messages_of_trl_are_read_like_its_texts(bring: Import, store: Store) -> None:
    asked = [{"role": "user", "content": ASKED}]
    answers = {"chosen": [conversation(SEA)[1]], "rejected": [conversation(WAVES)[1]]}
    bring("trl-preference", ROWS["trl-preference"] | {"prompt": asked} | answers)
    assert winner_and_loser(texts(store)[0]) == (("beta", SEA), ("alpha", WAVES))


def test_trl_pairs_are_laid_left_and_right_by_chance(bring: Import, store: Store) -> None:
    bring("trl-preference", *(ROWS["trl-preference"] | {"prompt": f"Question {number}?"} for number in range(100)))
    left = sum(judged.winner == "model_a" for judged in texts(store))
    assert 30 < left < 70


# Bad rows

WORDS_OF_TWO_TURNS = "has 2 turns; the playground stores conversations of one"


@pytest.mark.parametrize(
    ("format", "changes", "words"),
    [
        ("pairs", {"winner": "left"}, "'winner' is 'left'; valid: model_a, model_b, tie, both_bad"),
        ("pairs", {"winner": None}, "'winner' is missing or empty; fill it in"),
        ("pairs", {"answer_a": " \n"}, "'answer of alpha' is empty; an empty answer cannot be judged"),
        ("pairs", {"instruction": "\u200b"}, "the instruction is empty; write what the models should do"),
        ("pairs", {"instruction": ["a"]}, "'instruction' is a list; valid: text"),
        (
            "pairs",
            {"model_a": "x" * 201},
            f"'model_a' is '{'x' * 40}' (201 characters); valid: 1 to 200 printable",
        ),
        ("pairs", {"model_a": "a\x00b"}, "'model_a' is 'a\\x00b' (3 characters); valid: 1 to 200 printable ones"),
        ("pairs", {"strength": 0}, "'strength' is 0; valid: a number above 0, or nothing"),
        ("pairs", {"strength": "strong"}, "'strength' is 'strong'; valid: a number"),
        ("pairs", {"decision_s": -1}, "'decision_s' is -1; valid: 0 or more"),
        ("pairs", {"origin": "robot"}, "'origin' is 'robot'; valid: person, program, judge, shared"),
        ("pairs", {"blind": "perhaps"}, "'blind' is 'perhaps'; valid: true, false"),
        ("pairs", {"created_at": "yesterday"}, "'created_at' is 'yesterday'; valid: a time such as 2026-"),
        ("pairs", {"created_at": 1e30}, "'created_at' is 1e+30; valid: a time such as 2026-"),
        ("pairs", {"answer_a": "x" * 200_001}, "'answer of alpha' is 200,001 characters long; at most 200,000"),
        ("lmsys-33k", {"winner": "both_bad"}, "'winner' is 'both_bad'; valid: model_a, model_b, tie, tie (bothbad)"),
        ("lmsys-33k", {"conversation_a": 2 * conversation(WAVES)}, f"'conversation_a' {WORDS_OF_TWO_TURNS}"),
        ("lmsys-33k", {"conversation_a": []}, "'conversation_a' has the roles of nobody; valid: user, assistant"),
        ("lmsys-33k", {"conversation_a": "{"}, "'conversation_a' is not JSON: Expecting property name"),
        ("lmsys-33k", {"conversation_a": "no"}, "'conversation_a' is not JSON: Expecting value"),
        ("lmsys-33k", {"conversation_a": ["a"]}, "'conversation_a' is a list; valid: a list of tables"),
        (
            "lmsys-33k",
            {"conversation_a": [{"role": "bot", "content": "x"}]},
            "'conversation_a[0].role' is 'bot'; valid: system, user, assistant",
        ),
        (
            "lmsys-33k",
            {"conversation_a": [{"role": "user", "content": "Other?"}, {"role": "assistant", "content": "x"}]},
            "the two conversations have different instructions",
        ),
        (
            "arena-140k",
            {"conversation_a": [{"role": "user", "content": [{"type": "image", "image": "x"}]}]},
            "'conversation_a[0].content' is a list; valid: text, or a list of {type: text, text: ...}; images",
        ),
        ("kaggle-55k", {"winner_tie": 1}, "2 of 'winner_model_a', 'winner_model_b', 'winner_tie' are 1; valid: one"),
        ("kaggle-55k", {"prompt": '["a", "b"]'}, "'prompt' has 2 turns; the playground stores conversations of one"),
        ("kaggle-55k", {"response_a": "[null]"}, "'response_a' is '[null]'; valid: a list of one text"),
        ("fastchat-log", {"type": "chat"}, "'type' is 'chat'; valid: leftvote, rightvote, tievote, bothbad_vote"),
        ("fastchat-log", {"states": [state("alpha", WAVES)]}, "'states' has 1 entries; valid: 2, one for each side"),
        (
            "fastchat-log",
            {"states": [state("alpha", WAVES) | {"offset": 0}, state("beta", SEA)]},
            f"'states[0].messages' {WORDS_OF_TWO_TURNS}",
        ),
        (
            "fastchat-log",
            {"states": [state("", WAVES), state("beta", SEA)]},
            "'states[0].model_name' and 'models[0]' are empty; one of them names the model",
        ),
        ("llm-comparator", {"score": None}, "'score' is nothing; valid: a number"),
        ("llm-comparator", {"score": True}, "'score' is True; valid: a number"),
        ("autoarena", {"winner": "tie"}, "'winner' is 'tie'; valid: A, B, -"),
        ("trl-preference", {"margin": -1}, "'margin' is -1; valid: a number above 0, or nothing"),
        ("trl-preference", {"chosen_model": None}, "'chosen_model' is missing or empty; fill it in"),
        ("votes", {"choice": "c"}, "choice is 'c'; valid: a, b, tie, both_bad, or all in an order such as a>b"),
        ("votes", {"choice": "undo"}, "choice is 'undo'; valid: a, b, tie, both_bad"),
        ("votes", {"revision": 0}, "'revision' is 0; valid: a whole number, 1 to 50"),
        ("votes", {"state": "open"}, "'state' is 'open'; valid: voted, revealed"),
        ("votes", {"blind": None}, "'blind' is missing or empty; fill it in"),
        ("votes", {"draw_probability": 2}, "'draw_probability' is 2; valid: above 0, to 1, or nothing"),
        ("votes", {"criteria": [{"criterion": "facts"}]}, "'criteria[0].choice' is missing or empty; fill it in"),
        ("votes", {"criteria": [ANSWERED]}, "'criteria' has answers, but 'study' is empty"),
        ("votes", {"criteria": [ANSWERED] * 2, **OF_STUDY}, "'criteria' answers a criterion twice"),
        (
            "votes",
            {"criteria": [{**ANSWERED, "reason": "x" * 501}], **OF_STUDY},
            "'criteria[0].reason' is 501 characters long; at most 500",
        ),
        ("votes", {"reasons": ["pretty"]}, "unknown reason 'pretty'; valid: correct, complete"),
        ("votes", {"comment": "x" * 2001}, "comment is 2,001 characters long; at most 2,000"),
        ("votes", {"overrides": {"warmth": 1}}, "unknown key 'warmth'; valid keys: max_new_tokens"),
        ("votes", {"sides": [side("a", "alpha", WAVES)]}, "'sides' are a; valid: 2 to 6 in order, each once"),
        (
            "votes",
            {"sides": [side("a", "alpha", WAVES), side("b", "beta", SEA, generation_id="generation-a")]},
            "'sides' have the same 'generation_id'; each answer has its own",
        ),
        (
            "votes",
            {"sides": [side("a", "alpha", WAVES), side("b", "beta", SEA, params={"top_k": -1})]},
            "'sides[1].params': 'top_k' is -1; valid: 0 (off) to 1000",
        ),
        (
            "votes",
            {"sides": [side("a", "alpha", WAVES), side("b", "beta", SEA, token_ids=[True])]},
            "'sides[1].token_ids' is a list; valid: a list of up to 1,000,000 token ids",
        ),
    ],
)
def test_bad_row_is_named_and_the_others_imported(
    bring: Import, store: Store, format: str, changes: dict[str, Any], words: str
) -> None:
    place = "row 1" if format == "llm-comparator" else "line 1"
    [problem] = problems_of(bring, format, ROWS[format] | changes, ROWS[format])
    assert problem.startswith(f"{place}: {words}")
    assert store.count_votes() == 1


@pytest.mark.parametrize("format", FORMATS)
def test_missing_columns_are_named_with_those_that_are_needed(bring: Import, store: Store, format: str) -> None:
    gone, *needed = FORMATS[format].needed
    row = {name: value for name, value in ROWS[format].items() if name != gone}
    [problem] = problems_of(bring, format, row)
    assert problem.endswith(f"1: '{gone}' missing; a row of {format} has {', '.join((gone, *needed))}")
    assert store.count_votes() == 0


@pytest.mark.parametrize("format", FORMATS)
def test_other_columns_are_ignored(bring: Import, format: str) -> None:
    assert bring(format, {"Unnamed: 0": 7, "": "x"} | ROWS[format]).imported == 1


# Texts


def test_text_is_cleaned_like_typed_text(bring: Import, store: Store) -> None:
    row = {"instruction": "One\r\ntwo\x00\ud800", "answer_a": "Wa\x07ves\r.", "answer_b": "\ufdd0Sea"}
    assert bring("pairs", ROWS["pairs"] | row).cleaned == 1
    [judged] = texts(store)
    assert (judged.vote.asked.instruction, judged.a.text, judged.b.text) == ("One\ntwo", "Waves\n.", "Sea")


def test_answer_of_a_playground_is_kept_byte_for_byte(bring: Import, store: Store) -> None:
    exact = "Wa\x07ves\r\n\x00"
    sides = [side("a", "alpha", exact), side("b", "beta", "Sea\ud800")]
    assert bring("votes", ROWS["votes"] | {"sides": sides}).cleaned == 1
    assert [(judged.a.text, judged.b.text) for judged in texts(store)] == [(exact, "Sea")]


@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
def test_large_seed_keeps_every_digit(bring: Import, store: Store, ending: str) -> None:
    seeds = (2**53 + 1, 2**63 - 1)
    sides = [side(letter, "alpha", letter, seed=seed) for letter, seed in zip("ab", seeds, strict=True)]
    assert bring("votes", ROWS["votes"] | {"sides": sides}, name=f"rows{ending}").imported == 1
    battle = store.battle("battle-1")
    assert battle is not None
    assert tuple(side.seed for side in battle.sides) == seeds


def test_long_instruction_of_another_arena_is_kept(bring: Import, store: Store) -> None:
    assert bring("pairs", ROWS["pairs"] | {"instruction": "x" * 100_000}).imported == 1


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-11-20T20:00:00+01:00", AT),
        ("2026-11-20 19:00:00", AT),
        ("2026-11-20T19:00:00Z", AT),
        (1795201200, AT),
        ("1795201200.0", AT),
        (1795201200.1234, "2026-11-20T19:00:00.123+00:00"),
    ],
)
def test_times_become_utc(bring: Import, store: Store, given: object, stored: str) -> None:
    bring("pairs", ROWS["pairs"] | {"created_at": given})
    assert texts(store)[0].vote.created_at == stored


# What is stored beside the vote


def test_missing_provenance_is_marked(bring: Import, store: Store) -> None:
    bring("pairs")
    battle = store.battle(texts(store)[0].vote.battle_id)
    assert battle is not None
    answer = battle.sides[0].generation
    assert answer is not None
    assert (answer.engine, answer.faithful, answer.token_ids, answer.license) == ("imported", False, (), "mit")
    assert (answer.repo, answer.model_revision, answer.prompt.template_id) == ("imported", "imported", "imported")


def test_model_that_is_new_gets_a_card_with_what_the_file_says(bring: Import, store: Store) -> None:
    bring("kaggle-55k", name="arena.csv")
    with store.reading() as reading:
        made = reading.cards()["alpha"]
    assert (made.name, made.repo, made.revision, made.license) == ("alpha", "imported", "imported", "unknown")
    assert made.notes[0].startswith("First met in arena.csv ")


def test_card_of_the_playground_is_not_replaced(bring: Import, store: Store) -> None:
    own: ModelCard = card("alpha", license="Apache-2.0")
    store.upsert_model(own)
    assert bring("pairs").models == ["beta"]
    with store.reading() as reading:
        assert reading.cards()["alpha"] == own


def test_answer_that_names_its_model_is_flagged(bring: Import, store: Store) -> None:
    bring("pairs", ROWS["pairs"] | {"model_a": "vicuna-13b", "answer_a": "I am Vicuna-13b, nice to meet you."})
    assert [judged.vote.names_itself for judged in texts(store)] == [True]


def test_imported_rater_is_nobody_who_votes_here(bring: Import, store: Store) -> None:
    digits = "0123456789abcdef" * 2
    bring("votes", ROWS["votes"] | {"rater_id": digits, "owner": "ann"})
    battle = store.battle("battle-1")
    assert battle is not None
    assert battle.vote is not None
    assert (battle.vote.rater_id, battle.owner) == (f"imported/{digits}", "imported/ann")
    assert imported_id("imported/ann") == "imported/ann"


def test_earlier_revisions_are_undos(bring: Import, store: Store) -> None:
    bring("votes", ROWS["votes"] | {"revision": 3})
    with store.reading() as reading:
        found = reading.select("SELECT revision, choice, imported FROM votes ORDER BY revision")
        events = reading.scalar("SELECT count(*) FROM journal_events WHERE kind = 'vote'")
    assert [(row["revision"], row["choice"]) for row in found] == [(1, "undo"), (2, "undo"), (3, "b")]
    assert {row["imported"] for row in found} == {"rows.jsonl " + found[0]["imported"][-12:]}
    assert events == 3


# The board


def test_imported_votes_are_a_filter_and_not_on_the_default_board(bring: Import, store: Store) -> None:
    bring("votes", ROWS["votes"] | {"draw_probability": 0.5, "decision_s": 5})
    pairs = list(store.judged_pairs())
    counted = count_list(pairs, CountingPolicy())
    assert [(found.reason, found.words, found.votes) for found in counted.exclusions] == [
        (ExclusionReason.IMPORTED, "imported", 1)
    ]
    assert counted.kinds == {"imported": 1}
    assert CountingPolicy().why_not(ExclusionReason.IMPORTED) == "it was imported from a file"
    assert count_list(pairs, CountingPolicy(keep_imported=True)).num_counted == 1
    assert count_list(pairs, EVERY_VOTE).num_counted == 1
    assert CountingPolicy().with_fallback(pairs).pairs == "all"  # no vote of this playground is on a drawn pair
    with store.reading() as reading:
        assert not reading.has_drawn_vote(1.0)


# Rows that are here already


def test_own_votes_are_known_in_every_format_that_names_them(tmp_path: Path) -> None:
    home = house()
    home.battle_is_open("battle-1")
    home.battles.vote("battle-1", "b", ADA, final=True)
    battle = home.store.battle("battle-1")
    assert battle is not None
    assert battle.vote is not None
    named = {
        "pairs": {"vote_id": battle.vote.id},
        "lmsys-33k": {"question_id": "battle-1"},
        "arena-140k": {"id": "battle-1"},
        "kaggle-55k": {"id": battle.vote.id},
        "trl-preference": {"battle_id": "battle-1"},
    }
    for format, ids in named.items():
        path = write_format(tmp_path / "rows.jsonl", format, ROWS[format] | ids)
        counts = import_file(home.store, format, path)
        assert (counts.imported, counts.there) == (0, 1)
    assert home.store.count_votes() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"choice": "a"}, "vote vote-1 is stored here with other content"),
        ({"battle_id": "battle-2"}, "vote vote-1 is stored here with other content"),
        ({"vote_id": "vote-2"}, "battle battle-1 is stored here with another vote, or none"),
        (
            {"vote_id": "vote-2", "battle_id": "battle-2", "instruction": "Write an ode."},
            "generation generation-a is stored here with other content",
        ),
    ],
)
def test_row_that_contradicts_the_database_is_refused(
    bring: Import, store: Store, changes: dict[str, Any], words: str
) -> None:
    bring("votes")
    assert problems_of(bring, "votes", ROWS["votes"] | changes) == [f"line 1: {words}"]
    assert store.count_votes() == 1


def test_erased_words_do_not_come_back(tmp_path: Path) -> None:
    home = house()
    answers = [side(letter, OPENALPACA, WAVES, generation_id=f"erased-{letter}") for letter in "ab"]
    home.battle_is_open("erased", (OPENALPACA, OPENALPACA), {letter: {"text": WAVES} for letter in "ab"})
    home.battles.vote("erased", "b", ADA, final=True)
    vote = home.store.battle("erased")
    assert vote is not None
    assert vote.vote is not None
    home.battles.erase(ADA)
    for battle_id, vote_id in (("erased", vote.vote.id), ("again", "again")):
        ids = {"battle_id": battle_id, "vote_id": vote_id, "instruction": HAIKU.instruction, "sides": answers}
        import_file(home.store, "votes", write_format(tmp_path / "rows.jsonl", "votes", ROWS["votes"] | ids))
    with home.store.reading() as reading:
        assert reading.scalar("SELECT group_concat(text, '') FROM generations") == ""
        assert reading.scalar("SELECT count(*) FROM battles") == 1


def test_hidden_answers_do_not_come_back_in_another_battle(bring: Import, store: Store) -> None:
    bring("votes")
    Moderation(Battles(store)).hide("battle-1")
    assert bring("votes", ROWS["votes"] | {"vote_id": "vote-2", "battle_id": "battle-2"}).imported == 1
    with store.reading() as reading:
        assert [pair.vote.withheld for pair in reading.exported_pairs()] == ["hidden", "hidden"]


@pytest.mark.slow
def test_many_rows_are_stored_in_batches_with_progress(bring: Import, store: Store) -> None:
    shares: list[float] = []
    rows = [ROWS["pairs"] | {"vote_id": f"vote-{number}"} for number in range(1100)]
    assert bring("pairs", *rows, progress=shares.append).imported == 1100
    assert len(shares) == 3
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert store.count_votes() == 1100


def test_file_is_named_with_its_hash(bring: Import, store: Store, tmp_path: Path) -> None:
    from hashlib import sha256

    counts = bring("pairs", name="häppy votes.csv")
    digest = sha256((tmp_path / "häppy votes.csv").read_bytes()).hexdigest()
    assert counts.file == f"häppy votes.csv {digest[:12]}"
    assert json.dumps(counts.file)
