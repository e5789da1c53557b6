"""The times at which a blind battle's words appear name no model.

200 battles of five models that say the same things and write at known speeds, up to four times apart, half of them
with answers of very different length. The attacker knows tokenizers, speeds and the pace; the control sees the final
texts only. They are compared by McNemar's exact test, one-sided, at 1 %. Where models write slower than the pace the
order alone is tested (exact binomial): that a slow one takes part can be seen, and is documented.
"""

from __future__ import annotations

from functools import cache

import pytest

from tests.support.rhythm import (
    FAST,
    SLOW,
    TICK_S,
    Attack,
    Fought,
    as_it_is,
    attacked,
    by_opening,
    by_rhythm,
    by_texts,
    by_tokens,
    chance_of_better,
    chance_of_so_many,
    every_token,
    every_word,
    fight,
    recorded,
)

BATTLES = 200
LEVEL = 0.01

pytestmark = pytest.mark.slow


@cache
def battles(speeds: tuple[float, ...], count: int = BATTLES) -> tuple[Fought, ...]:
    return tuple(fight(seed, speeds) for seed in range(count))


@pytest.mark.parametrize("speeds", [FAST, SLOW], ids=["fast", "slow"])
def test_attacks_get_the_timing_a_visitor_sees(speeds: tuple[float, ...]) -> None:
    for fought in battles(speeds)[:20]:
        frames = as_it_is(fought.streams)
        for now_s, texts in recorded(fought):
            tick = int(now_s / TICK_S + 1e-6)
            assert [len(text) for text in texts] == ([0, 0] if tick == 0 else list(frames[tick - 1]))


@pytest.mark.parametrize("attack", [by_tokens, by_rhythm])
def test_words_at_a_steady_pace_tell_no_more_than_the_texts(attack: Attack) -> None:
    fought = battles(FAST)
    control = attacked(fought, as_it_is, FAST, by_texts)
    named = attacked(fought, as_it_is, FAST, attack)
    assert chance_of_better(named, control) > LEVEL, (named.share, control.share)
    assert chance_of_so_many(sum(named.hits), BATTLES, 1 / 20) > LEVEL


@pytest.mark.parametrize("speeds", [FAST, SLOW], ids=["fast", "slow"])
@pytest.mark.parametrize("attack", [by_tokens, by_rhythm])
def test_a_pair_that_is_known_cannot_be_put_in_order(speeds: tuple[float, ...], attack: Attack) -> None:
    named = attacked(battles(speeds), as_it_is, speeds, attack, pair_known=True)
    assert chance_of_so_many(sum(named.hits), BATTLES, 1 / 2) > LEVEL, named.share


# The attacks work


def test_the_same_number_of_tokens_named_every_model() -> None:
    assert attacked(battles(FAST), every_token, FAST, by_tokens).share > 0.8


def test_each_word_as_soon_as_all_have_it_would_name_the_order() -> None:
    fought = battles(FAST)[:100]
    assert attacked(fought, every_word, FAST, by_rhythm).share > 0.2
    assert attacked(fought, every_word, FAST, by_rhythm, pair_known=True).share > 0.8


def test_the_time_of_the_opening_is_what_remains() -> None:
    """A battle opens when all have ended, and a long answer of a slow model ends late: documented, not closed."""
    assert attacked(battles(FAST), as_it_is, FAST, by_opening, pair_known=True).share > 0.6
