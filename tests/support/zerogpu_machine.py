"""Run the folder's ``app.py`` as a ZeroGPU Space does, with the CPU in the GPU's place: a script, started there.

`spaces` itself runs: it replaces torch's ``cuda``, asks the service for a GPU, forks, and carries arguments and
results. Only its three steps that touch a GPU are replaced.

Boundary: needs the package `spaces`; imports nothing of the playground.
"""

from __future__ import annotations

import os
import runpy
import sys

sys.path[0] = os.getcwd()  # not this script's folder


def main() -> None:
    """Replace the steps, then run the program with the arguments of this one."""
    import torch

    if torch.version.cuda is None:  # a build for CPUs lacks what `spaces` replaces
        torch.version.cuda, torch._C._cuda_init, torch.cuda._is_in_bad_fork = "13.0", None, bool
    import spaces  # noqa: F401  on the main thread, as ZeroGPU needs it
    from spaces.zero import torch as steps
    from spaces.zero.torch import patching

    def use_the_cpu(callback: object = None) -> None:
        for on_gpu, original in patching.cuda_aliases.items():
            on_gpu.data = original

    steps.pack, steps.init, steps.move = (lambda: 0), (lambda uuid: None), use_the_cpu
    runpy.run_path("app.py", run_name="__main__")


if __name__ == "__main__":
    main()
