"""Rights and resources, given up for good before the first line of a student runs."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from ntk_teach.grading.sandbox import system
from ntk_teach.grading.sandbox.limits import Limits

__all__ = ["confine", "restrict"]


def restrict(limits: Limits) -> None:
    """The kernel's own limits of one process. The total over processes is the warden's affair."""
    statm = Path("/proc/self/statm")
    shared = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    most = {
        resource.RLIMIT_CORE: 1,  # with 0 a machine that pipes dumps to a program would still keep them
        resource.RLIMIT_AS: shared + limits.memory,
        resource.RLIMIT_CPU: max(int(limits.wall), 1) + 1,
        resource.RLIMIT_FSIZE: limits.file_size,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_NOFILE: 256,
    }
    if hasattr(resource, "RLIMIT_MSGQUEUE"):
        most[resource.RLIMIT_MSGQUEUE] = 0
    for name, value in most.items():
        hard = resource.getrlimit(name)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (value, value))


def confine(limits: Limits, uid: int | None) -> None:
    """Limits, then capabilities, user, and calls, in the only order that works.

    Args:
        limits: what the submission may use.
        uid: the user to become, from root; None in a user namespace, where the user is already nobody.
    """
    restrict(limits)
    system.drop_bounding_set()
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    system.forget_capabilities()
    system.no_new_privileges()
    system.die_with_parent()  # cleared by the change of user
    system.filter_calls()
