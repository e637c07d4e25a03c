"""Memory that is free, and memory in use."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import OptionError

LEAST = 128_000_000  # Python, NumPy and what shows progress take about 80 MB of it
_SHARE = 0.5  # of what is free: other programs need some, and so do the pages of files


def check_memory(size: int) -> int:
    """OptionError for a limit that the program alone would exceed."""
    if size < LEAST:
        least = f"{LEAST // 10**6}M"
        said = f"--memory {size / 1e6:,.1f}M: the program itself needs {least}"
        raise OptionError(said, f"use --memory {least} or more")
    return size


def default_memory() -> int:
    """Half of the free memory of the machine, or of this process's control group; at least `LEAST`."""
    return max(int(free_bytes() * _SHARE), LEAST)


def free_bytes() -> int:
    """Bytes that can be taken without swapping anything out."""
    found = [_machine_free(), *_group_free()]
    return min(x for x in found if x > 0)


def _machine_free() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def _group_free() -> list[int]:
    """Limits of control groups less the memory in use there; cached files count as free."""
    out = []
    for limit, used, stat in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
            "/sys/fs/cgroup/memory/memory.stat",
        ),
    ):
        try:
            most = int(Path(limit).read_text())
            cached = [int(x.split()[1]) for x in Path(stat).read_text().splitlines() if x.startswith("inactive_file ")]
            out.append(max(most - int(Path(used).read_text()) + sum(cached), 1))
        except (OSError, ValueError, IndexError):
            continue  # no such group, or one without a limit
    return out


def resident_bytes() -> int:
    """This process's own memory, without mapped files."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return LEAST
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def give_back() -> None:
    """Return freed memory to the system; the C library would keep it."""
    if sys.platform != "linux":
        return
    import ctypes

    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return


def size_text(n: int) -> str:
    """Bytes as people write them."""
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"
