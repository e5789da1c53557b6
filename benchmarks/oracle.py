"""What ``model.generate`` gives for each request alone, and who gives the same.

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
"""Two float32 logits this close, as a share of the largest one, may change places with the shape of the batch."""


class Oracle:
    """The right answers to some requests."""

    def __init__(self, models: Sequence[Any], vocabulary: Vocabulary, requests: Sequence[Request]) -> None:
        self._models, self._requests = models, requests
        known = [one_at_a_time(model, [one])[0] for model, one in zip(models, requests, strict=True)]
        self._ids = [answer.token_ids or () for answer in known]
        self._vocabulary = vocabulary

    @property
    def num_tokens(self) -> int:
        """Of all right answers together: the useful tokens."""
        return sum(len(ids) for ids in self._ids)

    def share(self, answers: Sequence[Answer]) -> float:
        """How many of the answers are right, 0 to 1; one that leaves at a tie within rounding is."""
        right = [self._right(number, answer) for number, answer in enumerate(answers)]
        return sum(right) / len(self._requests)

    def _right(self, number: int, answer: Answer) -> bool:
        if answer.token_ids is None:
            return answer.text in self._texts(self._ids[number])
        if answer.token_ids != self._ids[number]:
            return self._is_tie(number, answer.token_ids)
        return answer.text is None or answer.text == text_of(self._vocabulary, answer.token_ids)

    def _texts(self, ids: Sequence[int]) -> tuple[str, ...]:
        """FastChat asks for the one without spaces before punctuation."""
        plain = text_of(self._vocabulary, ids)
        tidy = self._vocabulary.theirs.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)
        return plain, str(tidy)

    def _is_tie(self, number: int, ids: Sequence[int]) -> bool:
        """Written again, because the logits of all answers would not fit into memory."""
        one = self._requests[number]
        prompt = torch.tensor([one.token_ids])
        out = self._models[number].generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=greedy(one.max_new_tokens),
            output_logits=True,
            return_dict_in_generate=True,
        )
        logits = torch.stack([step[0] for step in out.logits])
        return equal_up_to_rounding(ids, self._ids[number], logits, NEAR_TIE)
