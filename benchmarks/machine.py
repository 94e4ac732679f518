"""Where the numbers were measured; never the name of the machine."""

from __future__ import annotations

import os
import platform

from ntk_teach.device import processor


def allowed_cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def description() -> dict[str, str | int | float]:
    """Load is that of the last minute, before the first case began: above .5 the numbers are indicative only."""
    return {
        "processor": processor(),
        "architecture": platform.machine(),
        "cores": len(allowed_cores()),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 2),
    }
