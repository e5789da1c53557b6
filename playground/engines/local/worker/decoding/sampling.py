"""Choose the next tokens of rows from their logits: transformers' processors in order, then Gumbel noise per row.

Each step equals the processor of transformers' ``generate`` that its docstring names, number for number, so that the
parameters of a card mean the same here. Only the draw differs: ``generate`` uses the global random state; here every
row has a generator, so that its answer depends on its seed alone.

Boundary: rows and their logits; knows no model and no loop.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch

from playground.engines.local.worker.decoding.gumbel import gumbel
from playground.records import SamplingParams

_NEVER = -float("inf")


class Sampler:
    """Sampling state of one row: parameters, ids seen so far, random numbers."""

    def __init__(
        self,
        params: SamplingParams,
        seed: int,
        prompt_ids: Sequence[int],
        stop_ids: Sequence[int],
        vocab_size: int,
        device: torch.device,
    ) -> None:
        self.params = params
        self.seen = _mask(prompt_ids, vocab_size, device)
        self._stops = _mask(stop_ids, vocab_size, device)
        self._random = torch.Generator().manual_seed(seed)
        self._num_new = 0

    @property
    def forbidden(self) -> torch.Tensor | None:
        """Ids that cannot be drawn now, shape (vocabulary,): the stop ids while the answer is too short."""
        return self._stops if self._num_new < self.params.min_new_tokens else None

    def remember(self, token_id: int) -> None:
        """Count `token_id` as the row's next token."""
        self.seen[token_id] = True
        self._num_new += 1

    def key(self) -> int:
        """Return the row's next random number, from which the noise for one token is made."""
        return int(torch.empty((), dtype=torch.int64).random_(generator=self._random))


def next_ids(samplers: Sequence[Sampler], logits: torch.Tensor) -> list[int | None]:
    """Draw each row's next token from float32 `logits` of shape (rows, vocabulary); samplers remember it.

    The result is None for a row without a finite score: the model computed NaN, or every token is suppressed.
    """
    scores = warp(samplers, logits)
    drawing = [row for row, sampler in enumerate(samplers) if sampler.params.do_sample]
    if drawing:
        scores[drawing] += gumbel([samplers[row].key() for row in drawing], scores.shape[-1], scores.device)
    best, ids = scores.max(dim=-1)
    drawn: list[int | None] = []
    for sampler, usable, token_id in zip(samplers, torch.isfinite(best).tolist(), ids.tolist(), strict=True):
        drawn.append(token_id if usable else None)
        if usable:
            sampler.remember(token_id)
    return drawn


def warp(samplers: Sequence[Sampler], logits: torch.Tensor) -> torch.Tensor:
    """Return a copy of `logits` after all processors, shape (rows, vocabulary); -inf: the token cannot be drawn."""
    scores = logits.clone()
    groups: dict[SamplingParams, list[int]] = defaultdict(list)
    for row, sampler in enumerate(samplers):
        groups[sampler.params].append(row)
    for params, rows in groups.items():
        scores[rows] = _warp(scores[rows], params, [samplers[row] for row in rows])
    return scores


def _warp(scores: torch.Tensor, params: SamplingParams, samplers: Sequence[Sampler]) -> torch.Tensor:
    """Apply the processors to rows with the same parameters, in the order of ``generate``."""
    if params.repetition_penalty != 1.0:
        scores = penalise(scores, torch.stack([sampler.seen for sampler in samplers]), params.repetition_penalty)
    for row, sampler in enumerate(samplers):
        if sampler.forbidden is not None:
            scores[row] = scores[row].masked_fill(sampler.forbidden, _NEVER)
    if params.do_sample:
        scores = _warp_for_sampling(scores, params)
    return scores.log_softmax(dim=-1) if params.renormalize_logits else scores


def penalise(scores: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """RepetitionPenaltyLogitsProcessor: each id of prompt and answer counts once."""
    return torch.where(seen, torch.where(scores < 0, scores * penalty, scores / penalty), scores)


def keep_top_k(scores: torch.Tensor, top_k: int) -> torch.Tensor:
    """TopKLogitsWarper: ties with the k-th token are kept."""
    worst_kept = torch.topk(scores, min(top_k, scores.shape[-1])).values[..., -1:]
    return scores.masked_fill(scores < worst_kept, _NEVER)


def keep_top_p(scores: torch.Tensor, top_p: float) -> torch.Tensor:
    """TopPLogitsWarper: keep the smallest set of tokens with at least `top_p` of the probability, never none."""
    ascending, order = torch.sort(scores, descending=False)
    removed = ascending.softmax(dim=-1).cumsum(dim=-1) <= (1 - top_p)
    removed[..., -1:] = False
    return scores.masked_fill(removed.scatter(-1, order, removed), _NEVER)


def keep_min_p(scores: torch.Tensor, min_p: float) -> torch.Tensor:
    """MinPLogitsWarper: the tokens with at least `min_p` of the likeliest token's probability, and that one."""
    probabilities = scores.softmax(dim=-1)
    best, likeliest = probabilities.max(dim=-1, keepdim=True)
    removed = (probabilities < min_p * best).scatter(-1, likeliest, False)
    return scores.masked_fill(removed, _NEVER)


def _warp_for_sampling(scores: torch.Tensor, params: SamplingParams) -> torch.Tensor:
    if params.temperature != 1.0:
        scores = scores / params.temperature
    if params.top_k > 0:
        scores = keep_top_k(scores, params.top_k)
    if params.top_p < 1.0:
        scores = keep_top_p(scores, params.top_p)
    if params.min_p > 0.0:
        scores = keep_min_p(scores, params.min_p)
    return scores


def _mask(ids: Sequence[int], vocab_size: int, device: torch.device) -> torch.Tensor:
    mask = torch.zeros(vocab_size, dtype=torch.bool)
    mask[list(ids)] = True
    return mask.to(device)
