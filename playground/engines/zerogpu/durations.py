"""The GPU time that a call asks for: its tokens at the speed that its models were measured at.

ZeroGPU refuses a call that asks for more than the rest of a visitor's daily quota, queues short calls first, and ends a
call that takes longer than it asked for.

Boundary: numbers; asks for nothing itself.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

from playground.engines.zerogpu.request import GpuRequest, Measured

PROCESS_S = 5.0
"""A fresh process: fork, CUDA, kernels."""
COPY_BYTES_PER_S = 3e9
"""Weights from the disk to the GPU; estimated."""
STEP_S = 0.03
"""A decode step without its weights: Python and kernel launches."""
READ_BYTES_PER_S = 5e11
"""Weights that a decode step reads from the GPU's memory; estimated."""
PROMPT_TOKENS_PER_STEP = 256
"""Prompt tokens that are read in the time of a step."""
MARGIN = 1.5


class Durations:
    """Estimates that become measurements; safe on any thread.

    Args:
        weights_bytes: by model.
    """

    def __init__(self, weights_bytes: Mapping[str, int]) -> None:
        self._weights_bytes = weights_bytes
        self._step_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, measured: Measured) -> None:
        """Take a measurement; half of an estimate is the latest one."""
        with self._lock:
            known = self._step_s.get(measured.model_id, measured.step_s)
            self._step_s[measured.model_id] = (known + measured.step_s) / 2

    def step_s(self, model_id: str) -> float:
        """Return the time of one decode step."""
        estimate = STEP_S + self._weights_bytes[model_id] / READ_BYTES_PER_S
        with self._lock:
            return self._step_s.get(model_id, estimate)

    def of(self, request: GpuRequest) -> int:
        """Return the seconds to ask for; writing takes no longer than the deadline of the rows."""
        start_s = PROCESS_S + sum(self._weights_bytes.values()) / COPY_BYTES_PER_S
        writing_s = MARGIN * sum(_steps(request, model_id) * self.step_s(model_id) for model_id in request.model_ids)
        return math.ceil(start_s + min(writing_s, max(row.job.deadline_s for row in request.rows)))


def _steps(request: GpuRequest, model_id: str) -> int:
    """Return the steps of a model, which writes its rows together."""
    jobs = [row.job for row in request.of_model(model_id)]
    reading = sum(math.ceil(len(job.token_ids) / PROMPT_TOKENS_PER_STEP) for job in jobs)
    return reading + max(job.params.max_new_tokens for job in jobs)
