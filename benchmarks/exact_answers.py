"""Benchmark: 16-bit answers of eight visitors at once, written together and one at a time (``PLAYGROUND_EXACT``).

Run ``python benchmarks/exact_answers.py [--rounds 5]``. The pocket models are computed in bfloat16 and answer eight
starters greedily. Counted are the answers that equal those which each visitor gets alone; the peer is ``generate`` of
transformers, one visitor after another. Exit status 1 if an answer that is written one at a time differs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

import torch

from benchmarks.rounds import machine, parse, print_row
from playground.catalog.catalog import Catalog
from playground.catalog.starters import load_starters
from playground.engines.local.worker.decoding.decoder import BatchDecoder
from playground.engines.local.worker.loading.model import LoadedModel, load
from playground.engines.protocol import Job
from playground.records import SamplingParams
from playground.settings import Settings

VISITORS = 8
TOKENS = 64
Answers = Mapping[str, tuple[int, ...]]


def jobs_of(catalog: Catalog, model_id: str, tokens: int, first: int) -> list[Job]:
    """Return the jobs of the visitors, each with another starter."""
    starters = [one for many in load_starters(Settings().starters_folder).values() for one in many]
    params = SamplingParams(max_new_tokens=tokens)
    prompts = [catalog.prompt(model_id, starters[(first + place) % len(starters)]) for place in range(VISITORS)]
    stops = catalog.template_of(catalog.card(model_id)).stop_ids
    return [Job(str(place), prompt.token_ids, params, 0, stops, 600.0) for place, prompt in enumerate(prompts)]


def written(loaded: LoadedModel, jobs: Sequence[Job], rows: int) -> tuple[Answers, float]:
    """Return the answers of visitors who ask at the same moment, and the CPU time."""
    decoder, waiting = BatchDecoder(loaded, rows), list(jobs)
    ids: dict[str, list[int]] = {job.row: [] for job in jobs}
    began_s = time.process_time()
    while waiting or decoder.rows:
        while waiting and decoder.can_admit:
            decoder.admit(waiting.pop(0))
        for token in decoder.step():
            if token.token_id is not None:
                ids[token.row].append(token.token_id)
    return {row: tuple(found) for row, found in ids.items()}, time.process_time() - began_s


def by_generate(loaded: LoadedModel, jobs: Sequence[Job]) -> tuple[Answers, float]:
    """Return the answers of ``generate``, one after another, and the CPU time."""
    answers: dict[str, tuple[int, ...]] = {}
    began_s = time.process_time()
    for job in jobs:
        ids = torch.tensor([job.token_ids])
        how = {"attention_mask": torch.ones_like(ids), "max_new_tokens": job.params.max_new_tokens}
        out = loaded.model.generate(ids, do_sample=False, eos_token_id=list(job.stop_ids), pad_token_id=0, **how)
        answers[job.row] = tuple(out[0, len(job.token_ids) :].tolist())
    return answers, time.process_time() - began_s


def main() -> None:
    chosen = parse(__doc__)
    print(machine(chosen.rounds, "torch", "transformers"))
    torch.set_num_threads(1)
    catalog, tokens = Catalog.load(), 16 if chosen.quick else TOKENS
    names = ("together", "one at a time", "generate, one after another")
    print_row(["model in bfloat16", *(f"{name}: equal; tokens per CPU second" for name in names)])
    print_row(["---"] * 4)
    is_exact = True
    for card in catalog.line_up()[: 1 if chosen.quick else None]:
        loaded = load(replace(card, dtype="bfloat16"), 1)
        equal, seconds, total = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0), dict.fromkeys(names, 0)
        for number in range(chosen.rounds):
            jobs = jobs_of(catalog, card.id, tokens, number * VISITORS)
            alone = {row: ids for job in jobs for row, ids in written(loaded, [job], 1)[0].items()}
            runs = (written(loaded, jobs, 32), written(loaded, jobs, 1), by_generate(loaded, jobs))
            for name, (answers, took_s) in zip(names, runs, strict=True):
                equal[name] += sum(answers[row] == ids for row, ids in alone.items())
                seconds[name] += took_s
                total[name] += sum(map(len, answers.values()))
        count = chosen.rounds * VISITORS
        is_exact &= equal["one at a time"] == count
        print_row([card.id, *(f"{equal[name]} of {count}; {total[name] / seconds[name]:.0f}" for name in names)])
    if not is_exact:
        sys.exit("answers that are written one at a time depend on others")


if __name__ == "__main__":
    main()
