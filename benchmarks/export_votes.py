"""Benchmark 9: an export of 1,000,000 votes as CSV, JSON Lines and Parquet.

Run ``python benchmarks/export_votes.py [--votes 1000000] [--format pairs] [--rounds 3] [--database FILE]``. Measures
CPU time and peak memory of the playground's export against pandas and sqlite-utils, each in a process of its own, on a
real database that is made for it (and kept as FILE). Exit status 1 if a file lacks a vote.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.ballots import MODELS
from benchmarks.judged_votes import answer_of, words
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, NotHere, Spent, in_turns, machine, show
from playground.catalog.catalog import Catalog
from playground.records import Battle, BattleSide, BattleState, Generation, Instruction, Vote
from playground.settings import Settings
from playground.storage.database import rows
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store

ANSWERS = 20_000
"""Different answers, and a tenth of it instructions; battles share them, as raters of one study do."""
RATERS = 20_000
CHUNK = 500
CHOICES = ("a", "b", "a", "b", "tie", "both_bad")
ENDINGS = (".csv", ".jsonl", ".parquet")
OURS = "ours"

COLUMNS = (
    Figure("cpu_s", "CPU, s", 1, less_is_better=True),
    Figure("wall_s", "wall, s", 1, less_is_better=True),
    Figure("peak_mb", "peak memory, MB", less_is_better=True),
    Figure("mb", "file, MB", compared=False),
)

PAIRS = """
SELECT p.vote_id, p.battle_id, p.rater_id AS rater, p.origin, '' AS study, p.category, i.instruction,
  p.model_a, p.model_b, f.text AS answer_a, g.text AS answer_b, p.winner, p.strength, p.decision_s, p.created_at,
  p.license_a, p.license_b
FROM pairs p JOIN battles b ON b.id = p.battle_id JOIN instructions i ON i.id = b.instruction_id
JOIN generations f ON f.id = p.generation_a JOIN generations g ON g.id = p.generation_b
WHERE b.erased_at IS NULL AND b.hidden_at IS NULL ORDER BY p.created_at, p.vote_id"""
_OF_ANSWER = """model_id, text, license, repo, model_revision, id, finish_reason, params, seed, template_id,
  template_hash, prompt_text, prompt_ids, token_ids, engine, device, dtype, versions, faithful, created_at,
  first_token_s, duration_s"""
_ANSWERS = ", ".join(
    f"{answer}.{name.strip()} AS {name.strip()}_{side}"
    for answer, side in (("f", "a"), ("g", "b"))
    for name in _OF_ANSWER.split(",")
)
VOTES = f"""
SELECT v.id AS vote_id, v.*, b.*, i.*, {_ANSWERS}
FROM votes v JOIN battles b ON b.id = v.battle_id JOIN instructions i ON i.id = b.instruction_id
JOIN battle_sides x ON x.battle_id = v.battle_id AND x.side = 'a' JOIN generations f ON f.id = x.generation_id
JOIN battle_sides y ON y.battle_id = v.battle_id AND y.side = 'b' JOIN generations g ON g.id = y.generation_id
WHERE v.choice <> 'undo' AND b.erased_at IS NULL AND b.hidden_at IS NULL ORDER BY v.created_at, v.id"""
"""The questions of somebody who knows the documented tables. Of our columns `counts` and `why_not` are missing: they
follow from the playground's policy and not from a query."""
QUERIES = {"pairs": PAIRS, "votes": VOTES}


def fill(store: Store, votes: int, num_answers: int = ANSWERS) -> None:
    """Store votes on shared answers; always the same ones."""
    cards = Catalog.load(Settings().card_folders, Settings().template_folders).cards
    for model in MODELS:
        store.upsert_model(cards[model])
    chance, begin = random.Random(9), datetime(2026, 1, 1, tzinfo=UTC)
    asked = [
        Instruction(f"Question {i}: {words(chance, 20)}?", category=f"category-{i % 6}")
        for i in range(num_answers // 10)
    ]
    answers = [answer_of(cards[MODELS[i % 2]], asked[i // 10], i, chance) for i in range(num_answers)]
    for start in range(0, num_answers, CHUNK):
        store.write(partial(_insert_answers, answers[start : start + CHUNK]))
    store.write(lambda writing: [writing.add_rater(f"{i:032x}", begin.isoformat()) for i in range(RATERS)] and None)
    for start in range(0, votes, CHUNK):
        made = [_battle(answers, i, begin, chance) for i in range(start, min(start + CHUNK, votes))]
        store.write(partial(_insert_battles, made))


def _insert_answers(answers: list[Generation], writing: Writing) -> None:
    for answer in answers:
        writing.insert_generation(answer)


def _insert_battles(made: list[tuple[Battle, Vote]], writing: Writing) -> None:
    writing.insert("battles", *(rows.battle_row(battle) for battle, _ in made))
    writing.insert("battle_sides", *(rows.side_row(battle.id, side) for battle, _ in made for side in battle.sides))
    writing.insert("votes", *(rows.vote_row(vote) for _, vote in made))


def _battle(answers: list[Generation], number: int, begin: datetime, chance: random.Random) -> tuple[Battle, Vote]:
    at = (begin + timedelta(seconds=20 * number)).isoformat(timespec="milliseconds")
    name = hashlib.sha256(f"vote {number}".encode()).hexdigest()[:32]
    first = chance.randrange(len(answers) // 2) * 2
    pair = (answers[first], answers[first + 1])
    battle = Battle(
        id=name,
        comparison_id=name,
        parent_id=None,
        owner=f"{number % RATERS:032x}",
        source="page",
        blind=True,
        state=BattleState.REVEALED,
        instruction=pair[0].instruction,
        overrides={},
        sides=tuple(
            BattleSide(side, answer.model_id, answer.seed, answer.params, answer)
            for side, answer in zip("ab", pair, strict=True)
        ),
        created_at=at,
        opened_at=at,
        final_at=at,
        draw_probability=0.1,
    )
    return battle, Vote(name[::-1], name, 1, CHOICES[number % 6], battle.owner, at, 1.0 + number % 30)


# Contenders, each in a process of its own


def ours(database: Path, format: str, target: Path) -> None:
    from playground.clock import utc_now
    from playground.exchange import ExportOptions, export

    with Store(database, read_only=True) as store:
        export(store, format, target, ExportOptions(final_by=utc_now()))


def pandas(database: Path, format: str, target: Path) -> None:
    import pandas as pd

    frame = pd.read_sql_query(QUERIES[format], sqlite3.connect(database))
    frame = frame.loc[:, ~frame.columns.duplicated()]
    if target.suffix == ".csv":
        frame.to_csv(target, index=False)
    elif target.suffix == ".parquet":
        frame.to_parquet(target)
    else:
        frame.to_json(target, orient="records", lines=True, force_ascii=False)


def sqlite_utils(database: Path, format: str, target: Path) -> None:
    from sqlite_utils.cli import cli

    flag = "--csv" if target.suffix == ".csv" else "--nl"
    with target.open("w", encoding="utf-8") as file:
        sys.stdout = file
        cli.main(["query", str(database), QUERIES[format], flag], standalone_mode=False)
        sys.stdout = sys.__stdout__


CONTENDERS: dict[str, Callable[[Path, str, Path], None]] = {OURS: ours, "pandas": pandas, "sqlite-utils": sqlite_utils}


def child(name: str, database: Path, format: str, target: Path) -> None:
    """Run one contender, whose imports are not measured, and print its figures."""
    if name == "pandas":
        import pandas as pd  # noqa: F401
    if target.suffix == ".parquet":
        import pyarrow.parquet  # noqa: F401
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the process that started this one
    with Spent() as spent:
        CONTENDERS[name](database, format, target)
    print(json.dumps({"cpu_s": spent.cpu_s, "wall_s": spent.wall_s, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Return the most memory that this process has had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def run(name: str, database: Path, format: str, ending: str, votes: int) -> Figures:
    """Run a contender in a process and count the votes in its file."""
    if ending == ".parquet" and name == "sqlite-utils":
        raise NotHere("it writes no Parquet")
    with tempfile.TemporaryDirectory(dir=database.parent) as folder:
        target = Path(folder) / f"out{ending}"
        command = [sys.executable, __file__, "--child", name, "--database", str(database), "--format", format]
        done = subprocess.run([*command, "--target", str(target)], capture_output=True, text=True)
        if done.returncode != 0:
            raise NotHere((done.stderr.strip().splitlines() or ["ended without a word"])[-1])
        figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        whole = sum(1 for _ in ids(target)) == votes and next(ids(target)) == _vote_id(0)
        return {**figures, "mb": target.stat().st_size / 1e6, EQUAL: float(whole)}


def _vote_id(number: int) -> str:
    return hashlib.sha256(f"vote {number}".encode()).hexdigest()[:32][::-1]


def ids(path: Path) -> Iterator[str]:
    """Yield the ids of the votes in a file."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        file = pq.ParquetFile(path)
        name = "vote_id" if "vote_id" in file.schema_arrow.names else "id"
        for batch in file.iter_batches(columns=[name]):
            yield from batch.column(0).to_pylist()
        return
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        lines = iter(file)
        if path.suffix == ".csv":
            next(lines)
        for line in lines:
            yield line.partition(",")[0].rpartition('"vote_id":')[2].rpartition('"id":')[2].strip('" ')


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--answers", type=int, default=ANSWERS, help="different ones, which the votes share")
    parser.add_argument("--format", choices=QUERIES, default="pairs")
    parser.add_argument("--ending", choices=ENDINGS, nargs="+", default=ENDINGS)
    parser.add_argument("--contender", choices=CONTENDERS, nargs="+", default=list(CONTENDERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of 2,000 votes, to see that it works")
    parser.add_argument("--database", type=Path, help="made if missing, and kept")
    parser.add_argument("--child", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--target", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.database, chosen.format, chosen.target)
        return 0
    votes, rounds = (2_000, 1) if chosen.quick else (chosen.votes, chosen.rounds)
    with tempfile.TemporaryDirectory() as folder:
        database = chosen.database or Path(folder) / "playground.db"
        if not database.exists():
            with Store(database) as store:
                fill(store, votes, chosen.answers)
        right = True
        for ending in chosen.ending:
            print(f"\n{votes:,} votes, {chosen.format}{ending}")
            contenders = [
                Contender(name, partial(run, name, database, chosen.format, ending, votes)) for name in chosen.contender
            ]
            results = in_turns(contenders, rounds)
            show(results, OURS, COLUMNS)
            right &= all(one[EQUAL] == 1.0 for found in results.figures.values() for one in found)
        print(machine(rounds, "pandas", "pyarrow", "sqlite-utils", "orjson"))
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
