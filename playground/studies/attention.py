"""The share of a panel's raters who get too few attention items to fail.

Boundary: pure; the gap between two of them is `assignment`'s.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

from playground.studies.assignment import REPEAT_GAP, attention_gap
from playground.studies.study_file import StudyFile


def share_below(file: StudyFile) -> float:
    """Return the share of raters whose votes hold fewer attention items than are needed to fail; 0.0 if nobody can."""
    if file.attention is None or file.panel is None or file.panel.attention_failed is None:
        return 0.0
    return 1 - probability_of(file.panel.attention_items, _votes_of(file), file.attention.every)


def probability_of(count: int, votes: int, every: int) -> float:
    """Return the probability that a rater who gives so many votes gets at least `count` attention items."""
    gaps = Counter(attention_gap(every, drawn) for drawn in range(every))
    at: Mapping[int, float] = {0: 1.0}  # the probability that the last item so far came after a number of votes
    for _ in range(count):
        later: defaultdict[int, float] = defaultdict(float)
        for given, probability in at.items():
            for gap, times in gaps.items():
                if given + gap <= votes:
                    later[given + gap] += probability * times / every
        at = later
        if not at:
            break
    return math.fsum(at.values())


def _votes_of(file: StudyFile) -> int:
    """Return the votes of a rater on items and repeats, which come only some places after their items."""
    share = file.votes_per_rater or 0
    return share + min(math.floor(share * file.repeats), max(0, share - REPEAT_GAP + 1))
