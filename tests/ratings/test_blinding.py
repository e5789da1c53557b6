"""How much better than chance raters name the model that wrote an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ratings.blinding import Estimate, blinding, combined, design_effect, wilson
from playground.records import Guess

MODELS = ("mamba", "galpaca", "openalpaca")


def guess(model: str, named: str | None, rater: str = "", choices: int = 3, reveals: int = 0) -> Guess:
    return Guess(rater, model, named, choices, reveals)


def of_many_raters(counts: dict[tuple[str, str], int]) -> list[Guess]:
    """Make guesses (model, named), each by a rater of its own."""
    pairs = [pair for pair, number in counts.items() for _ in range(number)]
    return [guess(model, named, f"rater-{number}") for number, (model, named) in enumerate(pairs)]


def close(found: Estimate | None, value: float, lower: float, upper: float) -> bool:
    assert found is not None
    return (found.value, found.lower, found.upper) == pytest.approx((value, lower, upper), abs=5e-5)


def test_score_interval_of_a_share() -> None:
    assert close(wilson(81, 263), 0.3080, 0.2553, 0.3662)  # Newcombe 1998, Stat. Med. 17: 857-872, table I
    assert close(wilson(15, 148), 0.1014, 0.0624, 0.1605)
    assert close(wilson(0, 20), 0.0, 0.0, 0.1611)
    assert close(wilson(1, 29), 0.0345, 0.0061, 0.1718)


def test_interval_of_a_difference() -> None:
    """The examples of Newcombe 1998, Stat. Med. 17: 873-890, table II, method 10."""
    for (a, m, b, n), expected in {
        (56, 70, 48, 80): (0.2, 0.0524, 0.3339),
        (9, 10, 3, 10): (0.6, 0.1705, 0.8090),
        (5, 56, 0, 29): (0.0893, -0.0381, 0.1926),
        (10, 10, 0, 10): (1.0, 0.6075, 1.0),
    }.items():
        assert close(combined([(1, wilson(a, m)), (-1, wilson(b, n))]), *expected)


def test_index_of_a_model_that_is_always_recognised() -> None:
    found = blinding(of_many_raters({("mamba", "mamba"): 10, ("galpaca", "galpaca"): 10}))
    assert [(model.model_id, model.answers) for model in found.models] == [("galpaca", 10), ("mamba", 10)]
    assert all(close(model.index, 1.0, 0.6075, 1.0) for model in found.models)
    assert close(found.everyone.index, 1.0, *((3 * p - 1) / 2 for p in (wilson(20, 20).lower, 1.0)))


def test_index_of_a_model_does_not_see_what_raters_like_to_name() -> None:
    counts = {(model, named): 30 if named == "mamba" else 6 for model in MODELS for named in MODELS}
    found = blinding(of_many_raters(counts))
    assert [model.index.value for model in found.models if model.index] == pytest.approx([0, 0, 0])
    assert found.everyone.index is not None
    assert found.everyone.index.value == pytest.approx(0)


def test_index_is_the_difference_of_two_shares() -> None:
    found = blinding(of_many_raters({
        ("mamba", "mamba"): 56, ("mamba", "galpaca"): 14, ("galpaca", "mamba"): 48, ("galpaca", "galpaca"): 32,
    }))  # fmt: skip
    assert close(found.models[1].index, 0.2, 0.0524, 0.3339)
    p = wilson(88, 150)
    assert close(found.everyone.index, *((3 * share - 1) / 2 for share in (p.value, p.lower, p.upper)))


def test_overall_index_takes_each_guess_against_its_own_number_of_choices() -> None:
    right = [guess("mamba", "mamba", f"rater-{number}", choices) for number, choices in enumerate([2, 2, 5, 5])]
    wrong = [guess("mamba", "galpaca", f"rater-{number}", choices) for number, choices in enumerate([2, 5, 5, 5], 4)]
    index = blinding(right + wrong).everyone.index
    assert index is not None
    assert index.value == pytest.approx(3 / 8 * (2 * 2 / 3 - 1) / 1 + 5 / 8 * (5 * 2 / 5 - 1) / 4)


def test_share_answered_and_index_by_reveals_seen_before() -> None:
    asked = [
        guess("mamba", "mamba" if reveals >= 10 else None, "ada", reveals=reveals) for reveals in (0, 1, 9, 10, 99)
    ]
    asked.append(guess("mamba", "galpaca", "ben"))
    found = blinding(asked)
    assert [(group.least, group.most) for group in found.groups] == [(0, 0), (1, 9), (10, None)]
    assert [(group.asked, group.answered, group.share) for group in found.groups] == [(2, 1, 0.5), (2, 0, 0), (2, 2, 1)]
    assert [group.index and group.index.value for group in found.groups] == [-0.5, None, 1]
    assert (found.everyone.asked, found.everyone.answered, found.raters) == (6, 3, 2)


def test_nothing_is_known_without_guesses() -> None:
    found = blinding([])
    assert (found.everyone.index, found.everyone.share, found.models, found.raters) == (None, None, (), 0)
    [only] = blinding([guess("mamba", "mamba")]).models
    assert (only.index, only.answers) == (None, 1)


def test_guesses_of_one_rater_say_less_than_those_of_many() -> None:
    """Ten raters of ten guesses, each always right or always wrong, say as much as nine or ten guesses."""
    hits = [(f"rater-{number}", number < 5) for number in range(10) for _ in range(10)]
    assert design_effect(hits) == pytest.approx(11)
    assert design_effect([(str(number), number < 5) for number in range(10)]) == pytest.approx(1)
    assert design_effect([("ada", True), ("ada", False)]) == 1
    alike = [guess("mamba", "mamba" if hit else "galpaca", rater) for rater, hit in hits]
    found, expected = blinding(alike).everyone.index, wilson(50 / 11, 100 / 11)
    assert close(found, *((3 * share - 1) / 2 for share in (expected.value, expected.lower, expected.upper)))


GUESSES = st.lists(
    st.builds(
        Guess,
        st.sampled_from(["ada", "ben", "cy"]),
        st.sampled_from(MODELS),
        st.one_of(st.none(), st.sampled_from(MODELS)),
        st.just(3),
        st.integers(0, 20),
    ),
    max_size=40,
)


@given(GUESSES, st.randoms())
def test_index_stays_within_its_interval_and_order_is_nothing(asked: list[Guess], random: object) -> None:
    found = blinding(asked)
    indices = [found.everyone.index, *(group.index for group in found.groups), *(model.index for model in found.models)]
    for index in indices:
        if index is not None:
            assert -1 - 1e-9 <= index.lower <= index.value + 1e-9
            assert index.value - 1e-9 <= index.upper <= 1 + 1e-9
    assert sum(group.asked for group in found.groups) == found.everyone.asked
    assert sum(group.answered for group in found.groups) == found.everyone.answered
    shuffled = sorted(asked, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert blinding(shuffled) == found


@given(GUESSES)
def test_index_does_not_depend_on_the_names_of_models(asked: list[Guess]) -> None:
    other = dict(zip(MODELS, ("x", "y", "z"), strict=True))
    renamed = [
        Guess(g.rater_id, other[g.model_id], None if g.named is None else other[g.named], g.choices, g.reveals)
        for g in asked
    ]
    before, after = blinding(asked), blinding(renamed)
    assert after.everyone == before.everyone
    assert {m.model_id: m.index for m in after.models} == {other[m.model_id]: m.index for m in before.models}
