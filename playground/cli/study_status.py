"""``study status``: how far a study is, and the work of each rater.

Boundary: reads and prints; `studies.status` counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TextIO

from playground.cli import study_panel
from playground.cli.database import open_read_only
from playground.cli.printing import print_json, print_table
from playground.clock import utc_now
from playground.ratings.phrases import number_of, percent
from playground.settings import Settings
from playground.studies.drift import Third
from playground.studies.panel_report import panel_reports
from playground.studies.status import RaterReport, StudyStatus, found_study, status_of

RATER_HEADS = (
    *("rater", "votes", "repeats alike", "attention right", "like others", "skipped", "under 1 s"),
    *("check", "minutes", "last vote"),
)
"""The columns of `study status`, a row for each rater."""


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
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
    if (written := status.written) is not None:
        yield (
            f"raters wrote {number_of('instruction', written.instructions)}; {written.being_answered:,} being answered,"
            f" {written.fruitless:,} without answers to judge"
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
