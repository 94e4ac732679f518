"""The few calls of the Linux kernel that Python 3.11 does not have, each with its error raised as OSError."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from pathlib import Path

__all__ = [
    "MOUNT_AGAIN",
    "MOUNT_ALL_BELOW",
    "MOUNT_BIND",
    "MOUNT_NO_DEVICES",
    "MOUNT_NO_EXEC",
    "MOUNT_NO_SETUID",
    "MOUNT_PRIVATE",
    "MOUNT_READ_ONLY",
    "NEW_IPC",
    "NEW_MOUNTS",
    "NEW_NETWORK",
    "NEW_PROCESSES",
    "NEW_USER",
    "NEW_UTS",
    "adopt_orphans",
    "bind",
    "collapse",
    "die_with_parent",
    "drop_bounding_set",
    "filter_calls",
    "forget_capabilities",
    "mount",
    "name_process",
    "no_new_privileges",
    "pivot_root",
    "unmount",
    "unshare",
]

NEW_MOUNTS, NEW_UTS, NEW_IPC, NEW_USER, NEW_PROCESSES, NEW_NETWORK = (
    0x20000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
MOUNT_READ_ONLY, MOUNT_NO_SETUID, MOUNT_NO_DEVICES, MOUNT_NO_EXEC = 1, 2, 4, 8
MOUNT_AGAIN, MOUNT_BIND, MOUNT_ALL_BELOW, MOUNT_PRIVATE = 32, 4096, 16384, 1 << 18
DETACH = 2
COLLAPSE, HUGE = 25, 2 << 20  # madvise: now, and the size of a large page

# prctl's options
PARENT_DEATH, DUMPABLE, NAME, SECCOMP, BOUNDING_DROP, NEW_SUBREAPER, NO_NEW_PRIVILEGES, AMBIENT = (
    1,
    4,
    15,
    22,
    24,
    36,
    38,
    47,
)

try:
    _c = ctypes.CDLL(None, use_errno=True)
except (OSError, TypeError):  # Windows: no sandbox of ours stands there, and nothing below is called
    _c = None  # type: ignore[assignment]


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)
    return result


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def unshare(namespaces: int) -> None:
    _checked(_c.unshare(namespaces), "unshare")


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    result = _c.mount(_bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags), _bytes(options))
    _checked(result, f"mount {source or kind} at {target}")


def unmount(target: str) -> None:
    _checked(_c.umount2(_bytes(target), DETACH), f"unmount {target}")


def pivot_root(new: str, old: str) -> None:
    number = {"x86_64": 155, "aarch64": 41}.get(platform.machine())
    if number is None:
        raise OSError(38, "pivot_root: this processor's call number is not known", platform.machine())
    _checked(_c.syscall(number, _bytes(new), _bytes(old)), "pivot_root")


def bind(source: str, target: str, *, read_only: bool = True, devices: bool = False) -> None:
    """Show a file or folder of the old tree in the new one. A link is copied as a link."""
    if os.path.islink(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
    mount(source, target, None, MOUNT_BIND)
    flags = MOUNT_AGAIN | MOUNT_BIND | MOUNT_NO_SETUID
    flags |= MOUNT_READ_ONLY if read_only else 0
    flags |= 0 if devices else MOUNT_NO_DEVICES
    mount(None, target, None, flags)


def die_with_parent() -> None:
    """SIGKILL when the parent ends. A change of user clears it: ask again after one."""
    _checked(_c.prctl(PARENT_DEATH, 9, 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    """Orphans below this process become its children, so that it can wait for them."""
    _checked(_c.prctl(NEW_SUBREAPER, 1, 0, 0, 0), "prctl")


def name_process(name: str) -> None:
    _c.prctl(NAME, name.encode()[:15], 0, 0, 0)


def collapse() -> int:
    """Put this process's own memory on large pages, where the kernel (6.1 and later) has some; return the bytes.

    A fork copies an entry for every page: of a warm interpreter with 260 MB, 65 000 of them or a few hundred.
    """
    done = 0
    with open("/proc/self/maps") as file:
        maps = [line.split() for line in file]
    for span, rights, _, _, inode, *name in maps:
        if rights.startswith("rw") and inode == "0" and name in ([], ["[heap]"]):
            low, high = (int(end, 16) for end in span.split("-"))
            low, high = -(-low // HUGE) * HUGE, high // HUGE * HUGE
            if high > low and _c.madvise(ctypes.c_void_p(low), ctypes.c_size_t(high - low), COLLAPSE) == 0:
                done += high - low
    return done


def no_new_privileges() -> None:
    """No program started from here on gains rights; the files in /proc/self belong to this user again."""
    _checked(_c.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    own_memory(True)


def own_memory(opened: bool) -> None:
    """May other processes of this user read and write this one's memory, and the files in its /proc be this user's?"""
    _c.prctl(DUMPABLE, int(opened), 0, 0, 0)


def drop_bounding_set() -> None:
    """While still root: no capability can come back."""
    for capability in range(64):
        if _c.prctl(BOUNDING_DROP, capability, 0, 0, 0) < 0:
            break


def forget_capabilities() -> None:
    _c.prctl(AMBIENT, 4, 0, 0, 0)
    header = ctypes.create_string_buffer(struct.pack("II", 0x20080522, 0))
    _checked(_c.capset(header, ctypes.create_string_buffer(24)), "capset")


# Calls that no answer needs, with their numbers of x86_64; on other processors the namespaces stand alone.
REFUSED = {
    # other processes, and what the kernel knows of them
    **{"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "perf_event_open": 298},
    **{"pidfd_open": 434, "pidfd_getfd": 438, "migrate_pages": 256, "move_pages": 279, "syslog": 103},
    # another view of the files
    **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "open_tree": 428, "move_mount": 429},
    **{"fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "swapon": 167},
    **{"name_to_handle_at": 303, "open_by_handle_at": 304, "quotactl": 179, "quotactl_fd": 443},
    # other namespaces
    **{"unshare": 272, "setns": 308},
    # keys, programs in the kernel, rings: doors that have stood open before
    **{"add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "userfaultfd": 323},
    **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
    # the machine itself
    **{"kexec_load": 246, "kexec_file_load": 320, "reboot": 169, "init_module": 175, "delete_module": 176},
    **{"finit_module": 313, "swapoff": 168, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173},
    **{"acct": 163, "settimeofday": 164, "adjtimex": 159, "clock_settime": 227, "clock_adjtime": 305},
    **{"vhangup": 153, "modify_ldt": 154, "personality": 135, "lookup_dcookie": 212},
    # memory that belongs to no process, so that nobody counts it
    **{"memfd_create": 319, "memfd_secret": 447, "shmget": 29, "semget": 64, "msgget": 68},
}
FAMILIES = (1, 2, 10, 16)  # Unix, IPv4, IPv6, netlink: those that a namespace holds. A socket to the host of a virtual
#                            machine, for one, passes through.
SOCKETS = (41, 53)  # socket, socketpair
NAMESPACES = 0x7E020000
NAMELESS = 0x21  # a mapping that is shared and of no file: its pages stay when nobody has them in memory any more


def filter_calls() -> bool:
    """Refuse the calls above for good (seccomp); False where this processor's numbers are not known."""
    if platform.machine() != "x86_64":
        return False

    def line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("HBBI", code, if_true, if_false, value)

    load, equal, greater, bits, mask, answer = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
    allow, refuse, unknown, kill = 0x7FFF0000, 0x50000 | 1, 0x50000 | 38, 0x80000000
    program = [line(load, 4), line(equal, 0xC000003E, 1, 0), line(answer, kill), line(load, 0)]  # another architecture
    program += [line(greater, 0x40000000, 0, 1), line(answer, unknown)]  # the x32 door to the same calls
    program += [line(equal, 435, 0, 1), line(answer, unknown)]  # clone3: the C library falls back to clone
    program += [line(equal, 56, 0, 4), line(load, 16), line(bits, NAMESPACES, 0, 1), line(answer, refuse)]
    program += [line(answer, allow)]
    program += [line(equal, 9, 0, 5), line(load, 40), line(mask, NAMELESS), line(equal, NAMELESS, 0, 1)]  # mmap
    program += [line(answer, refuse), line(answer, allow)]
    choose = [line(equal, family, len(FAMILIES) - place) for place, family in enumerate(FAMILIES)]
    for number in SOCKETS:
        program += [line(equal, number, 0, len(choose) + 3), line(load, 16), *choose, line(answer, refuse)]
        program += [line(answer, allow)]
    for number in REFUSED.values():
        program += [line(equal, number, 0, 1), line(answer, refuse)]
    program += [line(answer, allow)]
    instructions = ctypes.create_string_buffer(b"".join(program))
    described = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(instructions))
    _checked(_c.prctl(SECCOMP, 2, ctypes.create_string_buffer(described), 0, 0), "seccomp")
    return True
