"""Reference answers of ``model.generate`` for each request alone, and comparison with them.

Boundary: compares; measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from benchmarks.peers import Answer, greedy, one_at_a_time, text_of
from benchmarks.words import Request, Vocabulary
from playground.engines.local.worker.decoding.self_check import equal_up_to_rounding

NEAR_TIE = 1e-6
"""The shape of the batch may swap two float32 logits that differ by at most this share of the largest."""


class Oracle:
    """Right answers to some requests."""

    def __init__(self, models: Sequence[Any], vocabulary: Vocabulary, requests: Sequence[Request]) -> None:
        self._models, self._requests = models, requests
        known = [one_at_a_time(model, [one])[0] for model, one in zip(models, requests, strict=True)]
        self._ids = [answer.token_ids or () for answer in known]
        self._vocabulary = vocabulary

    @property
    def num_tokens(self) -> int:
        """Useful tokens: those of all right answers."""
        return sum(len(ids) for ids in self._ids)

    def share(self, answers: Sequence[Answer]) -> float:
        """Return the share of right answers, 0 to 1; an answer may differ at a near tie."""
        right = [self._right(number, answer) for number, answer in enumerate(answers)]
        return sum(right) / len(self._requests)

    def _right(self, number: int, answer: Answer) -> bool:
        if answer.token_ids is None:
            return answer.text in self._texts(self._ids[number])
        if answer.token_ids != self._ids[number]:
            return self._is_tie(number, answer.token_ids)
        return answer.text is None or answer.text == text_of(self._vocabulary, answer.token_ids)

    def _texts(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Decode the answer in two ways: FastChat removes spaces before punctuation."""
        plain = text_of(self._vocabulary, ids)
        tidy = self._vocabulary.theirs.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)
        return plain, str(tidy)

    def _is_tie(self, number: int, ids: Sequence[int]) -> bool:
        """Generate again: the logits of all answers do not fit into memory."""
        one = self._requests[number]
        prompt = torch.tensor([one.token_ids])
        out = self._models[number].generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=greedy(one),
            output_logits=True,
            return_dict_in_generate=True,
        )
        logits = torch.stack([step[0] for step in out.logits])
        return equal_up_to_rounding(ids, self._ids[number], logits, NEAR_TIE)
