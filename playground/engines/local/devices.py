"""Find the devices of this machine that can hold models, without starting CUDA, which would take memory here.

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
from pathlib import Path

from playground.engines.local.placement import CPU, Device

_QUERY = ("--query-gpu=index,uuid,name,memory.total,memory.free", "--format=csv,noheader,nounits")
_ASKING_S = 10.0
_MEBIBYTE = 1 << 20
_CPU_SHARE = 0.8  # of the free memory: the web process, the database and the system need the rest


def find_devices(
    limit_bytes: int = 0,
    root: Path = Path("/"),
    ask: Callable[[], str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Device, ...]:
    """Return the GPUs in order, then the CPU; models may use their free memory, or `limit_bytes` if that is less.

    Args:
        root: the folder with proc and sys.
        ask: returns the output of nvidia-smi; by default the program is run if there is one and torch can use a GPU.
        environ: CUDA_VISIBLE_DEVICES hides and orders GPUs, for torch and so for the plan.
    """
    gpus = _visible(_gpus((ask or _nvidia_smi)()), environ.get("CUDA_VISIBLE_DEVICES"))
    found = (*gpus, _cpu(root))
    if not limit_bytes:
        return found
    return tuple(
        replace(device, usable_bytes=limit_bytes, unlimited_bytes=device.usable_bytes)
        if limit_bytes < device.usable_bytes
        else device
        for device in found
    )


@dataclass(frozen=True, slots=True)
class _Gpu:
    index: str
    uuid: str
    title: str
    total_bytes: int
    free_bytes: int

    def is_called(self, name: str) -> bool:
        return name == self.index or (name.startswith("GPU-") and self.uuid.startswith(name))


def _nvidia_smi() -> str:
    """Run nvidia-smi; return "" if there is none, or it finds no driver."""
    program = shutil.which("nvidia-smi")
    if program is None or not _torch_has_cuda():
        return ""
    try:
        done = subprocess.run([program, *_QUERY], capture_output=True, text=True, timeout=_ASKING_S)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _torch_has_cuda() -> bool:
    """Return True if the installed torch is a build for GPUs; it is not imported."""
    torch = importlib.util.find_spec("torch")
    folders = torch.submodule_search_locations if torch is not None else None
    return any(path.is_file() for folder in folders or () for path in Path(folder).glob("lib/*torch_cuda.*"))


def _gpus(output: str) -> list[_Gpu]:
    """Read the GPUs in the order of their buses, in which workers number them too."""
    return [
        _Gpu(row[0], row[1], row[2], int(row[3]) * _MEBIBYTE, int(row[4]) * _MEBIBYTE)
        for row in csv.reader(output.splitlines(), skipinitialspace=True)
        if len(row) == 5 and all(number.isdigit() for number in (row[0], row[3], row[4]))
    ]


def _visible(gpus: Sequence[_Gpu], chosen: str | None) -> list[Device]:
    """Select and number the GPUs as torch will: up to the first name that fits none."""
    seen = list(gpus)
    if chosen is not None:
        seen = []
        for name in chosen.split(","):
            matches = [gpu for gpu in gpus if gpu.is_called(name.strip())]
            if not matches:
                break
            seen.append(matches[0])
    return [
        Device(f"cuda:{number}", f"GPU {gpu.index} ({gpu.title})", gpu.total_bytes, gpu.free_bytes)
        for number, gpu in enumerate(seen)
    ]


def _cpu(root: Path) -> Device:
    """Read the memory of the machine, or of the container that this runs in."""
    sizes = _meminfo(root / "proc/meminfo")
    total, free = sizes.get("MemTotal", 0), sizes.get("MemAvailable", 0)
    if not total:  # not Linux
        total = free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    group = root / "sys/fs/cgroup"
    limit = _number_in(group / "memory.max", group / "memory/memory.limit_in_bytes")
    if limit and limit < total:
        used = _number_in(group / "memory.current", group / "memory/memory.usage_in_bytes")
        total, free = limit, min(free, limit - used + _file_cache(group))
    return Device(CPU, "this CPU", total, int(max(0, free) * _CPU_SHARE))


def _meminfo(path: Path) -> dict[str, int]:
    """Read bytes by name; the file counts in KiB."""
    if not path.is_file():
        return {}
    fields = (line.split() for line in path.read_text("ascii").splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in fields if len(words) == 3 and words[2] == "kB"}


def _number_in(*paths: Path) -> int:
    """Read the first of the files that exists; 0 if it holds no number, or there is none: no limit."""
    text = next((path.read_text("ascii").strip() for path in paths if path.is_file()), "")
    return int(text) if text.isdigit() else 0


def _file_cache(group: Path) -> int:
    """Read the memory that a container's limit counts as used, and gives back when needed: files that were read."""
    for path in (group / "memory.stat", group / "memory/memory.stat"):
        if path.is_file():
            words = dict(line.split() for line in path.read_text("ascii").splitlines())
            return int(words.get("inactive_file", 0)) + int(words.get("active_file", 0))
    return 0
