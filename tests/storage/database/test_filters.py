"""The filter in SQL against the same conditions on records in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import InvalidValue
from playground.exchange.licenses import COMMERCIAL_LICENSES, license_class
from playground.records import FILTER_NAMES, PAIR_BITS, Battle, Instruction, VoteFilter
from playground.storage.database.filters import CONDITIONS, conditions
from tests.support.cast import ADA, BEN, GALPACA, HAIKU, MAMBA, MODELS, OPENALPACA, House, house
from tests.support.exporting import add_vote

TRICKY = Instruction("100 % of snake_case \\ paths", category="maths")


@pytest.fixture(scope="module")
def home() -> House:
    """Votes that differ in every condition."""
    made = house()
    kinds = [
        ((OPENALPACA, MAMBA), "a", ADA, HAIKU, {}, {}),
        ((MAMBA, OPENALPACA), "tie", BEN, HAIKU, {"blind": False}, {"a": {"text": "Foam on the rocks"}}),
        ((OPENALPACA, GALPACA), "both_bad", ADA, TRICKY, {"draw_probability": 0.5}, {}),
        (MODELS, "b>a=c", BEN, TRICKY, {"overrides": {"top_k": 3}}, {"c": {"license": "unknown"}}),
        (MODELS, "a=b=c", ADA, HAIKU, {"source": "api"}, {}),
        ((GALPACA, GALPACA), "b", BEN, HAIKU, {}, {"b": {"license": "MIT"}, "a": {"license": " apache-2.0 "}}),
        ((MAMBA, GALPACA), "a", BEN, HAIKU, {}, {"b": {"finish_reason": "stop", "license": "other"}}),
    ]
    for number, (models, choice, rater, asked, changes, ends) in enumerate(kinds):
        battle_id = f"battle-{number}"
        made.battle_is_open(battle_id, models, ends, owner=rater, instruction=asked, **changes)
        made.battles.vote(
            battle_id,
            choice,
            rater,
            source=str(changes.get("source", "page")),
            reasons=["clear"] if number % 2 else [],
            final=True,
        )
        made.time.pass_s(60 * 60 * 24)
    made.battle_is_open("imported")
    add_vote(made, "imported", "b", imported="file.csv")
    return made


def winner(battle: Battle) -> set[str]:
    assert battle.vote is not None
    choice = battle.vote.choice
    if choice in ("tie", "both_bad"):
        return {choice}
    best, _, rest = choice.partition(">")
    if "=" in best and not rest:
        return {"tie"}
    return {side.model_id for side in battle.sides if side.side in best.split("=")}


def models(battle: Battle) -> list[str]:
    return [side.model_id for side in battle.sides if side.side in battle.good_sides]


def meet(battle: Battle, value: str) -> bool:
    left = models(battle)
    for name in value.split(","):
        if name not in left:
            return False
        left.remove(name)
    return True


def texts(battle: Battle) -> str:
    asked = battle.instruction
    answers = [side.generation.text for side in battle.sides if side.generation]
    return "\n".join([asked.instruction, asked.input, asked.system, *answers]).lower()


def licenses(battle: Battle) -> str:
    known = {OPENALPACA: "apache-2.0", MAMBA: "apache-2.0", GALPACA: "cc-by-nc-4.0"}
    found = [
        known[side.model_id] if side.generation.license in ("unknown", "other") else side.generation.license
        for side in battle.sides
        if side.generation
    ]
    return license_class(found)


# The vote of `battle.vote` is never None here.
MODEL: Mapping[str, Callable[[Battle, str, tuple[str, ...]], bool]] = {
    "category": lambda battle, value, _: battle.instruction.category == value,
    "origin": lambda battle, value, _: battle.vote is not None and battle.vote.origin == value,
    "mode": lambda battle, value, _: battle.blind == (value == "blind"),
    "pairs": lambda battle, value, _: (battle.draw_probability is not None) == (value == "drawn"),
    "sampling": lambda battle, value, _: (not battle.overrides) == (value == "card"),
    "rater": lambda battle, value, _: battle.vote is not None and battle.vote.rater_id == value,
    "since": lambda battle, value, _: battle.vote is not None and battle.vote.created_at[:10] >= value,
    "until": lambda battle, value, _: battle.vote is not None and battle.vote.created_at[:10] <= value,
    "license": lambda battle, value, _: licenses(battle) == value,
    "study": lambda battle, value, _: False,
    "imported": lambda battle, value, _: (
        battle.vote is not None and (battle.vote.imported is not None) == (value == "only")
    ),
    "models": lambda battle, value, _: meet(battle, value),
    "winner": lambda battle, value, _: value in winner(battle),
    "reason": lambda battle, value, reasons: value in reasons,
    "words": lambda battle, value, _: all(word.lower() in texts(battle) for word in value.split()),
}

NAMES = st.sampled_from([*MODELS, "no-such"])
VALUES: Mapping[str, st.SearchStrategy[str]] = {
    "category": st.sampled_from(["creative", "maths", "no such"]),
    "origin": st.sampled_from(["person", "program", "judge", "shared"]),
    "mode": st.sampled_from(["blind", "open"]),
    "pairs": st.sampled_from(["drawn", "chosen"]),
    "sampling": st.sampled_from(["card", "changed"]),
    "rater": st.sampled_from([ADA, BEN, "nobody"]),
    "since": st.sampled_from(["2026-11-19", "2026-11-22", "2026-11-24", "2027-01-01"]),
    "until": st.sampled_from(["2026-11-19", "2026-11-22", "2026-11-24", "2027-01-01"]),
    "license": st.sampled_from(["commercial", "other"]),
    "study": st.just("one"),
    "imported": st.sampled_from(["only", "none"]),
    "models": NAMES | st.tuples(NAMES, NAMES).map(",".join),
    "winner": NAMES | st.sampled_from(["tie", "both_bad"]),
    "reason": st.sampled_from(["clear", "length"]),
    "words": st.sampled_from(["haiku", "GULL", "haiku foam", "%", "_", "snake_case", "\\", "100 %", "a%c", "e_c", "'"]),
}


def test_every_condition_has_its_sql() -> None:
    assert tuple(CONDITIONS) == FILTER_NAMES == tuple(MODEL)


@settings(max_examples=100)
@given(st.data())
def test_sql_selects_the_votes_that_the_model_does(home: House, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(FILTER_NAMES), unique=True, min_size=1, max_size=2))
    filter = VoteFilter(**{name: data.draw(VALUES[name], label=name) for name in names})
    with home.store.reading() as reading:
        expected = set()
        for vote in reading.exported_votes(words=False):
            battle = reading.battle(vote.battle_id)
            assert battle is not None
            reasons = tuple(reading.notes(vote.battle_id, "reason", vote.vote_id))
            if all(MODEL[name](battle, value, reasons) for name, value in filter.as_mapping().items()):
                expected.add(vote.battle_id)
        where = conditions(filter, pairs=False, commercial=COMMERCIAL_LICENSES)
        assert {vote.battle_id for vote in reading.exported_votes(where)} == expected
        where = conditions(filter, pairs=True, commercial=COMMERCIAL_LICENSES)
        exported = list(reading.exported_pairs(where))
        of_pairs = {pair.vote.battle_id for pair in exported}
        keys = reading.row_keys_where(where)
        assert sorted(key >> PAIR_BITS for key in keys) == sorted(pair.vote.vote_row for pair in exported)
        if filter.license:  # of both answers of a pair, not of all answers of a vote
            assert of_pairs >= expected if filter.license == "commercial" else of_pairs <= expected
        else:
            assert of_pairs == expected
        browsed = reading.browsed_battles(conditions(filter, pairs=False, commercial=COMMERCIAL_LICENSES), "", 100)
        assert {row.battle_id for row in browsed} == expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"words": "a " * 31}, "'words' has 31 words; valid: up to 30"),
        ({"words": "x" * 1001}, r"'words' is 'x+' \(1,001 characters\); valid: text in UTF-8 of up to 1,000"),
        ({"category": "\udcff"}, r"'category' is '\\udcff' "),
    ],
)
def test_condition_that_sqlite_cannot_take_is_refused(condition: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        VoteFilter(**condition)


@pytest.mark.parametrize("words", ["a " * 30, "%" * 1000])
def test_largest_search_is_answered(home: House, words: str) -> None:
    with home.store.reading() as reading:
        assert reading.browsed_battles(conditions(VoteFilter(words=words), pairs=False), "", 100) is not None


def test_ranked_battle_names_its_models_in_order(home: House) -> None:
    with home.store.reading() as reading:
        rows = reading.browsed_battles(conditions(VoteFilter(), pairs=False), "", 100)
    winners = {row.battle_id: row.winner for row in rows}
    first, second, third = MODELS
    assert winners["battle-3"] == f"{second}>{first}={third}"
    assert (winners["battle-0"], winners["battle-1"], winners["battle-2"]) == (OPENALPACA, "tie", "both_bad")


@pytest.mark.parametrize("later_s", [-3600, 0, 4.9, 5, 3600])
def test_exports_and_leaderboard_agree_on_final_votes(later_s: float) -> None:
    home = house()
    for battle_id in ("undecided", "revealed"):
        home.battle_is_open(battle_id)
        home.battles.vote(battle_id, "a", ADA)
    home.battles.reveal("revealed", ADA)
    home.time.pass_s(later_s)
    now = home.time.now()
    with home.store.reading() as reading:
        expected = {pair.battle_id for pair in reading.judged_pairs(final_by=now)}
        where = conditions(VoteFilter(), pairs=False, final_by=now)
        assert {vote.battle_id for vote in reading.exported_votes(where)} == expected
        assert reading.count_undecided_votes(now) == 2 - len(expected)
