"""Points of ``space check``, judged from answers of right and wrong Spaces."""

from __future__ import annotations

import json

import pytest

from playground.errors import InvalidValue
from playground.spaces import judging
from playground.spaces.check import space_url
from playground.spaces.judging import Expected, Response

EXPECTED = Expected("0.1.0", "6.31.0", "abc123", "https://huggingface.co")
HEALTHY = {
    "status": "ok",
    "reasons": [],
    "database": {"writable": True, "vote_rows": 4},
    "workers": [{"model": "a", "state": "ready"}],
    "versions": {"playground": "0.1.0", "gradio": "6.31.0", "build": "abc123"},
}
COOKIE = f"{judging.COOKIE}={'0' * 32}; Path=/; Max-Age=1; HttpOnly; SameSite=None; Secure; Partitioned"


def answer(document: object = None, status: int = 200, **headers: str) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status, named, json.dumps(document))


def wrong(report: dict) -> list[str]:
    return [point.name for point in judging.health(answer(report), EXPECTED) if not point.ok]


def test_healthy_report_is_right() -> None:
    assert wrong(HEALTHY) == []
    assert judging.answers(answer(HEALTHY)).ok


@pytest.mark.parametrize(
    ("part", "value", "point"),
    [
        ("status", "degraded", "health"),
        ("database", {"writable": False, "error": "StorageError"}, "votes can be stored"),
        ("workers", [{"model": "a", "state": "failed"}], "models"),
        ("workers", [], "models"),
        ("store", {"votes": 4, "error": "see the log"}, "votes are copied out"),
        ("store", {"votes": 4, "waiting": 9, "late": True}, "votes are copied out"),
        ("store", {"votes": 4, "warnings": 1}, "votes are copied out"),
        ("versions", {"playground": "0.0.9", "gradio": "6.31.0", "build": "abc123"}, "versions"),
        ("versions", {"playground": "0.1.0", "gradio": "6.30.0", "build": "abc123"}, "versions"),
        ("versions", {"playground": "0.1.0", "gradio": "6.31.0", "build": "def456"}, "code"),
        ("versions", {"playground": "0.1.0", "gradio": "6.31.0"}, "code"),
    ],
)
def test_each_fault_of_a_report_fails_one_point(part: str, value: object, point: str) -> None:
    assert wrong({**HEALTHY, part: value}) == [point]


@pytest.mark.parametrize("part", ["reasons", "database", "workers", "versions"])
def test_report_of_another_program_is_wrong_and_no_error(part: str) -> None:
    for value in ("up", 1, None, [1], {"a": 1}):
        report = {**HEALTHY, part: value}
        assert wrong(report) != [] or part == "reasons"


def test_store_that_is_up_to_date_is_right() -> None:
    store = {"votes": 4, "waiting": 0, "age_s": 3.0, "late": False, "error": "", "warnings": 0}
    points = {point.name: point for point in judging.health(answer({**HEALTHY, "store": store}), EXPECTED)}
    assert points["votes are copied out"] == judging.SpacePoint("votes are copied out", True, "up to vote 4")


def test_reasons_are_shown() -> None:
    points = list(judging.health(answer({**HEALTHY, "status": "degraded", "reasons": ["the disk is full"]}), EXPECTED))
    assert points[0].found == "degraded: the disk is full"


@pytest.mark.parametrize("health", [Response(error="ConnectError: refused"), Response(404, (), "<html>"), answer([1])])
def test_what_is_not_the_playgrounds_report_does_not_answer(health: Response) -> None:
    point = judging.answers(health)
    assert not point.ok
    assert point.cure


@pytest.mark.parametrize(
    ("cookie", "ok"),
    [
        (COOKIE, True),
        (COOKIE.replace("; Partitioned", ""), False),
        (COOKIE.replace("None; Secure", "Lax; Secure"), False),
        (COOKIE.replace("; Secure", ""), False),
        (COOKIE.replace("; HttpOnly", ""), False),
        ("other=1; SameSite=None; Secure; Partitioned; HttpOnly", False),
        ("", False),
    ],
)
def test_cookie_needs_every_attribute_of_a_frame(cookie: str, ok: bool) -> None:
    assert judging.cookie(answer(set_cookie=cookie), "https://play.example").ok is ok


def test_cookie_of_an_http_address_is_not_kept_in_a_frame() -> None:
    assert judging.cookie(answer(set_cookie=COOKIE), "http://play.example").cure.startswith(
        "Browsers keep it over https"
    )


@pytest.mark.parametrize(
    ("policy", "ok"),
    [
        ("default-src 'self'; frame-ancestors 'self' https://huggingface.co https://*.hf.space", True),
        ("frame-ancestors 'self' https://example.org", False),
        ("frame-ancestors 'self'", False),
        ("default-src 'self'", False),
    ],
)
def test_frame_has_to_be_allowed(policy: str, ok: bool) -> None:
    assert judging.frame(answer(content_security_policy=policy), "https://huggingface.co").ok is ok


def test_older_header_forbids_the_frame_too() -> None:
    policy = "frame-ancestors https://huggingface.co"
    both = answer(content_security_policy=policy, x_frame_options="DENY")
    assert not judging.frame(both, "https://huggingface.co").ok


def test_requests_of_the_page_arrive_and_those_of_others_do_not() -> None:
    assert judging.own_address(answer(status=400)).ok
    assert not judging.own_address(answer(status=403)).ok
    assert not judging.own_address(Response(502)).ok
    assert judging.foreign_address(answer(status=403)).ok
    assert not judging.foreign_address(answer(status=400)).ok


@pytest.mark.parametrize(("status", "ok"), [(200, True), (303, True), (404, False), (0, False)])
def test_somebody_can_be_the_operator(status: int, ok: bool) -> None:
    assert judging.operator(answer(status=status)).ok is ok


def test_api_has_every_endpoint() -> None:
    named = dict.fromkeys(judging.ENDPOINTS, "")
    assert judging.endpoints(answer({"named_endpoints": named})).ok
    del named["/vote"]
    assert judging.endpoints(answer({"named_endpoints": named})).found == "without /vote"


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ('event: complete\ndata: [{"num_tokens": 7}]\n\n', True),
        ("event: error\ndata: null\n\n", False),
        ("data: {not json", False),
        ("", False),
    ],
)
def test_dry_request_has_to_get_token_ids(text: str, ok: bool) -> None:
    assert judging.dry_request("a", Response(200, (), text)).ok is ok


@pytest.mark.parametrize(
    "listed", [answer({}), answer({"data": []}), answer({"data": [[{"id": "a", "state": "off"}]]})]
)
def test_no_model_is_found_where_none_answers(listed: Response) -> None:
    assert judging.first_model(listed) == ""


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("ada/playground", "https://ada-playground.hf.space"),
        ("Ada_L/My.Play", "https://ada-l-my-play.hf.space"),
        ("https://huggingface.co/spaces/ada/playground", "https://ada-playground.hf.space"),
        ("https://play.example.org/x/", "https://play.example.org/x"),
        ("http://127.0.0.1:7860", "http://127.0.0.1:7860"),
    ],
)
def test_address_of_a_space(given: str, url: str) -> None:
    assert space_url(given) == url


@pytest.mark.parametrize("given", ["", "playground", "a/b/c", "ftp://host/", "https://", "https://a.example/?x=1"])
def test_anything_else_is_no_space(given: str) -> None:
    with pytest.raises(InvalidValue, match="is no Space; valid"):
        space_url(given)
