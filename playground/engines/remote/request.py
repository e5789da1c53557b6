"""Build the body of a completions request: exact ids in, exact ids out.

Boundary: values only; the names are those of vLLM's ``/v1/completions``.
"""

from __future__ import annotations

from typing import Any

from playground.engines.protocol import Job
from playground.records import WHEN_SAMPLING, SamplingParams


def request_body(job: Job, model: str, max_tokens: int) -> dict[str, Any]:
    """Return the request for `job`, with every parameter set, so that no default of the server applies.

    `renormalize_logits` has no equivalent and needs none: it does not change the drawn token.
    """
    params = job.params
    return {
        "model": model,
        "prompt": list(job.token_ids),
        "stream": True,
        "return_token_ids": True,
        "max_tokens": max_tokens,
        "min_tokens": min(params.min_new_tokens, max_tokens),
        "seed": job.seed,
        "stop_token_ids": list(job.stop_ids),
        "ignore_eos": True,  # stop ids come from the template, not from the checkpoint
        "skip_special_tokens": False,
        "repetition_penalty": params.repetition_penalty,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        **{name: getattr(params if params.do_sample else SamplingParams(), name) for name in WHEN_SAMPLING},
        **({} if params.do_sample else {"temperature": 0.0}),
    }
