"""From one row's logits to its next token: transformers' processors in their order, then Gumbel noise of the row's own.

Every step here equals the processor of transformers' ``generate`` that its name says, number for number, so that a
card's parameters mean what they mean on the card. Only the draw differs: ``generate`` uses the global random state;
here noise comes from a generator that belongs to the row, so that its answer depends on its seed and on nothing else.

Boundary: worker side; one row, one vector of logits; knows no model and no loop.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from playground.errors import EngineError
from playground.records import SamplingParams

_NEVER = -float("inf")


class Sampler:
    """One row's way of choosing tokens: parameters, ids seen so far, noise."""

    def __init__(
        self,
        params: SamplingParams,
        seed: int,
        prompt_ids: Sequence[int],
        stop_ids: Sequence[int],
        vocab_size: int,
        device: torch.device,
    ) -> None:
        self._params = params
        self._noise = torch.Generator().manual_seed(seed)
        self._seen = _mask(prompt_ids, vocab_size, device)
        self._stops = _mask(stop_ids, vocab_size, device)
        self._num_new = 0

    def next_id(self, logits: torch.Tensor) -> int:
        """Choose from float32 `logits` of shape (vocabulary,) and remember the choice.

        Raises:
            EngineError: no token has a usable score (the model computed NaN, or everything is suppressed).
        """
        scores = self.warp(logits)
        noisy = scores + self._gumbel(scores) if self._params.do_sample else scores
        best, index = noisy.max(dim=-1)
        if not torch.isfinite(best):
            raise EngineError("the model computed no usable numbers for the next token")
        token_id = int(index)
        self.remember(token_id)
        return token_id

    def remember(self, token_id: int) -> None:
        """Count `token_id` as the row's next token."""
        self._seen[token_id] = True
        self._num_new += 1

    def warp(self, logits: torch.Tensor) -> torch.Tensor:
        """`logits` after all processors, shape (vocabulary,); -inf where a token cannot be drawn."""
        params = self._params
        scores = logits
        if params.repetition_penalty != 1.0:
            scores = penalise(scores, self._seen, params.repetition_penalty)
        if self._num_new < params.min_new_tokens:
            scores = scores.masked_fill(self._stops, _NEVER)
        if params.do_sample:
            scores = _warp_for_sampling(scores, params)
        return scores.log_softmax(dim=-1) if params.renormalize_logits else scores

    def _gumbel(self, scores: torch.Tensor) -> torch.Tensor:
        """Standard Gumbel noise: minus the logarithm of an exponential; made on the CPU, the same for every device."""
        exponential = torch.empty(scores.shape, dtype=torch.float32).exponential_(generator=self._noise)
        # a zero would turn a suppressed token's -inf into NaN
        return -exponential.clamp_min_(torch.finfo(torch.float32).tiny).log_().to(scores.device)


def penalise(scores: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """RepetitionPenaltyLogitsProcessor: ids of prompt and answer count once, however often they occurred."""
    return torch.where(seen, torch.where(scores < 0, scores * penalty, scores / penalty), scores)


def keep_top_k(scores: torch.Tensor, top_k: int) -> torch.Tensor:
    """TopKLogitsWarper: ties with the k-th stay."""
    worst_kept = torch.topk(scores, min(top_k, scores.shape[-1])).values[-1]
    return scores.masked_fill(scores < worst_kept, _NEVER)


def keep_top_p(scores: torch.Tensor, top_p: float) -> torch.Tensor:
    """TopPLogitsWarper: the smallest set of tokens with at least `top_p` of the probability, never empty."""
    ascending, order = torch.sort(scores, descending=False)
    removed = ascending.softmax(dim=-1).cumsum(dim=-1) <= (1 - top_p)
    removed[-1:] = False
    return scores.masked_fill(removed.scatter(0, order, removed), _NEVER)


def _warp_for_sampling(scores: torch.Tensor, params: SamplingParams) -> torch.Tensor:
    if params.temperature != 1.0:
        scores = scores / params.temperature
    if params.top_k > 0:
        scores = keep_top_k(scores, params.top_k)
    if params.top_p < 1.0:
        scores = keep_top_p(scores, params.top_p)
    return scores


def _mask(ids: Sequence[int], vocab_size: int, device: torch.device) -> torch.Tensor:
    mask = torch.zeros(vocab_size, dtype=torch.bool)
    mask[list(ids)] = True
    return mask.to(device)
