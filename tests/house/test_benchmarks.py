"""The benchmarks run: one small round each, without the peer that has to be fetched."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.rounds import EQUAL, Contender, Figure, NotHere, in_turns, show
from tests.support.paths import ROOT

SCRIPTS = (
    ("equal_tokens.py",),
    ("exact_answers.py",),
    ("many_visitors.py", "--no-fastchat"),
    ("long_prompt.py",),
    ("side_by_side.py", "--no-fastchat"),
    ("instruction_file.py",),
    ("stream_text.py",),
    ("export_votes.py",),
    ("leaderboard.py",),
    ("board_visitors.py",),
    ("store_sync.py",),
    ("durable_votes.py",),
)
OF_ALL_VOTES = (
    ("votes_at_once.py", "--votes", "300"),
    ("votes_over_http.py", "--battles", "60"),
    ("votes_under_flood.py", "--quick"),
)
OF_THE_PAGE = (
    "page_loads.py",
    *(pytest.param(name, marks=pytest.mark.browser) for name in ("in_browser.py", "rate_in_browser.py")),
)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script[0])
def test_a_quick_round_prints_a_table_in_which_all_our_answers_are_right(script: tuple[str, ...]) -> None:
    command = [sys.executable, f"benchmarks/{script[0]}", "--quick", *script[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| --- |" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("script", OF_ALL_VOTES, ids=lambda script: script[0])
def test_a_quick_round_finds_every_vote_in_rows_journal_and_export(script: tuple[str, ...]) -> None:
    command = [sys.executable, f"benchmarks/{script[0]}", *script[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    for kept in ("rows", "journal", "export"):
        assert f"in {kept}: 0 lost, 0 more than acknowledged" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("script", OF_THE_PAGE)
def test_a_quick_round_of_the_page_prints_a_table(script: str) -> None:
    command = [sys.executable, f"benchmarks/{script}", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| --- |" in done.stdout


def test_the_table_says_how_many_times_better_ours_is_and_who_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    def absent() -> dict[str, float]:
        raise NotHere("no network")

    everyone = [
        Contender("ours", lambda: {"rate": 300.0, "first": 0.5, EQUAL: 1.0}),
        Contender("a peer", lambda: {"rate": 100.0, "first": 1.0, EQUAL: 0.5}),
        Contender("a wrong one", lambda: {"rate": 600.0, "first": 0.25, EQUAL: 0.0}),
        Contender("an absent one", absent),
    ]
    columns = (Figure("rate", "tokens per CPU second"), Figure("first", "first token, s", 1, less_is_better=True))
    show(in_turns(everyone, 2), "ours", columns)
    _, _, ours, peer, wrong, missing = capsys.readouterr().out.splitlines()
    assert ours == "| ours | 300 (300–300) | 0.5 (0.5–0.5) | 1.00 | 1.00 | 100% |"
    assert peer == "| a peer | 100 (100–100) | 1.0 (1.0–1.0) | 3.00 | 2.00 | 50% |"
    assert wrong.endswith("| (0.50) | (0.50) | 0% |")
    assert missing == "| an absent one | not here: no network |  |  |  |  |"
