"""What this machine has to hold models, found out without CUDA: asking it in the web process would take memory there.

Boundary: reads /proc, the control group and ``nvidia-smi``; decides nothing.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from playground.engines.local.placement import Device

_QUERY = ("--query-gpu=index,uuid,name,memory.total,memory.free", "--format=csv,noheader,nounits")
_ASKING_S = 10.0
_MEBIBYTE = 1 << 20
_CPU_SHARE = 0.8  # of what is free: the web process, the database and the system live there too

Ask = Callable[[], str]


def find_devices(
    limit_bytes: int = 0,
    root: Path = Path("/"),
    ask: Ask | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Device, ...]:
    """The GPUs in order, then the machine's own memory; of each, models may use what is free, or `limit_bytes` if less.

    Args:
        root: where /proc and /sys are looked for.
        ask: the words of nvidia-smi; by default the program's, where there is one and torch can use a GPU.
        environ: CUDA_VISIBLE_DEVICES hides and orders GPUs, for torch and so for the plan.
    """
    gpus = _visible(_gpus((ask or _nvidia_smi)()), environ.get("CUDA_VISIBLE_DEVICES"))
    found = (*gpus, _cpu(root))
    if not limit_bytes:
        return found
    return tuple(replace(device, usable_bytes=min(device.usable_bytes, limit_bytes)) for device in found)


def _nvidia_smi() -> str:
    """What nvidia-smi says; nothing where there is none, or it has no driver to ask."""
    program = shutil.which("nvidia-smi")
    if program is None or not _torch_has_cuda():
        return ""
    try:
        done = subprocess.run([program, *_QUERY], capture_output=True, text=True, timeout=_ASKING_S)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _torch_has_cuda() -> bool:
    """Whether the installed torch is a build for GPUs; looked up, not imported."""
    torch = importlib.util.find_spec("torch")
    folders = torch.submodule_search_locations if torch is not None else None
    return any(path.is_file() for folder in folders or () for path in Path(folder).glob("lib/*torch_cuda.*"))


@dataclass(frozen=True, slots=True)
class _Gpu:
    index: str
    uuid: str
    title: str
    total_bytes: int
    free_bytes: int


def _gpus(words: str) -> list[_Gpu]:
    """In the order of their buses, which workers are told to keep to."""
    found = []
    for row in csv.reader(words.splitlines(), skipinitialspace=True):
        if len(row) == 5 and all(number.isdigit() for number in (row[0], row[3], row[4])):
            found.append(_Gpu(row[0], row[1], row[2], int(row[3]) * _MEBIBYTE, int(row[4]) * _MEBIBYTE))
    return found


def _visible(gpus: Sequence[_Gpu], chosen: str | None) -> list[Device]:
    """Those that torch will see, numbered as it will number them: up to the first name that fits none."""
    seen = list(gpus)
    if chosen is not None:
        names = [name.strip() for name in chosen.split(",")]
        matches = [next((gpu for gpu in gpus if _is(gpu, name)), None) for name in names]
        seen = [gpu for gpu in takewhile(lambda gpu: gpu is not None, matches) if gpu is not None]
    return [
        Device(f"cuda:{number}", f"GPU {gpu.index} ({gpu.title})", gpu.total_bytes, gpu.free_bytes)
        for number, gpu in enumerate(seen)
    ]


def _is(gpu: _Gpu, name: str) -> bool:
    return name == gpu.index or (name.startswith("GPU-") and gpu.uuid.startswith(name))


def _cpu(root: Path) -> Device:
    """The memory of the machine, or of the container that this runs in."""
    sizes = _meminfo(root / "proc/meminfo")
    total, free = sizes.get("MemTotal", 0), sizes.get("MemAvailable", 0)
    if not total:  # not Linux
        total = free = _physical_bytes()
    limit = _control_group(root / "sys/fs/cgroup", ("memory.max", "memory/memory.limit_in_bytes"))
    if limit and limit < total:
        used = _control_group(root / "sys/fs/cgroup", ("memory.current", "memory/memory.usage_in_bytes"))
        total, free = limit, min(free, limit - used + _file_cache(root / "sys/fs/cgroup"))
    return Device("cpu", "this CPU", total, int(max(0, free) * _CPU_SHARE))


def _meminfo(path: Path) -> dict[str, int]:
    """Bytes by name; the file counts in KiB."""
    if not path.is_file():
        return {}
    fields = (line.split() for line in path.read_text("ascii").splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in fields if len(words) == 3 and words[2] == "kB"}


def _control_group(folder: Path, names: Sequence[str]) -> int:
    """The first of the files that is there and holds a number; 0 when there is no limit."""
    for name in names:
        path = folder / name
        if path.is_file():
            text = path.read_text("ascii").strip()
            return int(text) if text.isdigit() else 0
    return 0


def _file_cache(folder: Path) -> int:
    """What a container's limit counts as used, and gives back when it is needed: files that were read."""
    for name in ("memory.stat", "memory/memory.stat"):
        path = folder / name
        if path.is_file():
            words = dict(line.split() for line in path.read_text("ascii").splitlines())
            return int(words.get("inactive_file", 0)) + int(words.get("active_file", 0))
    return 0


def _physical_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
