"""``study``: plan a study, create it from stored answers, hand out links, look at it, close it.

Boundary: reads arguments and prints; `studies` does the work. Commands that write need the page to be stopped.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from playground.catalog.catalog import Catalog
from playground.cli import study_differences, study_panel, study_plan, study_status
from playground.cli.database import open_existing, open_read_only
from playground.cli.generate import read_instructions
from playground.cli.printing import print_json, print_result
from playground.cli.prompt import add_field
from playground.clock import utc_now
from playground.errors import InvalidStudy, InvalidValue
from playground.ratings.phrases import number_of
from playground.records import StoredStudy
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.studies.creation import Answers, Drafted, add_links, draft, find_answers, store_study
from playground.studies.links import link
from playground.studies.status import found_study
from playground.studies.study_file import Study, file_of, read_study

MOST_LINKS = 10_000


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
    status.set_defaults(run=study_status.run)
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
    named = study.instructions
    instructions = {} if named is None else read_instructions(named, arguments, settings).instructions
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
    battles = "raters write the instructions" if study.file.live else number_of("battle", len(drafted.items))
    yield f"{study.file.id}: {battles} for {number_of('vote', study.file.votes)}"
    for kind, known in drafted.known.items():
        yield f"{number_of('item', len(known))} for {kind}"
    if answers.identical:
        yield f"{number_of('battle', answers.identical)} left out: both answers are the same"
    if answers.missing or answers.unusable:
        yield f"left out: {answers.missing:,} answers missing, {answers.unusable:,} failed or empty"
    yield from study_panel.warnings(study.file)
    yield f"hash {study.hash}"
    yield f"Next: python -m playground study links {study.file.id} --raters N"
    if study.file.live:
        yield f"Serve it with its models: python app.py --models {','.join(study.file.models)}"


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
