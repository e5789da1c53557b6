"""Texts of the Operator page on answers to a file of instructions.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Iterator

from playground.arena.file_answers import FileAnswersState, TakenFile
from playground.ui.texts.formats import counted
from playground.ui.texts.language import Plural, _, joined

TITLE = _("Answers to a file")
LEAD = _(
    "The models answer every instruction of a file, each as its card says. What is stored already is"
    " not written again. "
    "Visitors who compare meanwhile wait a little longer."
)
FILE = _("Instruction file: JSON Lines, JSON, CSV, TSV, Parquet, or text with one instruction on each line")
MODELS = _("Models")
WRITE, STOP = _("Write the answers"), _("Stop")
TOO_LARGE = _(
    "{name} is larger than {most}. Stop the playground and use: python -m playground generate FILE --models …"
)
NOT_A_FILE = _("The browser sent no file.")
INSTRUCTIONS: Plural = Plural("{count:,} instruction", "{count:,} instructions")
ANSWERS: Plural = Plural("{count:,} answer", "{count:,} answers")
BAD_ROWS: Plural = Plural("{count:,} row that cannot be used", "{count:,} rows that cannot be used")
REPEATED: Plural = Plural("{count:,} repeated row", "{count:,} repeated rows")
TAKEN = _("{name}: {instructions}; {columns}.")
TURNS: Plural = Plural("{count:,} later turn", "{count:,} later turns")
TAKEN_BUT = _("{taken} Left out: {left_out}.")
WRITING = _("{model} is writing: {done:,} of {total}.")
PREPARING = _("Looking at the stored answers…")
WRITTEN = _("{written} written, {there:,} already there, {failed:,} failed.")
STOPPED = _("Stopped: {written} A new start goes on from here.")
NOT_WRITTEN = _("The run ended: {error}.")
FAILURE = _("{model}, {place}: {error}")
BAD_ROW = _("{place}: {error}")
MORE = _("{count:,} more.")


def taken(file: TakenFile) -> str:
    """Return the instructions that were found, where they come from, and what is left out."""
    found = counted(len(file.instructions), INSTRUCTIONS)
    words = TAKEN.format(name=file.name, instructions=found, columns=file.columns)
    counts = ((len(file.bad), BAD_ROWS), (file.repeated, REPEATED), (file.turns_left_out, TURNS))
    left_out = joined(", ", [counted(count, plural) for count, plural in counts if count])
    return TAKEN_BUT.format(taken=words, left_out=left_out) if left_out else words


def state(found: FileAnswersState) -> str:
    """Return what is being done, or what became of it."""
    if found.file is None:
        return ""
    if found.running and not found.model:
        return PREPARING
    if found.running:
        total = counted(found.total, ANSWERS)
        return WRITING.format(model=found.model, done=found.done, total=total)
    if found.error:
        return NOT_WRITTEN.format(error=found.error.removesuffix("."))
    if not found.total and not found.there:
        return taken(found.file)
    written = counted(found.written, ANSWERS)
    words = WRITTEN.format(written=written, there=found.there, failed=len(found.failures))
    return STOPPED.format(written=words) if found.is_stopped else words


def troubles(found: FileAnswersState, most: int) -> Iterator[str]:
    """Yield up to `most` answers that failed, or of a file that no run has begun on the rows that cannot be used."""
    if found.failures:
        lines = [FAILURE.format(model=one.model_id, place=one.place, error=one.error) for one in found.failures]
    else:
        bad = found.file.bad if found.file is not None else ()
        lines = [BAD_ROW.format(place=row.place, error=row.error) for row in bad]
    yield from lines[:most]
    if len(lines) > most:
        yield MORE.format(count=len(lines) - most)
