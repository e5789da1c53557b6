"""Records that an export leaves out: how many, why, and what cures it.

Boundary: counts in, words out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.exchange.formats import ExportFormat, ExportOptions
from playground.ratings.phrases import listed, number_of
from playground.ratings.policy import Reason

_LICENSE_CURE = (
    "fill in the field `license` of the models' cards and start the playground once: answers without a license take"
    " their card's"
)
_WORDS: Mapping[str, tuple[str, str]] = {
    "erased": ("the rater had the words erased", ""),
    "hidden": ("an operator has hidden the battle", "show the battle again on the operator's page"),
    "unknown_license": ("nobody has said which license applies to the answers of {models}", _LICENSE_CURE),
    "other_license": (
        "the license of the answers of {models} does not clearly allow commercial use",
        "export all licenses, or split these rows off into a second file",
    ),
    "commercial_license": ("every license allows commercial use", "export all licenses"),
    "undecided": ("could still be undone", "export again in some seconds"),
    "filter": ("not in the filter {filter}", "change the filter"),
    "other_models": ("judged other models than {models}", "export another file for each pair of models"),
}
_OF_VOTES = ("filter", "undecided")
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
        cure = f" ({self.cure})" if self.cure else ""
        return f"{number_of(self.unit, self.count)} left out: {self.words}{cure}"


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
            return format.no_row, ""
        if reason in tuple(Reason):
            words = f"not counted on the leaderboard: {options.policy.why_not(Reason(reason))}"
            return words, "export the votes that do not count too"
        words, cure = _WORDS[reason]
        filter = ", ".join(f"{name}={value}" for name, value in options.filter.as_mapping().items())
        models = listed(sorted(self.models.get(reason, two)))
        return words.format(models=models, filter=filter), cure
