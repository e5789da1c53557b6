"""Numbers, sizes, durations and settings as texts.

Boundary: pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from playground.records import SamplingParams, Standing
from playground.ui.texts import COUNTED, NOT_COUNTED
from playground.ui.texts.language import Plural, _, joined

BATTLES: Plural = Plural("{count:,} battle", "{count:,} battles")
ERASED_BATTLES: Plural = Plural("{count:,} erased battle", "{count:,} erased battles")
VOTES: Plural = Plural("{count:,} vote", "{count:,} votes")
VOTES_TODAY: Plural = Plural("{count:,} vote today", "{count:,} votes today")
RATERS: Plural = Plural("{count:,} rater", "{count:,} raters")
NOTES: Plural = Plural("{count:,} comment or report", "{count:,} comments and reports")
UNDER_A_TENTH = _("under 0.1 s")
SHARE, SHARE_TINY = _("{percent} %"), _("under 1 %")
LOADING, LOADING_ABOUT = _("loading…"), _("loading, about {time}")
SEED = _("seed {seed}")
BYTES = _("{count} bytes")
OF_COLUMN = _("{letter}: {settings}")
GREEDY = _("greedy")
ALWAYS = ("repetition_penalty", "max_new_tokens")
"""Sampling parameters that matter without sampling too."""


def counted(count: int, plural: Plural) -> str:
    """Return a number with its noun: 1 battle, 1,200 battles."""
    return plural.of(count).format(count=count)


def about(duration_s: float) -> str:
    """Return an estimated duration: 1 s, 12 s, 2 min."""
    return f"{max(1.0, duration_s):.0f} s" if duration_s < 120 else f"{duration_s / 60:.0f} min"


def seconds(duration_s: float) -> str:
    """Return a measured duration: 0.4 s, 12 s, 2 min."""
    if duration_s < 0.05:
        return UNDER_A_TENTH
    return f"{duration_s:.1f} s" if duration_s < 10 else about(duration_s)


def loading(eta_s: float | None) -> str:
    """Return that a model is loading, with the remaining time if it is known."""
    return LOADING if eta_s is None else LOADING_ABOUT.format(time=about(eta_s))


def size(size_bytes: int) -> str:
    """Return a size in decimal units: 12 kB, 7.7 MB, 13.3 GB."""
    if size_bytes < 1e6:
        return f"{size_bytes / 1e3:.0f} kB" if size_bytes >= 1e3 else BYTES.format(count=size_bytes)
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"


def moment(time: str) -> str:
    """Return a stored time: 2026-11-29 19:00 UTC."""
    return f"{time[:16].replace('T', ' ')} UTC"


def share(part: float) -> str:
    """Return a share in per cent: under 1 %, 4 %, 62 %."""
    return SHARE_TINY if 0 < part < 0.01 else SHARE.format(percent=f"{100 * part:.0f}")


def chance(probability: float) -> str:
    """Return a probability in per cent, small ones with two digits: 0.53 %, 4.2 %, 33 %."""
    percent = 100 * probability
    return SHARE.format(percent=f"{percent:.0f}" if percent >= 9.95 else f"{percent:.2g}")


def parameters(count: int) -> str:
    """Return the size of a model: 3.1M, 7B."""
    unit, scale = ("B", 1e9) if count >= 1e9 else ("M", 1e6)
    scaled = count / scale
    return f"{scaled:.0f}{unit}" if scaled >= 99.5 or scaled == round(scaled) else f"{scaled:.1f}{unit}"


def signed(number: float) -> str:
    """Return a number in short form, with a real minus sign."""
    return f"{number:g}".replace("-", "−")


def settings(values: Mapping[str, Any]) -> str:
    """Return changed settings: "temperature 0.7 · top_k 40"."""
    return " · ".join(f"{name} {value}" for name, value in values.items())


def overrides(values: Mapping[str, Any]) -> str:
    """Return changed settings of all columns, or of each: "A: temperature 0.2 · B: seed 7"."""
    by_side = {side: own for side, own in values.items() if isinstance(own, Mapping)}
    if not by_side:
        return settings(values)
    return " · ".join(
        OF_COLUMN.format(letter=side.upper(), settings=settings(own)) for side, own in by_side.items() if own
    )


def sampling(params: SamplingParams, seed: int | None = None) -> str:
    """Return the sampling parameters that have an effect, and the seed."""
    names = [field.name for field in fields(params) if field.name not in ALWAYS and not _is_hidden(params, field.name)]
    values = {name: f"{getattr(params, name):g}" for name in (*(names if params.do_sample else ()), *ALWAYS)}
    parts = ("" if params.do_sample else GREEDY, settings(values), "" if seed is None else SEED.format(seed=seed))
    return joined(" · ", parts)


def _is_hidden(params: SamplingParams, name: str) -> bool:
    return name == "min_new_tokens" or isinstance(getattr(params, name), bool)


def order(choice: str) -> str:
    """Return a ranking as people read it: "B > A = C"."""
    return choice.upper().replace(">", " > ").replace("=", " = ")


def standing(vote: Standing) -> str:
    """Return whether the leaderboard counts a vote."""
    return COUNTED if vote.counts else NOT_COUNTED.format(reason=vote.why_not)
