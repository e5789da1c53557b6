"""Records that an export leaves out: how many, why, and what cures it.

Boundary: counts in, words out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.exchange.formats import ExportFormat, ExportOptions
from playground.messages import Message, marked
from playground.ratings.phrases import listed, number_of
from playground.ratings.policy import ExclusionReason

_LICENSE_CURE = marked(
    "fill in the field `license` of the models' cards and start the playground once: answers without a license take"
    " their card's"
)
_WORDS: Mapping[str, tuple[str, str]] = {
    "erased": (marked("the rater had the words erased"), ""),
    "hidden": (marked("an operator has hidden the battle"), marked("show the battle again on the operator's page")),
    "unknown_license": (marked("the license of the answers of {models} is not known"), _LICENSE_CURE),
    "other_license": (
        marked("the license of the answers of {models} does not clearly allow commercial use"),
        marked("export all licenses, or split these rows off into a second file"),
    ),
    "commercial_license": (marked("every license allows commercial use"), marked("export all licenses")),
    "running": (marked("of a study that is still running"), marked("close the study, or export with raters' ids")),
    "undecided": (marked("could still be undone"), marked("export again in some seconds")),
    "filter": (marked("not in the filter {filter}"), marked("change the filter")),
    "other_models": (
        marked("judged other models than {models}"),
        marked("export another file for each pair of models"),
    ),
}
_OF_VOTES = ("filter", "undecided", "running")
"""Reasons that are counted in votes, whatever a format has rows of."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Records left out for one reason."""

    reason: str
    count: int
    unit: str  # vote | pair
    words: str
    cure: str  # empty if there is none, or none is needed

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> Message:
        """Return number, reason and cure as a message without a full stop."""
        number = number_of(self.unit, self.count)
        if self.cure:
            return Message("{number} left out: {words} ({cure})", number=number, words=self.words, cure=self.cure)
        return Message("{number} left out: {words}", number=number, words=self.words)


@dataclass(slots=True)
class Tally:
    """Counts of what one export leaves out, by reason, and the models that their licenses are about."""

    counts: Counter[str] = field(default_factory=Counter)
    models: dict[str, set[str]] = field(default_factory=dict)

    def add(self, reason: str, models: Sequence[str] = (), *, number: int = 1) -> None:
        """Count records, with the models whose licenses are the reason."""
        self.counts[reason] += number
        if models:
            self.models.setdefault(reason, set()).update(models)

    def left_out(self, format: ExportFormat, options: ExportOptions, two: tuple[str, ...]) -> tuple[LeftOut, ...]:
        """Return the counts in words, the most frequent first."""
        return tuple(
            LeftOut(
                reason,
                count,
                "vote" if reason in _OF_VOTES else format.source.value,
                *self._words(reason, format, options, two),
            )
            for reason, count in self.counts.most_common()
            if count
        )

    def _words(
        self, reason: str, format: ExportFormat, options: ExportOptions, two: tuple[str, ...]
    ) -> tuple[str, str]:
        if reason == "no_row":
            return Message(format.no_row), ""
        if reason in tuple(ExclusionReason):
            words = Message(
                "not counted on the leaderboard: {why}", why=options.policy.why_not(ExclusionReason(reason))
            )
            return words, Message("export the votes that do not count too")
        template, cure = _WORDS[reason]
        filter = ", ".join(f"{name}={value}" for name, value in options.filter.as_mapping().items())
        models = listed(sorted(self.models.get(reason, two)))
        return Message(template, models=models, filter=filter), Message(cure)
