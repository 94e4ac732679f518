"""What a process in a sandbox may ask of the kernel: to compute, to start others, to end."""

import os
import platform

import pytest
from boxes import opened, printed, said

from ntk_teach.grading.sandbox import system
from ntk_teach.grading.sandbox.fork import USERS

X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="calls are filtered by their numbers on x86_64")
CALL = """import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
def call(*words):
    ctypes.set_errno(0)
    result = library.syscall(*[ctypes.c_long(word) for word in words])
    return (result, ctypes.get_errno())
"""


def facts(box) -> dict[str, str]:
    lines = printed(box, "print(open('/proc/self/status').read())")
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_no_rights_are_left(box) -> None:
    """No capability, in no set; none to be gained by a program; not root, by any of its four numbers."""
    found = facts(box)
    assert {found[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
    assert found["NoNewPrivs"] == "1"
    assert len(set(found["Uid"].split())) == len(set(found["Gid"].split())) == 1
    assert found["Uid"].split()[0] not in ("0", str(os.getuid()))
    if os.getuid() == 0:
        assert set(found["Groups"].split()) <= set(found["Gid"].split())
    assert said(box, "import os\nos.setuid(0)").startswith(("PermissionError", "OSError"))


def test_no_two_submissions_are_the_same_user(warm) -> None:
    """The kernel counts processes by user: one submission that starts many shall not use up another's."""
    if warm.backend != "root":
        pytest.skip("the user is the same, in a namespace of users for each")
    users = []
    for _ in range(3):
        with opened(warm) as one:
            users.append(int(printed(one, "import os\nprint(os.getuid())")[0]))
    assert [(user - users[0]) % USERS for user in users] == [0, 1, 2]


@X86
def test_calls_are_filtered(box) -> None:
    """Each call on the list is refused as not permitted, before the kernel looks at its arguments."""
    assert facts(box)["Seccomp"] == "2"
    lines = printed(
        box, f"{CALL}\nfor name, number in {system.REFUSED!r}.items(): print(name, *call(number, -1, 0, 0, 0, 0))"
    )
    assert lines == [f"{name} -1 1" for name in system.REFUSED]


@X86
def test_memory_is_shared_by_way_of_files_alone(box) -> None:
    """Pages that are shared and of no file stay when no process has them any more: nobody could count them."""
    lines = printed(
        box,
        f"""{CALL}
import mmap, tempfile
for flags in (0x21, 0x23, 0x4021):
    print(*call(9, 0, 4096, 3, flags, -1, 0))
try:
    print(len(open("/dev/zero", "rb").read(1)))
except OSError:
    print(0)
print(call(9, 0, 4096, 3, 0x22, -1, 0)[1], len(mmap.mmap(-1, 4096, mmap.MAP_PRIVATE)))
with tempfile.TemporaryFile(dir="/dev/shm") as file:
    print(len(mmap.mmap(file.fileno(), file.truncate(4096))))
""",
    )
    assert lines[:3] == ["-1 1"] * 3
    assert lines[3] == "0"
    assert lines[4:] == ["0 4096", "4096"]


@X86
def test_no_namespace_can_be_made(box) -> None:
    """Not by clone with any of their flags; clone3 is not there, so the C library takes the watched one."""
    flags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
    source = f"{CALL}\nfor flag in {flags}: print(*call(56, flag | 17, 0, 0, 0, 0))\nprint(*call(435, 0, 0))"
    assert printed(box, source) == ["-1 1"] * len(flags) + ["-1 38"]


@X86
def test_the_other_door_to_the_calls_is_shut(box) -> None:
    """The numbers of the x32 interface lead to the same calls: there are none."""
    assert printed(box, f"{CALL}\nprint(*call(0x40000000 + 521, 0, 0))") == ["-1 38"]


@X86
def test_sockets_are_of_kinds_that_a_namespace_holds(box) -> None:
    """Unix, IP, netlink; a virtual machine's host, the kernel's ciphers, raw packets are no addresses."""
    source = """import socket
for family in range(46):
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
        print(family, end=" ")
    except PermissionError:
        pass
    except OSError:
        print(family, end=" ")
"""
    assert set(printed(box, source)[0].split()) <= {"1", "2", "10", "16"}


def test_limits_of_a_process_stand(box) -> None:
    """And cannot be raised. No dump of memory is written, nor given to a program of the machine."""
    lines = printed(
        box,
        """import resource
for name in ("CORE", "FSIZE", "NPROC", "NOFILE", "MSGQUEUE"):
    soft, hard = resource.getrlimit(getattr(resource, "RLIMIT_" + name))
    print(name, soft == hard, soft)
    try:
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (hard + 1, hard + 1))
        print("raised")
    except (ValueError, PermissionError):
        pass
""",
    )
    asked = box.limits
    assert lines == [
        "CORE True 1",
        f"FSIZE True {asked.file_size}",
        f"NPROC True {asked.processes}",
        "NOFILE True 256",
        "MSGQUEUE True 0",
    ]


def test_programs_with_the_owners_rights_gain_nothing(box) -> None:
    """su and its like run as the student: nothing that is shown is taken from a place where such a mark counts."""
    source = """import os
mounts = [line.split()[4] for line in open("/proc/self/mountinfo")]
print([mount for mount in mounts if os.path.exists(mount) and not os.statvfs(mount).f_flag & os.ST_NOSUID])
"""
    assert printed(box, source) == ["[]"]
