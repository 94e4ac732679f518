"""What a sandbox sees of the machine: Python, read-only, and empty folders in memory. Nothing else has a name there."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from ntk_teach.grading.sandbox import system

__all__ = ["HOME", "arrange", "shown", "withheld"]

HOME = "/student"
OLD = "/old"
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")
DEVICES = ("null", "full", "random", "urandom")  # not zero: mapped, it is memory that nobody counts
PLAIN = system.MOUNT_NO_SETUID | system.MOUNT_NO_DEVICES
# The machine's switches. Whoever is the machine's root by number may turn them without any further right.
SWITCHES = ("sys", "sysrq-trigger", "irq", "bus", "fs", "scsi", "acpi", "mtrr")


def shown(prefixes: Sequence[str]) -> list[str]:
    """Folders and files of the machine that the sandbox shows, parents before what is below them."""
    wanted = [*SYSTEM, *sorted({os.path.realpath(p) for p in prefixes} | {*prefixes})]
    kept: list[str] = []
    for path in wanted:
        if os.path.lexists(path) and not any(path == k or path.startswith(k + "/") for k in kept):
            kept.append(path)
    return kept


def withheld(sites: Sequence[str], package: str, shows: Sequence[str]) -> list[str]:
    """What is shown and would help: this library, the programs of the instructor's side, a password of an index.

    Args:
        sites: folders of installed packages.
        package: folder of this library, wherever it stands.
        shows: what the sandbox shows.
    """
    names = (
        "ntk_teach",
        "nbgrader",
        "jupytext",
        "neural_tangents",
        "nngeometry",
        "fast_finite_width_ntk",
        "asdl",
        "asdfghjkl",
    )
    found = {path for site in sites for name in names for path in Path(site).glob(f"{name}*")}
    found |= {path for site in sites for path in Path(site).glob("__editable__*ntk_teach*")}
    found |= {path for prefix in shows if (path := Path(prefix, "pip.conf")).is_file()}
    # Where the package is not among the installed ones, its repository stands around it, with the exercises' sources.
    around = Path(package).parent
    found.add(around if str(around) not in sites else Path(package))
    return sorted(str(path) for path in found if any(str(path).startswith(f"{prefix}/") for prefix in shows))


def arrange(uid: int, gid: int, *, shows: Sequence[str], hides: Sequence[str], disk: int) -> None:
    """Make the new root, leave the old one behind. To be called in namespaces of mounts and processes of one's own."""
    socket.sethostname("sandbox")
    system.mount(None, "/", None, system.MOUNT_ALL_BELOW | system.MOUNT_PRIVATE)
    system.mount("tmpfs", "/tmp", "tmpfs", PLAIN, "mode=755,size=4m")
    os.chdir("/tmp")
    os.mkdir("old")
    system.pivot_root(".", "old")
    os.chdir("/")
    owned = f"uid={uid},gid={gid}"

    def in_memory(folder: str, mode: str) -> None:
        os.makedirs(folder, exist_ok=True)
        system.mount("tmpfs", folder, "tmpfs", PLAIN, f"{owned},mode={mode},size={disk},nr_inodes=4096")

    in_memory("/tmp", "1777")  # first, for what is shown may stand below it
    for path in shows:
        _show(path)
    for path in hides:
        _hide(path)
    _devices()
    in_memory("/dev/shm", "1777")
    in_memory(HOME, "700")
    os.makedirs("/etc", exist_ok=True)
    Path("/etc/passwd").write_text(f"student:x:{uid}:{gid}::{HOME}:/bin/sh\n")
    os.mkdir("/proc")
    # While the old /proc can still be seen: a user namespace may mount a new one only then.
    system.mount("proc", "/proc", "proc", PLAIN | system.MOUNT_NO_EXEC)
    for name in SWITCHES:
        if os.path.exists(f"/proc/{name}"):
            system.mount(f"/proc/{name}", f"/proc/{name}", None, system.MOUNT_BIND)
            again = PLAIN | system.MOUNT_NO_EXEC | system.MOUNT_READ_ONLY | system.MOUNT_AGAIN | system.MOUNT_BIND
            system.mount(None, f"/proc/{name}", None, again)
    system.unmount(OLD)
    os.rmdir(OLD)
    system.mount(None, "/", None, system.MOUNT_AGAIN | system.MOUNT_BIND | system.MOUNT_READ_ONLY | PLAIN)
    system.mount(None, "/dev", None, system.MOUNT_AGAIN | system.MOUNT_BIND | system.MOUNT_READ_ONLY | PLAIN)
    os.chdir(HOME)


def _show(path: str) -> None:
    source = OLD + path
    if os.path.lexists(source):
        system.bind(source, path)


def _hide(path: str) -> None:
    """An empty folder, or the empty device, in the place of what is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        system.mount("tmpfs", path, "tmpfs", PLAIN | system.MOUNT_READ_ONLY, "mode=755,size=4k")
    elif os.path.isfile(path):
        system.mount(OLD + "/dev/null", path, None, system.MOUNT_BIND)
        system.mount(None, path, None, system.MOUNT_AGAIN | system.MOUNT_BIND | system.MOUNT_READ_ONLY | PLAIN)


def _devices() -> None:
    os.makedirs("/dev", exist_ok=True)
    system.mount("tmpfs", "/dev", "tmpfs", system.MOUNT_NO_SETUID, "mode=755,size=64k")
    for name in DEVICES:
        system.bind(f"{OLD}/dev/{name}", f"/dev/{name}", devices=True)  # written to all the same; its mode is kept
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    os.mkdir("/dev/shm")
