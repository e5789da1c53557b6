"""Records of one snapshot that an export takes, with their rows, and a count of those that it leaves out.

Boundary: reads the store; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from playground.errors import InvalidValue
from playground.exchange.formats import Context, ExportedRaterNames, ExportFormat, ExportOptions, Source, Values
from playground.exchange.left_out import LeftOut, Tally
from playground.exchange.licenses import COMMERCIAL_LICENSES, allows_commercial_use, is_named, license_of
from playground.exchange.standing import Standings
from playground.messages import Message
from playground.ratings.policy import ExclusionReason
from playground.records import ExportedPair, ExportedVote
from playground.storage.database.filters import Conditions, conditions
from playground.storage.database.statements import Reading

Rows = tuple[bool, Sequence[Values]]
"""Rows of one record, and whether all licenses of its answers allow commercial use (True if nobody asks)."""
Progress = Callable[[int, int], None]
"""Told the votes that are done, and the number of all."""

STEP = 1000
"""Votes between two calls of a `Progress`."""


class Selection:
    """The rows of one export; `left_out` is complete after the last of them.

    Raises:
        InvalidValue: the format is about two models and the votes are about more, or none.
    """

    def __init__(self, reading: Reading, format: ExportFormat, options: ExportOptions) -> None:
        self._reading = reading
        self._format = format
        self._options = options
        self._tally = Tally()
        self._on_cards = reading.licenses_of_models()
        self._license = cache(self._find_license)
        self._contexts: dict[str | None, Context] = {}
        self._names = ExportedRaterNames(options.anonymous)
        self._standings = Standings(reading, options.policy) if format.counts or options.counted_only else None
        self.total = reading.count_revisions()
        self.votes = 0
        self.models = self._two_models() if format.two_models else ()
        self.columns = format.columns_with(bool(format.optional) and reading.has_strengths())

    def rows(self, *, words: bool = True, progress: Progress | None = None) -> Iterator[Rows]:
        """Yield the rows of one record after the other, in order of time.

        Args:
            words: False leaves all texts empty, to count quickly.
        """
        last, of_pairs = -1, self._format.source is Source.PAIRS
        for record in self._records(words):
            vote: ExportedVote = record.vote if of_pairs else record
            if vote.vote_row != last:
                last = vote.vote_row
                self.votes += 1
                if progress is not None and self.votes % STEP == 0:
                    progress(self.votes, self.total)
            found = self._rows(record, vote)
            if found is not None:
                yield found
        now = self._options.final_by
        undecided = self._reading.count_undecided_votes(now) if now else 0
        self._tally.add("undecided", number=undecided)
        # Whatever the filter: counted with one, they would tell who wins a study that is still running.
        running = 0 if self._options.running_studies else self._reading.count_running_votes(now)
        self._tally.add("running", number=running)
        if set(self._options.filter.as_mapping()) - {"license"}:
            others = self._reading.count_standing_votes() - undecided - running
            self._tally.add("filter", number=others - self.votes)
        if progress is not None:
            progress(self.total, self.total)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The reasons for which votes were left out so far, with counts and words."""
        return self._tally.left_out(self._format, self._options, self.models)

    def _records(self, words: bool) -> Iterator[Any]:
        read = self._reading.exported_votes if self._format.source is Source.VOTES else self._reading.exported_pairs
        return read(self._where, words=words, provenance=self._format.provenance)

    @property
    def _where(self) -> Conditions:
        """The conditions in SQL; those on licenses are checked here, which counts what they leave out."""
        pairs = self._format.source is Source.PAIRS
        return conditions(
            self._options.filter,
            pairs=pairs,
            commercial=COMMERCIAL_LICENSES,
            without={"license"},
            final_by=self._options.final_by,
            running_studies=self._options.running_studies,
        )

    def _rows(self, record: Any, vote: ExportedVote) -> Rows | None:
        """Return the rows of a record; None if it is left out, which is counted."""
        reason = None if self._standings is None else self._standings.reason(vote)
        left_out = self._left_out(record, vote, reason)
        rows = () if left_out else self._format.rows(record, self._context(reason))
        if left_out or not rows:
            self._tally.add(left_out or "no_row")
            return None
        if not self._options.filter.license and not self._options.split_licenses:
            return True, rows
        return self._with_license(record, rows)

    def _left_out(self, record: Any, vote: ExportedVote, reason: ExclusionReason | None) -> str:
        """Return why a record is left out, except because of licenses; empty if it is not."""
        if vote.withheld:
            return vote.withheld
        if reason is not None and self._options.counted_only:
            return reason
        if self.models and (record.a.model_id, record.b.model_id) not in (self.models, self.models[::-1]):
            return "other_models"
        return ""

    def _with_license(self, record: Any, rows: Sequence[Values]) -> Rows | None:
        wanted = self._options.filter.license
        licenses = [(self._license(license, model), model) for license, model in _licenses(record)]
        forbidding = [(license, model) for license, model in licenses if not allows_commercial_use(license)]
        if wanted == "commercial" and forbidding:
            unnamed = [model for license, model in forbidding if not is_named(license)]
            reason = "unknown_license" if unnamed else "other_license"
            self._tally.add(reason, unnamed or [model for _, model in forbidding])
            return None
        if wanted == "other" and not forbidding:
            self._tally.add("commercial_license")
            return None
        return not forbidding, rows

    def _context(self, reason: ExclusionReason | None) -> Context:
        """Return the context of rows with this reason; there are few."""
        if reason not in self._contexts:
            why_not = "" if reason is None else self._options.policy.why_not(reason)
            self._contexts[reason] = Context(why_not, self._names.name, self._license, self.models)
        return self._contexts[reason]

    def _find_license(self, license: str, model: str) -> str:
        return license_of(license, self._on_cards.get(model, ""))

    def _two_models(self) -> tuple[str, ...]:
        """Return the two models of the filter, or the only two that met."""
        asked = self._options.filter.model_ids
        if len(asked) == 2:
            return asked
        met = self._reading.models_that_met(self._where, limit=4)
        if len(met) == 1:
            return met[0]
        pairs = "; ".join(f"{a},{b}" for a, b in met[:3]) + ("; …" if len(met) > 3 else "")
        raise InvalidValue(
            Message(
                "{format} is about two models: give them as models=A,B; models that met: {pairs}",
                format=self._format.name,
                pairs=pairs or Message("none yet"),
            )
        )


def _licenses(record: ExportedPair | ExportedVote) -> list[tuple[str, str]]:
    """Return license and model of each answer."""
    answers = (record.a, record.b) if isinstance(record, ExportedPair) else [side.answer for side in record.sides]
    return [(answer.license, answer.model_id) for answer in answers]
