"""Rate limits of raters, networks and kinds of events, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from playground.clock import Clock
from playground.settings import Settings
from playground.ui.http.limits import Buckets, RateLimits, RequestKind, kind_of, network

ADDRESS = "203.0.113.7"


@dataclass
class Seconds:
    """A clock that the test moves."""

    at_s: float = 1e6

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.at_s)


@pytest.fixture
def time() -> Seconds:
    return Seconds()


@pytest.fixture
def limits(time: Seconds) -> RateLimits:
    return RateLimits(Settings(compares_per_minute=20, votes_per_minute=60, views_per_minute=600), time.clock)


def taken(ask: Callable[[], int], times: int) -> int:
    """Return how many of the requests pass."""
    return sum(ask() == 0 for _ in range(times))


@pytest.mark.proves("more requests than a rater may send")
@pytest.mark.parametrize(("kind", "count"), [("compare", 20), ("vote", 60), ("note", 60), ("view", 600)])
def test_setting_is_the_limit(limits: RateLimits, kind: str, count: int) -> None:
    assert taken(lambda: limits.wait_s(RequestKind(kind), "ada", ADDRESS), 700) == count


def test_request_after_the_stated_wait_passes(limits: RateLimits, time: Seconds) -> None:
    assert taken(lambda: limits.wait_s(RequestKind.COMPARE, "ada", ADDRESS), 20) == 20
    wait_s = limits.wait_s(RequestKind.COMPARE, "ada", ADDRESS)
    assert wait_s == 3, "a twentieth of a minute"
    time.at_s += wait_s
    assert taken(lambda: limits.wait_s(RequestKind.COMPARE, "ada", ADDRESS), 5) == 1
    time.at_s += 60
    assert taken(lambda: limits.wait_s(RequestKind.COMPARE, "ada", ADDRESS), 50) == 20


def test_refused_requests_do_not_count(limits: RateLimits, time: Seconds) -> None:
    for _ in range(500):
        limits.wait_s(RequestKind.COMPARE, "ada", ADDRESS)
    time.at_s += 3
    assert limits.wait_s(RequestKind.COMPARE, "ada", ADDRESS) == 0


def test_kinds_have_limits_of_their_own(limits: RateLimits) -> None:
    assert taken(lambda: limits.wait_s(RequestKind.COMPARE, "ada", ADDRESS), 500) == 20
    assert taken(lambda: limits.wait_s(RequestKind.NOTE, "ada", ADDRESS), 500) == 60
    assert taken(lambda: limits.wait_s(RequestKind.VOTE, "ada", ADDRESS), 500) == 60


def test_raters_have_limits_of_their_own(limits: RateLimits) -> None:
    assert taken(lambda: limits.wait_s(RequestKind.VOTE, "ada", ADDRESS), 500) == 60
    assert taken(lambda: limits.wait_s(RequestKind.VOTE, "ben", ADDRESS), 500) == 60


def test_network_has_ten_times_the_limit_of_a_rater(limits: RateLimits) -> None:
    raters = (f"rater {n}" for n in range(1000))
    assert taken(lambda: limits.wait_s(RequestKind.COMPARE, next(raters), ADDRESS), 1000) == 200
    assert limits.wait_s(RequestKind.COMPARE, "ada", "203.0.113.8") == 0


def test_request_without_a_rater_counts_for_its_address(limits: RateLimits) -> None:
    assert taken(lambda: limits.wait_s(RequestKind.COMPARE, "", ADDRESS), 500) == 20
    assert taken(lambda: limits.wait_s(RequestKind.COMPARE, "", "203.0.113.8"), 500) == 20


def test_zero_means_no_limit(time: Seconds) -> None:
    limits = RateLimits(Settings(votes_per_minute=0), time.clock)
    assert taken(lambda: limits.wait_s(RequestKind.VOTE, "ada", ADDRESS), 5000) == 5000


def test_invented_raters_and_addresses_use_bounded_memory(time: Seconds) -> None:
    limits = RateLimits(Settings(), time.clock, remembered=50)
    for n in range(5000):
        limits.wait_s(RequestKind.VIEW, f"rater {n}", f"10.0.{n // 250}.{n % 250}")
        limits.wait_s(RequestKind.COMPARE, f"rater {n}", f"10.0.{n // 250}.{n % 250}")
    assert len(limits) <= 4 * 50


def test_bucket_used_longest_ago_is_dropped_first() -> None:
    buckets = Buckets(per_minute=1, remembered=2)
    for key in ("ada", "ben", "ada", "cleo"):
        buckets.take(key, now_s=0.0)
    assert {key: buckets.wait_s(key, 0.0) > 0 for key in ("ada", "ben", "cleo")} == {
        "ada": True,
        "ben": False,
        "cleo": True,
    }


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("x" * 1000, "x" * 64),
        ("", ""),
    ],
)
def test_network_of_an_address(host: str, name: str) -> None:
    assert network(host) == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("compare", RequestKind.COMPARE),
        ("compare_12", RequestKind.COMPARE),
        ("regenerate", RequestKind.COMPARE),
        ("vote_3", RequestKind.VOTE),
        ("undo", RequestKind.VOTE),
        ("reveal", RequestKind.VOTE),
        ("note_comment_1", RequestKind.NOTE),
        ("send_report", RequestKind.NOTE),
        ("follow_2", RequestKind.VIEW),
        ("lambda_1", RequestKind.VIEW),
        ("", RequestKind.VIEW),
    ],
)
def test_kind_of_an_event_by_its_handlers_name(name: str, kind: RequestKind) -> None:
    assert kind_of(name) is kind
