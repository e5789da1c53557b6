"""Redaction: erased text leaves the journal."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from playground.records import Instruction
from playground.storage.database.store import Store
from playground.storage.journal import journal as journal_file
from playground.storage.journal import segments
from playground.storage.journal.journal import Journal
from playground.storage.journal.lines import Line
from tests.support.cast import House
from tests.support.judging import ADA, BEN, SECRET, afternoon, judge, keep_journal, time_passes
from tests.support.patience import wait_until
from tests.support.starts import run_code
from tests.support.storing import content_of, events, file_size_limit, seqs


def test_erased_text_leaves_every_line(home: House, folder: Path) -> None:
    afternoon(home)
    judge(home, "also-bens", rater=BEN, text=f"Again: {SECRET}")
    home.battles.note("plain", BEN, comment=SECRET)
    keep_journal(home.store)
    judge(home, "another", rater=ADA)
    keep_journal(home.store)
    assert b"Theodora" in content_of(folder)
    untouched = segments.in_order(folder)[1].read_bytes()
    time_passes(home)
    home.battles.erase(BEN)
    keep_journal(home.store)
    kept = content_of(folder)
    assert b"Theodora" not in kept
    assert b"second thoughts" not in kept
    assert b"Grey waves" in kept  # other raters' answers
    assert b"fine" in kept
    assert untouched in kept
    assert seqs(folder) == list(range(1, events(home.store) + 1))


def test_redacted_lines_equal_new_ones(home: House, folder: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    home.battles.erase(BEN)
    keep_journal(home.store)
    rewritten = [line.record["rows"] for path in segments.in_order(folder) for line in segments.read(path)]
    shutil.rmtree(folder)
    keep_journal(home.store)
    rendered = [line.record["rows"] for path in segments.in_order(folder) for line in segments.read(path)]
    for old, new in zip(rewritten, rendered, strict=True):
        for table in ("generations", "instructions", "generation_flags"):
            assert old.get(table) == new.get(table)
        for table in ("battles",):
            terms = [
                [(row["id"], row["instruction_id"], row["erased_at"]) for row in rows[table]] for rows in (old, new)
            ]
            assert terms[0] == terms[1]


def test_redaction_on_a_full_disk_is_retried(home: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "RETRY_S", 0.01)
    for number in range(5):
        judge(home, f"battle-{number}", rater=BEN, text=SECRET)
    time_passes(home)
    keep_journal(home.store)
    home.battles.erase(BEN)
    with file_size_limit(5_000):
        journal = Journal(home.store, folder)
        wait_until(lambda: journal.state().error != "")
        assert journal.state().lag == 1
        assert seqs(folder) == [1, 2, 3, 4, 5]
        assert b"Theodora" in content_of(folder)
    wait_until(lambda: journal.state().lag == 0)
    journal.close()
    assert b"Theodora" not in content_of(folder)
    assert seqs(folder) == [1, 2, 3, 4, 5, 6]


ERASER = """
import os, sys
from pathlib import Path
from playground.storage.journal import segments
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from playground.storage.database.store import Store
original, left = segments.rewrite, [int(sys.argv[2])]
def rewrite(segment, change):
    if left[0] == 0:
        segment.with_suffix(".part").write_bytes(b"half of it")
        os.kill(os.getpid(), 9)
    left[0] -= 1
    original(segment, change)
segments.rewrite = rewrite
store = Store(Path(sys.argv[1]))
Journal(store, journal_folder(store.path)).close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("rewritten", [0, 1, 2])
def test_killed_redaction_is_finished_at_start(home: House, folder: Path, rewritten: int) -> None:
    for number in range(3):
        judge(home, f"battle-{number}", rater=BEN, text=SECRET)
        keep_journal(home.store)
    time_passes(home)
    home.battles.erase(BEN)
    home.store.close()
    path = home.store.path
    assert path is not None
    assert run_code(ERASER, str(path), str(rewritten))[0] == -signal.SIGKILL
    assert content_of(folder).count(b"half of it") == 1
    assert b"Theodora" in content_of(folder)
    with Store(path) as store:
        keep_journal(store)
    assert b"Theodora" not in content_of(folder)
    assert b"half of it" not in content_of(folder)
    assert seqs(folder) == [1, 2, 3, 4]


def test_erasures_rewrite_the_journal_once(home: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raters = [f"rater {number}" for number in range(5)]
    for rater in raters:
        judge(home, f"of-{rater}", rater=rater, text=SECRET)
    time_passes(home)
    keep_journal(home.store)
    for rater in raters:
        home.battles.erase(rater)
        judge(home, f"after-{rater}")
    rewritten: list[Path] = []
    rewrite = segments.rewrite

    def counted(segment: Path, change: Callable[[Line], bytes | None]) -> None:
        rewritten.append(segment)
        rewrite(segment, change)

    monkeypatch.setattr(segments, "rewrite", counted)
    keep_journal(home.store)
    assert len(rewritten) == 1
    assert b"Theodora" not in content_of(folder)
    assert seqs(folder) == list(range(1, 16))


def test_close_interrupts_a_redaction(home: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        judge(home, f"battle-{number}", rater=BEN, text=SECRET)
        keep_journal(home.store)
    time_passes(home)
    home.battles.erase(BEN)
    rewriting, closing = threading.Event(), threading.Event()
    rewrite = segments.rewrite

    def held(segment: Path, change: Callable[[Line], bytes | None]) -> None:
        rewriting.set()
        assert closing.wait(30)
        rewrite(segment, change)

    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "CLOSE_S", 0.0)
        patched.setattr(segments, "rewrite", held)
        journal = Journal(home.store, folder)
        assert rewriting.wait(30)
        ending = threading.Thread(target=journal.close)
        ending.start()
        wait_until(journal._ending.is_set)
        closing.set()
        ending.join()
    assert journal.state().lag == 1
    assert sum(b"Theodora" in path.read_bytes() for path in segments.segments(folder)) == 2
    keep_journal(home.store)
    assert b"Theodora" not in content_of(folder)
    assert seqs(folder) == [1, 2, 3, 4]


def test_text_that_only_names_a_rater_is_kept(home: House, folder: Path) -> None:
    odd = 'Zoë "\\" \n\u2028 \'}'
    home.battle_is_open("own", owner=odd, source="api", instruction=Instruction(SECRET))
    home.battles.vote("own", "b", odd, final=True, source="api", comment=SECRET)
    keep_journal(home.store)
    judge(home, "about", text=f'{{"owner":"{odd}","rater_id":"{odd}"}}')
    kept = keep_journal(home.store)
    [own, about] = segments.in_order(kept)
    untouched = about.read_bytes()
    home.store.write(lambda writing: writing.erase_words(odd, "api", home.time.now()))
    keep_journal(home.store)
    assert b"Theodora" not in content_of(folder)
    assert about.read_bytes() == untouched
    assert own.exists()
