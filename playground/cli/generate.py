"""``generate``: write every model's answer to every instruction of a file into the database.

Boundary: reads arguments, shows progress and prints; the file is read by `studies`, the answers are written by `arena`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from playground.arena.answering import Answering, AnsweringRow
from playground.arena.answering_estimate import RunEstimate, estimate
from playground.arena.column_plan import params_of
from playground.arena.daily_tokens import DailyTokens
from playground.arena.line_up import chosen_models
from playground.catalog.catalog import Catalog
from playground.cli.database import open_read_only
from playground.cli.printing import print_json
from playground.cli.prompt import add_field
from playground.clock import Clock
from playground.engines.fleet import Fleet
from playground.errors import InvalidInstruction, InvalidValue
from playground.exchange.imports.fields import parse_json
from playground.ratings.phrases import number_of
from playground.records import ModelCard
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.storage.database.store import Store
from playground.storage.maintenance.disk_space import DiskSpace
from playground.studies.instruction_files import BadRow, Cleaned, clean_rows, open_file, read_overrides
from playground.studies.wanted import Failure, Standing, WantedAnswer, standing_of, wanted_of
from playground.validation.sampling import clean_overrides, clean_seed

MOST_ANSWERS = 1000
"""To one instruction by one model."""
MAX_SHOWN = 100
"""Bad rows and reasons that are named."""
BAR_DELAY_S = 1.0
"""A command that ends sooner shows no bar."""
INTERRUPTED = 130
"""The exit status after Ctrl-C, as a shell gives it."""


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `generate`."""
    command.add_argument("file", type=Path, metavar="FILE", help="an instruction file, see docs/study.md")
    command.add_argument("--n", type=int, default=1, metavar="N", help="answers of each model to each instruction")
    command.add_argument("--params", default="{}", metavar="JSON", help="sampling parameters, as of the API's /compare")
    command.add_argument("--seed", type=int, default=0, help="another seed gives other answers where models sample")
    add_field(command)
    command.add_argument("--skip-bad", action="store_true", help="leave out rows that cannot be used, and list them")
    command.add_argument("--retry-failed", action="store_true", help="try failed answers again")
    command.add_argument("--dry-run", action="store_true", help="say how many tokens, how long, how much memory")
    command.add_argument("--json", action="store_true", help="one JSON document: counts and failures")
    names = ("models", "db", "db_mounted", "min_free_mb", "cards", "templates", "threads", "memory_gb", "deadline_s")
    add_flags(command, *names, "instruction_chars", "system_chars")
    command.set_defaults(run=run)


@dataclass(slots=True)
class RunReport:
    """The results of a run."""

    file: str
    instructions: int
    bad: list[BadRow]
    written: int = 0
    there: int = 0
    empty: int = 0  # among the written; they cannot be judged
    cut_off: int = 0  # ended with the run; written by the next one
    stored_failures: int = 0  # the others are tried by every run
    failures: list[Failure] = field(default_factory=list)

    def take(self, row: AnsweringRow) -> None:
        """Count a row that has ended."""
        if row.was_cut_off:
            self.cut_off += 1
        elif row.error:
            self.failures.append(Failure(row.wanted.place, row.wanted.model_id, row.error))
            self.stored_failures += row.is_stored
        else:
            self.written += 1
            self.empty += row.generation is not None and not row.generation.good


Wanted = Sequence[tuple[ModelCard, list[WantedAnswer]]]
"""The wanted answers by model."""


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Write the missing answers; return 1 if some of those that are wanted failed."""
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    cards = catalog.line_up(chosen_models(catalog, settings))
    if not cards:
        raise InvalidValue("--models names no models; valid: ids of cards, folders or hub ids")
    overrides, seed = _overrides(arguments.params), clean_seed(arguments.seed)
    if not 1 <= arguments.n <= MOST_ANSWERS:
        raise InvalidValue(f"--n is {arguments.n}; valid: 1 to {MOST_ANSWERS:,}")
    cleaned = read_instructions(arguments.file, arguments, settings)
    wanted = [
        (card, wanted_of(card, params_of(card, overrides), cleaned.instructions, arguments.n, seed)) for card in cards
    ]
    report = RunReport(str(arguments.file), len(cleaned.instructions), cleaned.bad)
    if arguments.dry_run:
        return _dry_run(arguments, settings, catalog, wanted, report, out)
    status = _generate(arguments, settings, catalog, wanted, report)
    if arguments.json:
        print_json(asdict(report), out)
    else:
        print("\n".join(_summary(report)), file=out)
    return status


def _overrides(text: str) -> Mapping[str, Any]:
    try:
        overrides = clean_overrides(parse_json(text))
    except InvalidValue as error:
        raise InvalidValue(f"--params: {error}") from error
    if "seed" in overrides:
        raise InvalidValue("--params holds a seed; give it with --seed")
    return overrides


def read_instructions(path: Path, arguments: argparse.Namespace, settings: Settings) -> Cleaned:
    """Return the instructions of a file, after saying where they come from.

    Args:
        arguments: with `field` and `skip_bad`.

    Raises:
        InvalidInstruction: no row can be used, or one cannot and is not to be left out.
    """
    with open_file(path, read_overrides(arguments.field)) as file:
        print(f"{path}: {file.columns.words}", file=sys.stderr)
        cleaned = clean_rows(file, settings)
    counts = (
        (cleaned.turns_left_out, "more turn", "left out: one per row is used"),
        (cleaned.repeated, "row", "left out: repeated"),
        (cleaned.cleaned, "row", "with characters that were removed: control characters, lone surrogates"),
    )
    for count, noun, words in counts:
        if count:
            print(f"{path}: {number_of(noun, count)} {words}", file=sys.stderr)
    if cleaned.bad and not arguments.skip_bad:
        for line in _bad_lines(str(path), cleaned.bad):
            print(line, file=sys.stderr)
        number = number_of("row", len(cleaned.bad))
        raise InvalidInstruction(f"{number} cannot be used, so nothing was written; --skip-bad leaves them out")
    if not cleaned.instructions:
        raise InvalidInstruction(f"{path} has no row that can be used")
    return cleaned


def _generate(
    arguments: argparse.Namespace, settings: Settings, catalog: Catalog, wanted: Wanted, report: RunReport
) -> int:
    DiskSpace(settings.db.absolute().parent, settings.min_free_bytes).check()
    with Store(settings.db, exclusive=settings.db_mounted) as store:
        standings = _standings(store, wanted, arguments.retry_failed, report)
        engine = DailyTokens(Fleet(settings), Clock(), lambda: store)
        with _bar(sum(len(standing.missing) for _, standing in standings)) as bar:
            try:
                for card, standing in standings:
                    if standing.missing:
                        bar.set_description_str(card.id)
                        store.upsert_model(card)
                        answering = Answering(catalog, engine, card, settings.deadline_s, store)
                        _write(answering, standing.missing, report, bar)
            except KeyboardInterrupt:
                print("generate: stopped; finished answers are stored, the same command goes on", file=sys.stderr)
                return INTERRUPTED
            finally:
                engine.close()
    return 1 if report.failures else 0


def _write(answering: Answering, missing: Sequence[WantedAnswer], report: RunReport, bar: Any) -> None:
    """Write the answers of one model, which is loaded once; when stopped, keep what has ended."""
    try:
        for row in answering.rows(missing):
            report.take(row)
            bar.update()
    except KeyboardInterrupt:
        answering.engine.close()
        for row in answering.finish():
            report.take(row)
        raise
    answering.engine.unload(answering.card.id)


def _standings(
    store: Store, wanted: Wanted, retry_failed: bool, report: RunReport
) -> Sequence[tuple[ModelCard, Standing]]:
    with store.reading() as reading:
        standings = [(card, standing_of(reading, answers, retry_failed=retry_failed)) for card, answers in wanted]
    for _, standing in standings:
        report.there += standing.there
        report.failures += standing.failed
        report.stored_failures += len(standing.failed)
    return standings


def _bar(total: int) -> Any:
    how = {"total": total, "unit": " answers", "leave": False, "disable": None, "delay": BAR_DELAY_S}
    return tqdm(file=sys.stderr, **how)


def _dry_run(
    arguments: argparse.Namespace,
    settings: Settings,
    catalog: Catalog,
    wanted: Wanted,
    report: RunReport,
    out: TextIO,
) -> int:
    """Print what the run would take; each model is loaded and writes a few answers, which are not stored."""
    with open_read_only(settings.db) if settings.db.is_file() else Store(None) as store:
        standings = _standings(store, wanted, arguments.retry_failed, report)
        engine, plans = DailyTokens(Fleet(settings), Clock(), lambda: store), []
        try:
            fits = engine.plan([card for card, _ in standings])
            for card, standing in standings:
                plan = estimate(Answering(catalog, engine, card, settings.deadline_s), standing.missing)
                report.failures += plan.failures
                plans.append(plan)
                if standing.missing:
                    engine.unload(card.id)
        finally:
            engine.close()
    places = {card.id: fits[card.id].words for card, _ in standings}
    if arguments.json:
        models = [{**asdict(plan), "placement": places[plan.model_id]} for plan in plans]
        print_json({**asdict(report), "dry_run": True, "models": models}, out)
    else:
        print("\n".join([*_planned(plans, places), *_summary(report, is_dry=True)]), file=out)
    return 1 if report.failures else 0


def _planned(plans: Sequence[RunEstimate], places: Mapping[str, str]) -> Iterator[str]:
    for plan in plans:
        yield (
            f"{plan.model_id}: {number_of('answer', plan.answers)}, prompts of {plan.prompt_tokens:,} tokens,"
            f" answers of at most {plan.most_tokens:,}"
        )
        yield f"  memory: {plan.weights_bytes / 1e6:,.0f} MB of weights; {places[plan.model_id]}"
        if plan.duration_s is not None:
            yield (
                f"  time: about {plan.duration_s:,.0f} s, of them {plan.load_s:.1f} s to load; measured on"
                f" {number_of('answer', plan.measured)}, of {plan.tokens_per_answer:,.0f} tokens on average"
            )
        elif plan.answers:
            yield "  time: not known, because none of the measured answers ended well"


def _summary(report: RunReport, *, is_dry: bool = False) -> Iterator[str]:
    counted = f"{number_of('answer', report.there)} already there, {len(report.failures):,} failed"
    if is_dry:
        yield f"{number_of('instruction', report.instructions)}: {counted}"
    else:
        yield f"{number_of('instruction', report.instructions)}: {report.written:,} written, {counted}"
    if report.empty:
        yield f"{number_of('answer', report.empty)} without text, which cannot be judged"
    reasons = Counter((failure.model_id, failure.error) for failure in report.failures)
    places = {(failure.model_id, failure.error): failure.place for failure in reversed(report.failures)}
    for (model_id, error), count in reasons.most_common(MAX_SHOWN):
        yield f"{model_id}, {number_of('answer', count)} from {places[model_id, error]} on: {error}"
    if report.stored_failures and not is_dry:
        yield f"--retry-failed tries {number_of('failed answer', report.stored_failures)} again"
    yield from _bad_lines(report.file, report.bad)


def _bad_lines(file: str, bad: Sequence[BadRow]) -> Iterator[str]:
    for row in bad[:MAX_SHOWN]:
        yield f"{file}, {row.place}: {row.error}"
    if len(bad) > MAX_SHOWN:
        yield f"{file}: {number_of('more row', len(bad) - MAX_SHOWN)} that cannot be used"
