"""``study``: plan a study, create it from stored answers, hand out links, look at it, close it.

Boundary: reads arguments and prints; `studies` does the work. Commands that write need the page to be stopped.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from playground.catalog.catalog import Catalog
from playground.cli import study_differences, study_panel, study_plan
from playground.cli.database import open_existing, open_read_only
from playground.cli.generate import read_instructions
from playground.cli.printing import print_json, print_result, print_table
from playground.cli.prompt import add_field
from playground.clock import utc_now
from playground.errors import InvalidStudy, InvalidValue
from playground.ratings.phrases import number_of, percent
from playground.records import StoredStudy
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.studies.creation import Answers, Drafted, add_links, draft, find_answers, store_study
from playground.studies.drift import Third
from playground.studies.links import link
from playground.studies.panel_report import panel_reports
from playground.studies.status import RaterReport, StudyStatus, found_study, status_of
from playground.studies.study_file import Study, file_of, read_study

MOST_LINKS = 10_000
RATER_HEADS = (
    *("rater", "votes", "repeats alike", "attention right", "like others", "skipped", "under 1 s"),
    *("check", "minutes", "last vote"),
)
"""The columns of `study status`, a row for each rater."""


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the actions."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = _action(actions, "create", "store a study of the stored answers to its instructions", "file")
    create.add_argument("--without-missing", action="store_true", help="leave out battles whose answers are missing")
    add_flags(create, "db", "db_mounted", "cards", "templates", "instruction_chars", "system_chars")
    create.set_defaults(run=run_create)
    plan = _action(actions, "plan", "say what a study takes and what it can show, before anybody rates", "file")
    study_plan.add(plan)
    add_flags(plan, "instruction_chars", "system_chars")
    plan.set_defaults(run=study_plan.run)
    status = _action(actions, "status", "print how far a study is, and the work of each rater", "id")
    study_panel.add_status(status)
    add_flags(status, "db")
    status.set_defaults(run=run_status)
    listed = _action(actions, "differences", "list the battles on which raters differ", "id")
    study_differences.add_list(listed)
    add_flags(listed, "db")
    listed.set_defaults(run=study_differences.run)
    judge = _action(actions, "judge", "store your own judgement on such a battle, which is no vote", "id")
    study_differences.add_judge(judge)
    add_flags(judge, "db", "db_mounted")
    judge.set_defaults(run=study_differences.run_judge)
    links = _action(actions, "links", "make personal links, which are shown only once, or those of a panel", "id")
    whose = links.add_mutually_exclusive_group(required=True)
    whose.add_argument("--raters", type=int, metavar="N", help="how many personal links")
    whose.add_argument("--panel", action="store_true", help="the address to give to the study's panel")
    study_panel.add_links(links)
    links.add_argument("--base-url", default="http://127.0.0.1:7860", metavar="URL", help="of the page")
    add_flags(links, "db", "db_mounted")
    links.set_defaults(run=run_links)
    close = _action(actions, "close", "end a study: its links give nothing more, its votes stay", "id")
    close.add_argument("--why", default="closed by the operator", metavar="WORDS", help="stored with it")
    add_flags(close, "db", "db_mounted")
    close.set_defaults(run=run_close)


def _action(actions: Any, name: str, words: str, subject: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=words, description=words)
    if subject == "file":
        action.add_argument("file", type=Path, metavar="FILE", help="a study's file, see docs/study.md")
        add_field(action)
        action.add_argument("--skip-bad", action="store_true", help="leave out rows that cannot be used")
    else:
        action.add_argument("study", metavar="ID", help="the study")
    action.add_argument("--json", action="store_true", help="one JSON document")
    return action


def run_create(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Store a study; return 1 if answers are missing, and print the command that writes them."""
    study = read_study(arguments.file)
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    cards = {card.id: card for card in catalog.line_up([catalog.card(model).id for model in study.file.models])}
    instructions = read_instructions(study.instructions, arguments, settings).instructions
    with open_existing(settings) as store:
        with store.reading() as reading:
            known = reading.study(study.file.id)
            answers = find_answers(reading, study.file, instructions, cards)
        if known is not None:
            return _known(known, study, arguments.json, out)
        if (answers.missing or answers.unusable) and not arguments.without_missing:
            return _missing(study, answers, settings, arguments, out)
        drafted = draft(study, answers, settings, utc_now())
        store.write(lambda writing: store_study(writing, drafted))
    print_result(_created(drafted, study), "\n".join(_created_lines(drafted, study)), arguments.json, out)
    return 0


def _known(known: StoredStudy, study: Study, as_json: bool, out: TextIO) -> int:
    if known.hash != study.hash:
        raise InvalidStudy(
            f"there is a study {known.id} with other content, of {known.created_at[:10]}; a study never changes:"
            " give this one another id"
        )
    text = f"{known.id} is stored already, with this content"
    print_result({"study": known.id, "hash": known.hash, "created_at": known.created_at}, text, as_json, out)
    return 0


def _missing(study: Study, answers: Answers, settings: Settings, arguments: argparse.Namespace, out: TextIO) -> int:
    """Print what is missing and how to write it; nothing is stored."""
    extra = [part for field in arguments.field for part in ("--field", field)]
    extra += ["--skip-bad"] * arguments.skip_bad + ["--retry-failed"] * bool(answers.unusable)
    words = ["python", "-m", "playground", "generate", str(study.instructions), "--models", ",".join(study.file.models)]
    command = shlex.join([*words, *extra, "--db", str(settings.db)])
    text = (
        f"{study.file.id}: nothing was stored: {number_of('answer', answers.missing)} missing,"
        f" {answers.unusable:,} failed or empty. Write them, or leave their battles out with --without-missing:\n"
        f"  {command}"
    )
    document = {"study": study.file.id, "missing": answers.missing, "unusable": answers.unusable, "generate": command}
    print_result(document, text, arguments.json, out)
    return 1


def _created(drafted: Drafted, study: Study) -> dict[str, Any]:
    answers = drafted.answers
    return {
        "study": study.file.id,
        "hash": study.hash,
        "battles": len(drafted.items),
        "votes": study.file.votes,
        "instructions": answers.instructions,
        "missing": answers.missing,
        "unusable": answers.unusable,
        "identical": answers.identical,
        **{f"{kind}_items": len(known) for kind, known in drafted.known.items()},
    }


def _created_lines(drafted: Drafted, study: Study) -> Iterator[str]:
    answers = drafted.answers
    yield f"{study.file.id}: {number_of('battle', len(drafted.items))} for {number_of('vote', study.file.votes)}"
    for kind, known in drafted.known.items():
        yield f"{number_of('item', len(known))} for {kind}"
    if answers.identical:
        yield f"{number_of('battle', answers.identical)} left out: both answers are the same"
    if answers.missing or answers.unusable:
        yield f"left out: {answers.missing:,} answers missing, {answers.unusable:,} failed or empty"
    yield f"hash {study.hash}"
    yield f"Next: python -m playground study links {study.file.id} --raters N"


def run_links(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Make and print personal links, or print those of a panel."""
    if arguments.panel:
        with open_read_only(settings.db) as store, store.reading() as reading:
            study = found_study(reading, arguments.study)
        return study_panel.run_links(study, arguments, out)
    if arguments.ids or arguments.secret:
        raise InvalidValue("--ids and --secret need --panel; give it in place of --raters")
    if not 1 <= arguments.raters <= MOST_LINKS:
        raise InvalidValue(f"--raters is {arguments.raters}; valid: 1 to {MOST_LINKS:,}")
    with open_existing(settings) as store:
        with store.reading() as reading:
            study = found_study(reading, arguments.study)
        if study.closed_at is not None:
            raise InvalidStudy(f"{study.id} was closed on {study.closed_at[:10]}; it takes no more raters")
        file = file_of(study)
        made = store.write(lambda writing: add_links(writing, file, arguments.raters, utc_now()))
    links = [(number, link(arguments.base_url, study.id, token)) for number, token in made]
    if arguments.json:
        print_json({"study": study.id, "links": [{"number": n, "link": address} for n, address in links]}, out)
        return 0
    for number, address in links:
        print(f"{number:>4}  {address}", file=out)
    print("Give each rater one of them. They are shown only once: the database has no more than a hash.", file=out)
    return 0


def run_status(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print counts, and one line per rater."""
    with open_read_only(settings.db) as store, store.reading() as reading:
        study = found_study(reading, arguments.study)
        study_panel.check_ids_allowed(study, arguments)
        status = status_of(reading, study, utc_now())
        panel = panel_reports(reading, study, with_ids=arguments.panel_ids)
    if arguments.csv:
        study_panel.print_csv(status, panel, arguments.panel_ids, out)
        return 0
    if arguments.json:
        print_json(asdict(status) | {"panel": study_panel.panel_document(panel, arguments.panel_ids)}, out)
        return 0
    print("\n".join(_status_lines(status)), file=out)
    if status.raters:
        print(file=out)
        print_table(RATER_HEADS, map(_rater_line, status.raters), out)
    drifts = [f"  rater {rater.number}: {drift_words(rater.thirds)}" for rater in status.raters if rater.thirds]
    if drifts:
        print("\nFirst, second and last third of each rater's votes:", *drifts, sep="\n", file=out)
    if panel:
        print(file=out)
        study_panel.print_panel(panel, status, arguments.panel_ids, out)
    return 0


def _status_lines(status: StudyStatus) -> Iterator[str]:
    state = f"closed on {status.closed_at[:10]}: {status.why}" if status.closed_at else "open"
    yield f"{status.study}: {state}"
    reserved = f", {number_of('battle', status.reserved)} being judged" if status.reserved else ""
    share = percent(status.votes / status.wanted_votes)
    yield f"votes: {status.votes:,} of {status.wanted_votes:,} ({share}){reserved}"
    yield (
        f"battles: {status.battles:,}; {status.complete:,} have every vote that they need,"
        f" {status.started:,} some, {status.battles - status.complete - status.started:,} none"
    )
    for pair in status.pairs:
        judged = f"{number_of('vote', pair.votes)} on {number_of('battle', pair.battles)}"
        yield f"  {pair.model_a} and {pair.model_b}: {judged}"
    if status.alike is not None:
        differing = (
            f"{number_of('battle', status.differing)} judged in different ways, {status.unresolved:,} not judged by you"
        )
        yield f"two raters of a battle judge alike in {percent(status.alike)}; {differing}"
    if (claim := status.decision) is not None:
        end = "one model leads" if claim.ends == "leader" else "the order of all models is decided"
        yield (
            f"ends when {end}: {claim.decided:,} of {number_of('comparison', claim.needed)} decided,"
            f" by {number_of('vote', claim.votes)} that count; so far {' > '.join(claim.order)}"
        )
    for criterion in status.criteria:
        answers = ", ".join(f"{answer} {votes:,}" for answer, votes in criterion.answers.items())
        yield f"{criterion.question} ({criterion.id}): {answers or 'no answer yet'}"
    yield f"hash {status.hash}"


def _rater_line(rater: RaterReport) -> tuple[str, ...]:
    def share(right: int, of: int) -> str:
        return f"{right} of {of}" if of else "–"

    state = rater.check if rater.check != "none" else "–"
    return (
        str(rater.number),
        str(rater.votes),
        share(rater.repeats_alike, rater.repeats),
        share(rater.attention_right, rater.attention),
        share(rater.others.alike, rater.others.compared),
        _skipped(rater),
        str(rater.quick),
        state,
        f"{rater.minutes:.0f}",
        (rater.last_vote_at or "–")[:16].replace("T", " "),
    )


def drift_words(parts: Sequence[Third]) -> str:
    """Return the thirds of a rater's votes side by side."""
    sides = " → ".join("–" if part.chose_a is None else percent(part.chose_a) for part in parts)
    ties = " → ".join(percent(part.ties) for part in parts)
    times = " → ".join("–" if part.median_s is None else f"{part.median_s:.1f} s" for part in parts)
    alike = " → ".join(f"{part.others.alike} of {part.others.compared}" for part in parts)
    words = [f"A rather than B {sides}", f"ties {ties}", f"a decision takes {times}"]
    return "; ".join([*words, f"like others {alike}"] if any(part.others.compared for part in parts) else words)


def _skipped(rater: RaterReport) -> str:
    known = (("attention", rater.attention_skipped), ("check", rater.check_skipped))
    return ", ".join([str(rater.skipped), *(f"{number} {kind}" for kind, number in known if number)])


def run_close(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Close a study; votes that are being given are still taken."""
    if not arguments.why.strip():
        raise InvalidValue("--why is empty; write a few words, or leave it out")
    study_id, why = str(arguments.study), str(arguments.why)
    with open_existing(settings) as store:
        with store.reading() as reading:
            is_unknown = study_id in reading.unknown_studies()
            study = None if is_unknown else found_study(reading, study_id)
        if study is None:
            store.write(lambda writing: writing.close_unknown_study(study_id, utc_now(), why))
        elif not store.write(lambda writing: writing.close_study(study_id, utc_now(), why)):
            raise InvalidStudy(f"{study_id} was closed on {(study.closed_at or '')[:10]} already: {study.why}")
    document = {"study": study_id, "closed": True, "why": why}
    print_result(document, f"{study_id} is closed; its votes stay", arguments.json, out)
    return 0
