"""The leaderboard says what the votes say, and says so when that is little or nothing."""

from __future__ import annotations

import dataclasses
import json
import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import InvalidValue
from playground.ratings.board import LeaderboardOptions
from playground.ratings.comparisons import Meeting
from playground.ratings.counting import Exclusion
from playground.ratings.leaderboard import Leaderboard
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, ExclusionReason
from playground.records import JudgedPair, Origin
from tests.support.counting_oracle import count_list
from tests.support.judged import GALPACA, MAMBA, MINOTAUR, OPENALPACA, ORCA, build_leaderboard, pair, votes
from tests.support.paths import TESTS

GOLDEN = TESTS / "golden" / "leaderboard.json"
CARDS = {
    GALPACA: SimpleNamespace(name="Pocket Galpaca", license="CC-BY-NC-4.0"),
    ORCA: SimpleNamespace(name="Pocket Orca Mini", license="CC-BY-NC-SA-4.0"),
}


def both_ways(a: str, b: str, won: int, lost: int) -> list[tuple[str, str, str, int]]:
    """Games in which a beat b and lost to it, half of them on each side."""
    return [
        (a, b, "model_a", won - won // 2),
        (b, a, "model_b", won // 2),
        (a, b, "model_b", lost // 2),
        (b, a, "model_a", lost - lost // 2),
    ]


# The arena of README and documentation: one leads, two are close, one is last.
ARENA = votes(
    *both_ways(GALPACA, ORCA, 60, 20),
    *both_ways(GALPACA, MINOTAUR, 61, 19),
    *both_ways(ORCA, MINOTAUR, 42, 36),
    *both_ways(ORCA, OPENALPACA, 62, 18),
    *both_ways(MINOTAUR, OPENALPACA, 60, 18),
    (ORCA, MINOTAUR, "tie", 6),
    (MINOTAUR, OPENALPACA, "both_bad", 4),
    raters=37,
)


def test_one_leader_and_two_equals() -> None:
    board = build_leaderboard(ARENA, CARDS)
    assert [(r.rank_lower, r.rank_upper, r.model) for r in board.rows] == [
        (1, 1, GALPACA),
        (2, 3, ORCA),
        (2, 3, MINOTAUR),
        (4, 4, OPENALPACA),
    ]
    assert board.verdict.headline == (
        "Pocket Galpaca leads. Pocket Orca Mini and pocket-minotaur cannot be told apart yet."
    )
    assert board.verdict.detail == "Even 5,000 more votes between them may not separate the two."
    assert board.notes == ()
    assert (board.num_votes, board.num_pairs, board.num_raters, board.unit) == (406, 406, 37, "rater")


def test_row_has_counts_and_rates() -> None:
    row = build_leaderboard(ARENA, CARDS).rows[2]
    assert (row.model, row.name, row.license) == (MINOTAUR, MINOTAUR, "")
    assert (row.battles, row.wins, row.losses, row.ties, row.both_bad) == (246, 115, 121, 6, 4)
    assert row.win_rate == pytest.approx((115 + 5) / 246)
    assert row.both_bad_rate == pytest.approx(4 / 246)
    assert row.rating_lower < row.rating < row.rating_upper
    assert not row.provisional
    assert build_leaderboard(ARENA, CARDS).rows[0].name == "Pocket Galpaca"


def test_mean_is_1000_and_probabilities_follow_the_ratings() -> None:
    board = build_leaderboard(ARENA, CARDS)
    assert sum(row.rating for row in board.rows) == pytest.approx(4000)
    for i, row in enumerate(board.rows):
        assert board.win_probability[i][i] is None
        for j, other in enumerate(board.rows):
            if i != j:
                expected = 1 / (1 + 10 ** ((other.rating - row.rating) / 400))
                assert board.win_probability[i][j] == pytest.approx(expected)


def test_differences_are_those_of_the_ratings_with_their_own_intervals() -> None:
    board = build_leaderboard(ARENA, CARDS)
    rating = {row.model: row.rating for row in board.rows}
    assert len(board.differences) == len(board.rows) * (len(board.rows) - 1) // 2
    for apart in board.differences:
        assert apart.difference == pytest.approx(rating[apart.model] - rating[apart.other])
        assert apart.lower < apart.difference < apart.upper
        assert apart.difference >= 0


def rounded(value: object) -> object:
    """Floats to 6 digits, tuples as lists: what is equal on any machine."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def test_the_document_is_the_golden_one() -> None:
    """After an intended change: ``python -m tests.ratings.test_leaderboard`` writes it again; read the difference."""
    document = json.loads(json.dumps(build_leaderboard(ARENA, CARDS).as_document(), allow_nan=False))
    assert rounded(document) == json.loads(GOLDEN.read_text())


def test_meetings_count_the_pairs_of_two_models_by_outcome() -> None:
    board = build_leaderboard(ARENA, CARDS)
    assert board.meetings[0] == Meeting(GALPACA, ORCA, wins_a=60, wins_b=20, ties=0, both_bad=0)
    assert Meeting(ORCA, MINOTAUR, wins_a=42, wins_b=36, ties=6, both_bad=0) in board.meetings
    assert Meeting(MINOTAUR, OPENALPACA, wins_a=60, wins_b=18, ties=0, both_bad=4) in board.meetings
    assert (GALPACA, OPENALPACA) not in {(m.model_a, m.model_b) for m in board.meetings}  # they never met


# Too little


@pytest.mark.proves("leaderboard with no vote, one model, only ties, unconnected models, one undefeated")
def test_no_vote() -> None:
    board = build_leaderboard([], CARDS)
    assert (board.rows, board.notes, board.win_probability) == ((), (), ())
    assert board.verdict.headline == "No votes yet."
    assert [finding.text for finding in board.findings] == [
        "No vote that counts yet.",
    ]
    json.dumps(board.as_document(), allow_nan=False)


@pytest.mark.proves("leaderboard with no vote, one model, only ties, unconnected models, one undefeated")
def test_one_model_alone() -> None:
    board = build_leaderboard(votes((GALPACA, GALPACA, "model_a", 3)), CARDS)
    assert board.rows == ()
    assert board.verdict.headline == "No two different models have met yet."
    assert board.notes == ("3 pairs of a model with itself: stored, not rated.",)


@pytest.mark.proves("leaderboard with no vote, one model, only ties, unconnected models, one undefeated")
def test_only_ties() -> None:
    board = build_leaderboard(votes((GALPACA, ORCA, "tie", 70)), CARDS)
    assert board.verdict.headline == "Only ties so far."
    assert [(r.rank_lower, r.rank_upper, r.rating, r.win_rate) for r in board.rows] == [(1, 2, 1000, 0.5)] * 2
    assert board.rows[0].rating_lower < 990


@pytest.mark.parametrize("rule", ["half", "omit"])
def test_only_all_bad(rule: str) -> None:
    board = build_leaderboard(votes((GALPACA, ORCA, "both_bad", 40)), CARDS, options=LeaderboardOptions(both_bad=rule))
    assert board.verdict.headline == "No answer was good enough so far."
    assert len(board.rows) == (2 if rule == "half" else 0)
    json.dumps(board.as_document(), allow_nan=False)


def test_few_votes_are_rows_without_a_claim() -> None:
    board = build_leaderboard(votes((GALPACA, ORCA, "model_a", 20)), CARDS)
    assert str(board.verdict) == (
        "Too few votes for a ranking yet. "
        "Ratings are provisional below 30 battles per model: at least 10 more votes are needed."
    )
    assert [(r.provisional, r.rank_lower, r.rank_upper) for r in board.rows] == [(True, 1, 2)] * 2
    assert board.notes == (
        "Provisional, below 30 battles: Pocket Galpaca (20) and Pocket Orca Mini (20).",
        "Pocket Galpaca has won every battle so far: too few battles to say how far it is ahead.",
    )


def test_a_new_model_takes_no_place_and_gives_none() -> None:
    board = build_leaderboard([*ARENA, *(pair(MAMBA, ORCA, number=9000 + k) for k in range(8))], CARDS)
    ranks = {row.model: (row.rank_lower, row.rank_upper) for row in board.rows}
    assert ranks[MAMBA] == (1, 5)
    assert ranks[GALPACA] == (1, 2)
    assert board.verdict.headline.startswith("Pocket Galpaca leads among the models with 30 battles or more.")
    assert board.notes[0] == "Provisional, below 30 battles: pocket-mamba-gpt (8)."


@pytest.mark.proves("leaderboard with no vote, one model, only ties, unconnected models, one undefeated")
def test_an_undefeated_model_leads_with_a_finite_rating() -> None:
    board = build_leaderboard(votes((GALPACA, ORCA, "model_a", 60)), CARDS)
    assert str(board.verdict) == "Pocket Galpaca leads. Every place is settled."
    assert board.rows[0].rating == pytest.approx(1000 + 200 * math.log10(60.5 / 0.5))
    assert board.rows[0].rating_upper - board.rows[0].rating > board.rows[0].rating - board.rows[0].rating_lower
    [note] = board.notes
    assert note.startswith("Pocket Galpaca has won every battle: at least ")
    assert note.endswith(" points ahead of Pocket Orca Mini; how much more cannot be told.")


@pytest.mark.proves("leaderboard with no vote, one model, only ties, unconnected models, one undefeated")
def test_groups_without_a_battle_are_shown_apart() -> None:
    board = build_leaderboard(
        votes(
            (MAMBA, MINOTAUR, "model_a", 40),
            *both_ways(GALPACA, ORCA, 60, 20),
            (OPENALPACA, ORCA, "model_b", 45),
        ),
        CARDS,
    )
    assert board.verdict.headline == "The models form 2 groups that have not met."
    assert [(row.group, row.model, row.rank_lower) for row in board.rows] == [
        (1, GALPACA, 1),
        (1, ORCA, 2),
        (1, OPENALPACA, 3),
        (2, MAMBA, 1),
        (2, MINOTAUR, 2),
    ]
    assert board.notes[:3] == (
        "No battles between these groups yet: Pocket Galpaca, Pocket Orca Mini and pocket-openalpaca · "
        "pocket-mamba-gpt and pocket-minotaur.",
        "Among Pocket Galpaca, Pocket Orca Mini and pocket-openalpaca: Pocket Galpaca leads. Every place is settled.",
        "Among pocket-mamba-gpt and pocket-minotaur: pocket-mamba-gpt leads. Every place is settled.",
    )
    assert board.win_probability[0][3] is None
    for group in (1, 2):
        ratings = [row.rating for row in board.rows if row.group == group]
        assert sum(ratings) == pytest.approx(1000 * len(ratings))


def test_a_model_that_should_have_votes_and_has_none_is_named() -> None:
    board = build_leaderboard(ARENA, CARDS, models=[MAMBA, GALPACA])
    assert board.notes == ("No vote that counts yet: pocket-mamba-gpt.",)
    assert build_leaderboard([], CARDS, models=[GALPACA]).notes == ("No vote that counts yet: Pocket Galpaca.",)


def test_few_raters_and_one_rater_are_said() -> None:
    one = build_leaderboard(votes(*both_ways(GALPACA, ORCA, 30, 10), raters=1), CARDS)
    assert (one.unit, finding(one, "Raters")) == ("vote", "40 votes by one rater: the ranking of one person.")
    alone = [pair(MAMBA, ORCA, "model_a" if k % 2 else "model_b", 9000 + k, rater_id="rater-1") for k in range(40)]
    assert build_leaderboard([*ARENA, *alone], CARDS).notes == (
        "pocket-mamba-gpt: judged by fewer than 8 raters, or mostly by fewer; so few make the interval wide.",
    )


def test_few_raters_make_claims_about_themselves_only() -> None:
    three = votes(*both_ways(GALPACA, ORCA, 90, 10), raters=3)
    board = build_leaderboard(three, CARDS)
    assert board.verdict.headline == "For these 3 raters, Pocket Galpaca leads."
    assert board.unit == "vote"
    many = build_leaderboard(votes(*both_ways(GALPACA, ORCA, 90, 10), raters=20), CARDS)
    assert (many.verdict.headline, many.unit) == ("Pocket Galpaca leads.", "rater")


def test_a_circle_has_no_number_of_votes() -> None:
    games = [(GALPACA, ORCA), (ORCA, MINOTAUR), (MINOTAUR, GALPACA)]
    board = build_leaderboard(votes(*(game for a, b in games for game in both_ways(a, b, 45, 15)), raters=30), CARDS)
    assert board.verdict.headline.startswith("Nobody leads yet: ")
    assert board.verdict.detail.startswith("These votes go in a circle: ")
    assert "more votes" not in str(board.verdict)
    assert finding(board, "Fit") == board.verdict.detail


def test_a_filtered_board_keeps_no_claims_and_says_so() -> None:
    then = votes(*both_ways(GALPACA, ORCA, 60, 20), raters=80)
    since = [
        pair(GALPACA, ORCA, "model_a" if k % 2 else "model_b", 900 + k, rater_id=f"rater-{k % 80}") for k in range(400)
    ]
    board = build_leaderboard([*then, *since], CARDS)
    assert board.verdict.headline == "Pocket Galpaca leads."
    view = build_leaderboard([*then, *since], CARDS, options=LeaderboardOptions(filtered=True))
    assert view.verdict.headline.startswith("Nobody leads yet: ")
    assert view.notes == ("One of many views; its claims are not corrected for having looked at several.",)


def test_nobody_is_put_first_by_dishonest_votes_where_nobody_leads() -> None:
    even = [pair(GALPACA, ORCA, "model_b" if k % 2 else "model_a", k, rater_id=f"rater-{k % 12}") for k in range(81)]
    board = build_leaderboard(even, CARDS)
    assert board.verdict.headline.startswith("Nobody leads yet")
    assert board.influence is None
    assert "Robustness" not in [found.topic for found in board.findings]


def test_a_provisional_model_is_never_put_first() -> None:
    new = [pair(MAMBA, GALPACA, number=9000 + k, rater_id=f"rater-{k}") for k in range(12)]
    board = build_leaderboard([*ARENA, *new], CARDS)
    assert board.rows[0].model == MAMBA
    assert board.verdict.headline.startswith("Pocket Galpaca leads among the models with 30 battles or more.")
    assert board.influence is not None
    assert board.influence.first != MAMBA


JUDGED = st.builds(
    pair,
    st.sampled_from("abcd"),
    st.sampled_from("abcd"),
    st.sampled_from(["model_a", "model_b", "tie", "both_bad"]),
    st.integers(0, 40),  # the same number again: another pair of the same vote
    chars_a=st.integers(0, 9),
    blind=st.booleans(),
)


@given(st.lists(JUDGED, max_size=60), st.sampled_from(["half", "omit"]), st.integers(1, 20))
@settings(deadline=None)
def test_any_votes_make_a_document(judged: list[JudgedPair], both_bad: str, min_battles: int) -> None:
    board = build_leaderboard(judged, {}, options=LeaderboardOptions(both_bad=both_bad, min_battles=min_battles))
    json.dumps(board.as_document(), allow_nan=False)
    for row in board.rows:
        in_group = sum(other.group == row.group for other in board.rows)
        assert 1 <= row.rank_lower <= row.rank_upper <= in_group
        assert row.rating_lower < row.rating < row.rating_upper
        assert 0 <= row.win_rate <= 1
    assert board.verdict.headline.endswith(".")


# What counts


def finding(board: Leaderboard, topic: str) -> str:
    return next(found.text for found in board.findings if found.topic == topic)


def changed(pairs: list[JudgedPair], **changes: object) -> list[JudgedPair]:
    return [dataclasses.replace(p, vote_id=f"{p.vote_id}*", **changes) for p in pairs]


def test_only_blind_votes_count_unless_asked_for() -> None:
    mixed = [*ARENA, *changed(ARENA[:7], blind=False)]
    board = build_leaderboard(mixed, CARDS)
    assert (board.num_votes, board.all_votes) == (406, 413)
    assert board.exclusions == (Exclusion(ExclusionReason.OPEN_MODE, "in open mode", 7),)
    assert finding(board, "Counted") == "413 votes: 406 count; 7 in open mode."
    board = build_leaderboard(mixed, CARDS, options=LeaderboardOptions(policy=EVERY_VOTE))
    assert (board.num_votes, board.all_votes, board.exclusions) == (413, 413, ())
    assert finding(board, "Counted") == "All 413 votes count."
    assert board.basis.startswith(
        "Blind and open votes of anybody · drawn and chosen pairs · any sampling · imported votes too · all categories"
    )


def test_programs_and_chosen_pairs_stand_apart() -> None:
    mixed = [
        *ARENA,
        *changed(ARENA[:150], origin=Origin.PROGRAM),
        *changed(ARENA[150:162], drawn=False),
        *changed(ARENA[162:165], own_sampling=False),
    ]
    board = build_leaderboard(mixed, CARDS)
    assert board.num_votes == 406
    assert finding(board, "Votes") == "people 406 · programs 150 · chosen pairs 12 · changed sampling 3."
    assert finding(board, "Counted") == (
        "571 votes: 406 count; 150 by programs, 12 on models that somebody chose, 3 with changed sampling parameters."
    )
    assert board.basis.startswith("Blind votes of people · drawn pairs · cards' own sampling · ")


def test_chosen_pairs_are_shown_with_a_note_if_none_was_drawn() -> None:
    board = build_leaderboard(changed(ARENA, drawn=False), CARDS)
    assert board.num_votes == 406
    assert board.notes[0].startswith("Nobody has judged models that the arena drew: this board counts pairs that")
    assert board.basis.startswith("Blind votes of people · drawn and chosen pairs · ")
    chosen_too = LeaderboardOptions(policy=CountingPolicy(pairs="all"))
    by_setting = build_leaderboard(changed(ARENA, drawn=False), CARDS, options=chosen_too)
    assert (by_setting.num_votes, by_setting.notes) == (406, ())


def test_votes_on_answers_seen_elsewhere_count_and_board_compares() -> None:
    board = build_leaderboard([*ARENA, *changed(ARENA[:20], seen_elsewhere=True)], CARDS)
    assert board.num_votes == 426
    assert finding(board, "Seen elsewhere") == (
        "20 votes on answers that an open run has shown count. Without them the order is the same."
    )

    every = build_leaderboard(changed(ARENA, seen_elsewhere=True), CARDS)
    assert finding(every, "Seen elsewhere") == (
        "406 votes on answers that an open run has shown count. Without them there is no ranking."
    )


def test_busiest_network_is_reported_with_the_headline_without_it() -> None:
    stuffed = [
        pair(ORCA, GALPACA, number=number, vote_id=f"stuffed-{number}", rater_id=f"stuffer-{number}")
        for number in range(300)
    ]
    networks = {p.vote_id: "busy" for p in stuffed} | {ARENA[0].vote_id: "quiet"}
    honest = build_leaderboard(ARENA, CARDS)
    board = build_leaderboard([*ARENA, *stuffed], CARDS, networks=networks)
    assert board.busiest_network is not None
    assert board.busiest_network.votes == len(stuffed)
    assert board.busiest_network.headline_without == honest.verdict.headline
    assert board.verdict.headline != honest.verdict.headline
    share = len(stuffed) / (406 + len(stuffed))
    assert finding(board, "Network") == (
        f"The busiest network gave {len(stuffed)} votes in one day, {100 * share:.0f} % of those that count. "
        f"Without it the headline is “{honest.verdict.headline}”"
    )
    even = build_leaderboard(ARENA, CARDS, networks={ARENA[0].vote_id: "quiet"})
    assert finding(even, "Network").endswith("Without it the headline is the same.")
    assert honest.busiest_network is None


def test_busiest_network_has_its_own_votes_that_count() -> None:
    """Others count instead where it filled a rater's day; votes on one model alone are not among them."""
    models = [GALPACA] * 250 + [ORCA] * 220
    given = [pair(m, ORCA, number=number, vote_id=f"{number:03}", rater_id="ann") for number, m in enumerate(models)]
    networks = {p.vote_id: "busy" for p in given[:200]} | {p.vote_id: "same" for p in given[250:]}
    board = build_leaderboard(given, CARDS, networks=networks)
    assert finding(board, "Counted").startswith("470 votes: 200 count; ")
    assert finding(board, "Network").startswith(
        "The busiest network gave 200 votes in one day, 100 % of those that count. "
    )


def test_only_open_votes_make_no_ranking() -> None:
    board = build_leaderboard(changed(ARENA, blind=False), CARDS)
    assert board.verdict.headline == "No blind votes yet."
    assert board.rows == ()


def test_board_explains_why_no_vote_counts() -> None:
    quick = [*changed(ARENA[:2], blind=False), *changed(ARENA[2:3], decision_s=0.2)]
    board = build_leaderboard(quick, CARDS)
    assert board.verdict.headline == "No vote counts yet."
    assert board.verdict.detail.startswith("3 votes: none counts; 2 in open mode, 1 decided in under 1 s. Compare")
    assert (board.rows, board.influence) == ((), None)


def test_rows_have_ratings_with_and_without_flagged_votes() -> None:
    flagged = changed(votes(*both_ways(ORCA, GALPACA, 90, 10), raters=37), names_itself=True)
    without = build_leaderboard([*ARENA, *flagged], CARDS)
    with_all = build_leaderboard([*ARENA, *flagged], CARDS, options=LeaderboardOptions(policy=EVERY_VOTE))
    assert finding(without, "Counted") == "506 votes: 406 count; 100 with an answer that names its model."
    assert finding(without, "Flagged") == (
        "With the 100 flagged votes Pocket Orca Mini would be first, not Pocket Galpaca."
    )
    assert finding(with_all, "Flagged") == (
        "Without the 100 flagged votes Pocket Galpaca would be first, not Pocket Orca Mini."
    )
    both = {row.model: (row.rating_without_flagged, row.rating_with_flagged) for row in without.rows}
    assert both == {row.model: (row.rating_without_flagged, row.rating_with_flagged) for row in with_all.rows}
    assert [row.rating for row in without.rows] == [row.rating_without_flagged for row in without.rows]
    assert [row.rating for row in with_all.rows] == [row.rating_with_flagged for row in with_all.rows]
    clean = build_leaderboard(ARENA, CARDS)
    assert [row.rating_without_flagged for row in without.rows] == [row.rating for row in clean.rows]
    assert all(row.rating == row.rating_with_flagged == row.rating_without_flagged for row in clean.rows)
    assert (without.flagged_votes, with_all.flagged_votes, clean.flagged_votes) == (100, 100, 0)


def test_groups_that_only_flagged_votes_connect_are_not_compared_without_them() -> None:
    """Orca mini stays above galpaca within the group that is left; mamba and openalpaca have a scale of their own."""
    honest = votes(*both_ways(ORCA, GALPACA, 30, 20), *both_ways(GALPACA, MINOTAUR, 30, 20))
    apart = changed(votes(*both_ways(MAMBA, OPENALPACA, 49, 1), raters=13), battle_id="b")
    flagged = changed(changed(votes(*both_ways(MAMBA, ORCA, 20, 20), raters=11), names_itself=True), battle_id="c")
    options = LeaderboardOptions(policy=EVERY_VOTE)
    board = build_leaderboard([*honest, *apart, *flagged], CARDS, options=options)
    names = {row.model: row.name for row in board.rows}
    assert finding(board, "Flagged") == (
        f"Without the 40 flagged votes {names[MAMBA]} and {names[OPENALPACA]} cannot be compared with the others;"
        " among these the order is the same."
    )
    rated = {row.model: row.rating_without_flagged for row in board.rows}
    assert rated[MAMBA] is rated[OPENALPACA] is None
    alone = build_leaderboard(honest, CARDS, options=options)
    assert {row.model: rated[row.model] for row in alone.rows} == pytest.approx(
        {row.model: row.rating for row in alone.rows}
    )


def test_model_with_only_flagged_votes_has_no_rating_without_them() -> None:
    flagged = changed(votes((MAMBA, ORCA, "model_a", 3)), seen_before=True)
    board = build_leaderboard([*ARENA, *flagged], CARDS, options=LeaderboardOptions(policy=EVERY_VOTE))
    [row] = [row for row in board.rows if row.model == MAMBA]
    assert (row.rating, row.rating_without_flagged) == (row.rating_with_flagged, None)
    json.dumps(board.as_document(), allow_nan=False)


def test_model_with_only_flagged_votes_leaves_the_others_their_ratings() -> None:
    """Its id comes before all others, and nobody names it."""
    flagged = changed(votes(("a-model", OPENALPACA, "tie", 4)), seen_before=True)
    board = build_leaderboard([*ARENA, *flagged], CARDS)
    assert "a-model" not in [row.model for row in board.rows]
    assert finding(board, "Flagged") == "With the 4 flagged votes the order is the same."
    with_all = build_leaderboard([*ARENA, *flagged], CARDS, options=LeaderboardOptions(policy=EVERY_VOTE))
    rated = {row.model: row.rating for row in with_all.rows}
    assert all(row.rating_with_flagged == pytest.approx(rated[row.model]) for row in board.rows)


def test_a_rater_who_never_stops_weighs_a_quarter() -> None:
    one = changed(votes(*both_ways(OPENALPACA, GALPACA, 190, 10), raters=1), rater_id="mallory")
    board = build_leaderboard([*ARENA, *one], CARDS)
    weights = count_list([*ARENA, *one], CountingPolicy()).weights
    assert weights == {"mallory": pytest.approx(406 / 3 / 200)}
    assert (board.num_votes, board.lighter_raters) == (606, 1)
    assert finding(board, "Counted") == (
        "All 606 votes count. Those of one rater weigh less, so that nobody weighs more than 25 %."
    )
    uncapped = CountingPolicy(max_share_per_rater=1.0)
    alone = build_leaderboard([*ARENA, *one], CARDS, options=LeaderboardOptions(policy=uncapped))
    rating, before = (next(r.rating for r in found.rows if r.model == OPENALPACA) for found in (board, alone))
    assert rating < before


def test_reported_dishonest_votes_change_the_first_place() -> None:
    board = build_leaderboard(ARENA, CARDS)
    found = board.influence
    assert found is not None
    assert (found.favoured, found.first) == (ORCA, ORCA)
    assert found.share == pytest.approx(found.votes / 406)
    assert finding(board, "Robustness") == (
        f"{found.votes} dishonest votes ({100 * found.share:.0f} % of 406) would put Pocket Orca Mini first."
    )
    lies = changed(votes((found.favoured, board.rows[0].model, "model_a", found.votes), raters=37))
    assert build_leaderboard([*ARENA, *lies[1:]], CARDS).rows[0].model == GALPACA
    assert build_leaderboard([*ARENA, *lies], CARDS).rows[0].model == ORCA


def test_a_category_is_looked_at_alone() -> None:
    coding = changed(votes(*both_ways(ORCA, GALPACA, 60, 20)), category="coding")
    board = build_leaderboard([*ARENA, *coding], CARDS, category="coding")
    assert (board.category, board.num_votes) == ("coding", 80)
    assert board.verdict.headline == "Pocket Orca Mini leads."
    assert " · category coding · " in board.basis


def test_an_unknown_category_is_refused_with_the_valid_ones() -> None:
    coding = changed(ARENA, category="coding")
    with pytest.raises(InvalidValue) as refused:
        build_leaderboard(coding, CARDS, category="Coding", categories=["writing"])
    assert str(refused.value) == "unknown category 'Coding'; valid: coding, writing, or empty for all"
    with pytest.raises(InvalidValue, match="unknown category 'coding'; no vote has one yet"):
        build_leaderboard([], CARDS, category="coding")
    with pytest.raises(InvalidValue, match=r"unknown category \['coding'\]"):
        build_leaderboard(coding, CARDS, category=["coding"])  # type: ignore[arg-type]


def test_a_known_category_without_votes_is_empty() -> None:
    board = build_leaderboard(ARENA, CARDS, category="writing", categories=["writing"])
    assert board.verdict.headline == "No votes in the category writing yet."


def test_all_bad_votes_can_be_left_out() -> None:
    board = build_leaderboard(ARENA, CARDS, options=LeaderboardOptions(both_bad="omit"))
    row = next(row for row in board.rows if row.model == MINOTAUR)
    assert (row.both_bad, row.battles) == (4, 246)
    assert row.win_rate == pytest.approx((115 + 3) / 242)
    assert "all-bad votes left out" in board.basis


def test_the_bootstrap_and_the_level_are_choices_that_are_named() -> None:
    options = LeaderboardOptions(resamples=60, seed=5, level=0.8)
    board = build_leaderboard(ARENA, CARDS, options=options)
    assert board == build_leaderboard(ARENA, CARDS, options=options)
    assert "80 % intervals, bootstrap, each rater a unit" in board.basis
    assert board.as_document()["options"]["seed"] == 5
    assert board.verdict.headline.endswith("Claims here need 80 %, not the usual 95 %.")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"both_bad": "drop"}, "both_bad is 'drop'; valid are: half, omit"),
        ({"prior": -1.0}, "prior is -1.0; valid: 0"),
        ({"level": 2.0}, "level is 2.0; valid: between 0 and 1"),
        ({"unit": "day"}, "unit is 'day'; valid are: auto, rater, vote"),
        ({"min_battles": 0}, "min_battles is 0; valid: 1 or more"),
    ],
)
def test_unknown_options_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        build_leaderboard(ARENA, CARDS, options=LeaderboardOptions(**changes))


def test_votes_on_three_answers_speak_of_pairs() -> None:
    best = [
        pair(GALPACA, other, "model_a" if n % 3 else "model_b", 2 * n + k, vote_id=f"vote-{n}")
        for n in range(40)
        for k, other in enumerate((ORCA, MINOTAUR))
    ]
    board = build_leaderboard(best, CARDS)
    assert (board.num_votes, board.num_pairs, board.rows[0].battles) == (40, 80, 40)


def test_no_share_of_first_answers_is_printed_without_the_strengths() -> None:
    board = build_leaderboard(votes(*both_ways(ORCA, GALPACA, 40, 40)), CARDS)
    assert {found.topic for found in board.findings}.isdisjoint({"Position", "Length"})


def test_equal_models_are_listed_by_their_ids() -> None:
    board = build_leaderboard(votes(*both_ways(ORCA, GALPACA, 40, 40)), CARDS)
    assert [row.model for row in board.rows] == [GALPACA, ORCA]
    assert board.verdict.detail == "They are too close to separate by more votes."


if __name__ == "__main__":
    GOLDEN.write_text(
        json.dumps(rounded(build_leaderboard(ARENA, CARDS).as_document()), indent=2, ensure_ascii=False) + "\n"
    )
