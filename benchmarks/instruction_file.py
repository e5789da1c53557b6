"""Benchmark 5: a file of 64 instructions through ``python -m playground generate``, beside peers.

Run ``python benchmarks/instruction_file.py [--rounds 5]``. Measures useful tokens per CPU second of whole processes,
from start to exit, for each architecture: the command with a new database, ``generate`` one by one and in padded
batches, and continuous batching of transformers, each in a process of its own. Start-up is measured with the first
instruction alone; the second figure leaves it out. A padded batch runs until its longest answer ends; tokens beyond the
end of a shorter one do not count. Answers end at one of 125 tokens, so that random weights give answers of 1 to 256
tokens. Exit status 1 if one of our answers differs from ``generate``'s.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.file_peer import read_requests
from benchmarks.models import KINDS, VOCAB_SIZE, build, write_checkpoint
from benchmarks.oracle import Oracle
from benchmarks.peers import Answer
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, NotHere, in_turns, machine, parse, show
from benchmarks.served import ROOT
from benchmarks.words import Vocabulary, instructions, write_vocabulary

NUM_INSTRUCTIONS = 64
LONGEST = 256
STOP_IDS = list(range(2, VOCAB_SIZE, 64))
OURS = "ours: the command `generate`"
COLUMNS = (
    Figure("rate", "useful tokens per CPU second"),
    Figure("beyond", "without start-up, tokens per CPU second"),
    Figure("start", "start-up, CPU s", 1, less_is_better=True, compared=False),
)
CHAT = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "pad_token": "<pad>",
    "chat_template": "{% for message in messages %}{{ message['content'] }}{% endfor %}",
}
_IDS = """
SELECT g.token_ids FROM generations g JOIN instructions i ON i.id = g.instruction_id WHERE i.instruction = ?"""

Ids = tuple[int, ...]


@dataclass(slots=True)
class Task:
    """A checkpoint, a file of instructions, and the answers of ``generate`` once they are known."""

    folder: Path
    checkpoint: Path
    file: Path
    model: Any
    vocabulary: Vocabulary
    longest: int
    known: list[Ids] = field(default_factory=list)

    @property
    def num_tokens(self) -> int:
        return sum(len(ids) for ids in self.known)

    def share(self, found: Sequence[Ids]) -> float:
        """Return the share of right answers; where an answer differs, a near tie of two logits is right too."""
        requests = read_requests(self.checkpoint, self.file, self.longest)
        wrong = [at for at, ids in enumerate(found) if ids != self.known[at]]
        if not wrong:
            return 1.0
        oracle = Oracle([self.model] * len(wrong), self.vocabulary, [requests[at] for at in wrong])
        return 1 - len(wrong) / len(found) * (1 - oracle.share([Answer(found[at], None, 0.0) for at in wrong]))


def spent(command: Sequence[str], log: Path) -> float:
    """Run a command to its end; return the CPU seconds of its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environ = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with log.open("wb") as out:
        status = subprocess.run(command, cwd=ROOT, env=environ, stdout=out, stderr=out, check=False).returncode
    if status:
        raise NotHere(f"exit status {status}: {log.read_text()[-200:]!r}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def answered_by_command(task: Task, file: Path, out: Path) -> tuple[float, list[Ids]]:
    """Answer a file with the command and a new database; return the CPU seconds and the stored ids."""
    db = out / "playground.db"
    flags = ["--models", str(task.checkpoint), "--db", str(db), "--deadline-s", "3600"]  # the machine may be busy
    params = json.dumps({"do_sample": False, "max_new_tokens": task.longest})
    command = [sys.executable, "-m", "playground", "generate", str(file), *flags, "--params", params]
    cpu_s = spent(command, out / "log")
    asked = [json.loads(line)["instruction"] for line in file.read_text().splitlines()]
    with closing(sqlite3.connect(db)) as connection:
        return cpu_s, [tuple(json.loads(connection.execute(_IDS, (one,)).fetchone()[0])) for one in asked]


def answered_by_peer(name: str) -> Callable[[Task, Path, Path], tuple[float, list[Ids]]]:
    """Return the function that answers a file with a peer."""

    def run(task: Task, file: Path, out: Path) -> tuple[float, list[Ids]]:
        ids = out / "ids.jsonl"
        command = [sys.executable, "benchmarks/file_peer.py", name, str(task.checkpoint), str(file)]
        cpu_s = spent([*command, str(task.longest), str(ids)], out / "log")
        return cpu_s, [tuple(json.loads(line)) for line in ids.read_text().splitlines()]

    return run


def contender(task: Task, name: str, run: Callable[[Task, Path, Path], tuple[float, list[Ids]]]) -> Contender:
    """Return a contender whose round is the whole file, and its first instruction alone."""

    def one_round() -> Figures:
        with tempfile.TemporaryDirectory(dir=task.folder) as first, tempfile.TemporaryDirectory(dir=task.folder) as all:
            start_s, of_first = run(task, task.file.with_name("first.jsonl"), Path(first))
            cpu_s, found = run(task, task.file, Path(all))
        task.known = task.known or found  # the first contender is `generate`, one by one
        beyond = (task.num_tokens - len(of_first[0])) / max(cpu_s - start_s, 0.01)
        return {"rate": task.num_tokens / cpu_s, "beyond": beyond, "start": start_s, EQUAL: task.share(found)}

    return Contender(name, one_round)


def contenders(task: Task) -> list[Contender]:
    """Return the contenders; the first one knows the right answers."""
    return [
        contender(task, "`generate`, one by one", answered_by_peer("one")),
        contender(task, OURS, answered_by_command),
        contender(task, "`generate`, padded batches of 16", answered_by_peer("padded")),
        contender(task, "transformers' continuous batching", answered_by_peer("continuous")),
    ]


def lay_out(folder: Path, kind: str, quick: bool) -> Task:
    """Write a checkpoint with its tokenizer, and the file of instructions."""
    model, vocabulary = build(kind, quick=quick), write_vocabulary(folder)
    checkpoint, file = folder / kind, folder / "instructions.jsonl"
    model.generation_config.eos_token_id = STOP_IDS
    write_checkpoint(checkpoint, kind, model)
    (checkpoint / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    (checkpoint / "tokenizer_config.json").write_text(json.dumps(CHAT))
    count, longest = (NUM_INSTRUCTIONS // 8, 32) if quick else (NUM_INSTRUCTIONS, LONGEST)
    asked = [one.text.strip() for one in instructions(vocabulary, count, seed=0, longest=longest)]
    lines = [f"{json.dumps({'instruction': text})}\n" for text in asked]
    file.write_text("".join(lines))
    file.with_name("first.jsonl").write_text(lines[0])
    return Task(folder, checkpoint, file, model, vocabulary, longest)


def compare(kind: str, rounds: int, quick: bool) -> bool:
    """Print the architecture's table; return True if all our answers were right."""
    with tempfile.TemporaryDirectory() as folder:
        task = lay_out(Path(folder), kind, quick)
        results = in_turns(contenders(task), rounds)
    lengths = sorted(len(ids) for ids in task.known)
    print(f"\n{kind}: {task.num_tokens} useful tokens, answers of {lengths[0]} to {lengths[-1]} tokens\n")
    if OURS in results.missing:
        sys.exit(results.missing[OURS])
    show(results, OURS, COLUMNS)
    return all(one[EQUAL] == 1.0 for one in results.figures[OURS])


def main() -> None:
    chosen = parse(__doc__)
    print(machine(chosen.rounds, "torch", "transformers"), flush=True)
    right = [compare(kind, chosen.rounds, chosen.quick) for kind in KINDS]
    if not all(right):
        sys.exit("our answers are not those of model.generate")


if __name__ == "__main__":
    main()
