"""Numbers, durations and settings as texts."""

from __future__ import annotations

import pytest

from playground.records import SamplingParams
from playground.ui.texts import formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.counted(1, formats.BATTLES), "1 battle"),
        (formats.counted(1200, formats.BATTLES), "1,200 battles"),
        (formats.counted(0, formats.NOTES), "0 comments and reports"),
        (formats.seconds(0.04), "under 0.1 s"),
        (formats.seconds(9.94), "9.9 s"),
        (formats.seconds(14), "14 s"),
        (formats.about(0.2), "1 s"),
        (formats.about(300), "5 min"),
        (formats.size(999), "999 bytes"),
        (formats.size(64_200), "64 kB"),
        (formats.size(7_700_000), "7.7 MB"),
        (formats.size(13_300_000_000), "13.3 GB"),
        (formats.parameters(3_100_000), "3.1M"),
        (formats.parameters(7_000_000_000), "7B"),
        (formats.signed(-500.0), "−500"),
        (formats.settings({"temperature": 0.7, "top_k": 40}), "temperature 0.7 · top_k 40"),
        (formats.settings({}), ""),
    ],
)
def test_number_is_readable(text: str, expected: str) -> None:
    assert text == expected


def test_sampling_names_only_parameters_with_an_effect() -> None:
    greedy = formats.sampling(SamplingParams(max_new_tokens=64), seed=7)
    assert greedy == "greedy · repetition_penalty 1 · max_new_tokens 64 · seed 7"
    sampled = formats.sampling(SamplingParams(do_sample=True, temperature=0.7))
    assert sampled.startswith("temperature 0.7 · ")
    assert {"top_k 0", "top_p 1"} <= set(sampled.split(" · "))
