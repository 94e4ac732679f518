"""What a sandbox sees of the machine, of the course and of the network: Python, and nothing else."""

import os
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from boxes import opened, printed

import ntk_teach

REPOSITORY = Path(ntk_teach.__file__).parents[1]


def test_nothing_of_the_graders_secrets_can_be_found(box, planted) -> None:
    """Neither in the environment, nor in files, nor in what /proc tells of any process."""
    found = printed(
        box,
        f"""import glob, os
for path in {planted.paths!r}:
    print(path, os.path.lexists(path))
print({planted.variable!r} in os.environ)
for name in ("environ", "cmdline", "mountinfo", "cgroup", "status"):
    for path in glob.glob(f"/proc/[0-9]*/{{name}}"):
        try:
            print(path, open(path, "rb").read())
        except OSError as error:
            print(path, error)
""",
    )
    text = "\n".join(found)
    assert "cut here" not in text
    assert "/environ b'" in text
    assert planted.word not in text
    assert "True" not in text
    assert planted.variable not in text


def test_the_memory_of_process_one_is_closed(box) -> None:
    """What a submission wrote there would run outside of its count. bubblewrap's own is counted, and stays open."""
    source = """import os
print(open("/proc/1/comm").read().strip())
for path in ("/proc/1/mem", "/proc/self/mem"):
    try:
        os.close(os.open(path, os.O_RDWR))
        print("open")
    except OSError as error:
        print("closed")"""
    assert printed(box, source) in (["ntk-first", "closed", "open"], ["bwrap", "open", "open"])


def test_the_library_and_the_exercises_are_not_there(box) -> None:
    """No file of the repository but, where an interpreter starts inside, those of the sandbox itself."""
    names = ["README.md", ".git", "exercises", "tests", "book", "ntk_teach/kernel.py", "ntk_teach/grading/tasks"]
    source = f"import os\nprint([n for n in {names!r} if os.path.lexists(os.path.join({str(REPOSITORY)!r}, n))])"
    assert printed(box, source) == ["[]"]
    code = "import sys, ntk_teach\nprint(*[name for name in sys.modules if name.startswith('ntk_teach')])"
    assert set(printed(box, code)[0].split()) <= {"ntk_teach", "ntk_teach.kernel"}  # the provided ones


def test_the_top_of_the_tree_is_a_short_list(box) -> None:
    """No home folders, no /var, no /sys; of /etc three things."""
    top, etc, dev = (
        line.split() for line in printed(box, "import os\nfor d in ('/', '/etc', '/dev'): print(*os.listdir(d))")
    )
    above = {Path(path).parts[1] for path in (os.path.realpath(os.sys.executable), os.sys.prefix, str(REPOSITORY))}
    assert set(top) <= {"usr", "bin", "lib", "lib64", "etc", "dev", "proc", "tmp", "student"} | above
    assert set(etc) <= {"passwd", "ld.so.cache", "localtime", "alternatives"}
    plain = {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr", "shm"}
    assert set(dev) <= plain | {"tty", "pts", "ptmx", "core"}  # bubblewrap's: a terminal of its own, not the machine's


def test_only_its_own_processes_are_shown(box) -> None:
    """Process 1 is the sandbox's, and the grader's number means nobody or somebody of its own."""
    lines = printed(box, "import os\nprint(os.getpid(), *[n for n in os.listdir('/proc') if n.isdigit()])")
    own, *shown = map(int, lines[0].split())
    assert set(shown) == {1, own}
    assert own < 10


def test_nothing_outside_its_own_folders_can_be_written(box) -> None:
    """In no folder that can be seen a file can be made; devices and switches of the machine keep what they are."""
    lines = printed(
        box,
        """import os
own = ("/tmp", "/student", "/dev/shm", "/proc")
seen = {line.split()[4] for line in open("/proc/self/mountinfo")}
for folder, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.path.join(folder, f) not in own and folder.count("/") < 4]
    seen.add(folder)
for folder in seen - set(own):
    try:
        os.close(os.open(os.path.join(folder, "made"), os.O_CREAT | os.O_WRONLY))
        print("made", folder)
    except OSError:
        pass
for path in ("/dev/null", "/dev/zero", "/usr", "/usr/bin/env", "/"):
    try:
        os.chmod(path, os.stat(path).st_mode)
        print("chmod", path)
    except OSError:
        pass
for name in ("kernel/core_pattern", "kernel/hostname", "kernel/modprobe", "kernel/sysrq", "vm/drop_caches"):
    if os.access("/proc/sys/" + name, os.W_OK):
        print("switch", name)
print("sysrq", os.access("/proc/sysrq-trigger", os.W_OK))
""",
    )
    assert lines == ["sysrq False"]


def test_its_own_folders_can_be_written(box) -> None:
    """A home, temporary files, shared memory; what is printed to /dev/null is gone."""
    source = """import multiprocessing, os, tempfile
with tempfile.TemporaryFile() as file: file.write(b"1")
with open("notes.txt", "w") as file: file.write("2")
print(os.getcwd(), os.path.expanduser("~"), open(os.path.expanduser("~/notes.txt")).read())
lock = multiprocessing.Lock()
with open("/dev/null", "w") as file: file.write("3")
os.remove("notes.txt")
"""
    assert printed(box, source) == ["/student /student 2"]


def test_no_connection_leaves_it(box, tmp_path) -> None:
    """Neither to the grader's own machine, by number, path or abstract name, nor beyond; no name is resolved."""
    path, abstract = str(tmp_path / "ear"), f"\0ntk-{os.getpid()}"
    with ExitStack() as stack:
        one, every = (stack.enter_context(socket.create_server((host, 0))) for host in ("127.0.0.1", ""))
        ears = [one, every]
        for address in (path, abstract):
            ears.append(stack.enter_context(socket.socket(socket.AF_UNIX)))
            ears[-1].bind(address)
            ears[-1].listen()
        tries = [
            (2, ("127.0.0.1", one.getsockname()[1])),
            (2, ("127.0.0.1", every.getsockname()[1])),
            (2, ("192.0.2.1", 80)),
            (10, ("::1", every.getsockname()[1])),
            (1, path),
            (1, abstract),
            (40, (2, 1024)),  # the host of a virtual machine
            (40, (1, 1024)),
        ]
        source = f"""import socket
for family, address in {tries!r}:
    try:
        with socket.socket(family) as one:
            one.settimeout(3)
            one.connect(address)
        print("connected", address)
    except OSError:
        pass
try:
    print(socket.getaddrinfo("example.com", 80))
except OSError:
    print("no names")
"""
        assert printed(box, source) == ["no names"]
        for ear in ears:
            ear.setblocking(False)
            with pytest.raises(BlockingIOError):  # nobody has knocked
                ear.accept()


def test_namespaces_are_not_the_graders(box) -> None:
    """Files, processes, network, names and shared memory; for an ordinary user the users as well."""
    kinds = ["mnt", "pid", "net", "ipc", "uts"] + ([] if os.getuid() == 0 else ["user"])
    links = printed(box, f"import os\nfor kind in {kinds!r}: print(os.readlink('/proc/self/ns/' + kind))")
    for kind, link in zip(kinds, links, strict=True):
        assert link.startswith(kind)
        assert link != os.readlink(f"/proc/self/ns/{kind}")


def test_two_sandboxes_at_a_time_do_not_meet(warm) -> None:
    """Not by a file, a shared memory, an abstract name, a signal or a trace; each has a user of its own from root."""
    with opened(warm) as one, opened(warm) as other:
        made = """import os, socket
open("/tmp/mine", "w").close(), open("/dev/shm/mine", "w").close()
ear = socket.socket(socket.AF_UNIX)
ear.bind("\\0mine")
ear.listen()
print(os.getuid(), os.getpid(), os.readlink("/proc/self/ns/pid"))
"""
        user, pid, namespace = printed(one, made)[0].split()
        tried = """import os, socket
print(os.getuid(), os.path.exists("/tmp/mine"), os.path.exists("/dev/shm/mine"), os.readlink("/proc/self/ns/pid"))
try:
    socket.socket(socket.AF_UNIX).connect("\\0mine")
except OSError as error:
    print(error.errno)
"""
        lines = printed(other, tried)
        found = lines[0].split()
        assert found[1:3] == ["False", "False"]
        assert found[3] != namespace
        assert lines[1] == "111"  # refused: there is nobody
        if warm.backend == "root":
            assert found[0] != user
        signal = """import os
found = []
for pid in range(1, 40000):
    try:
        os.kill(pid, 0)
        found.append(pid)
    except ProcessLookupError:
        pass
print(*found)
"""
        # Every number there is: only its own two are processes.
        told = printed(other, signal)
        assert told == [f"1 {pid}"]


@pytest.mark.skipif(not Path("/tmp").samefile(tempfile.gettempdir()), reason="temporary files are elsewhere")
def test_the_graders_temporary_files_are_not_its_own(box) -> None:
    """/tmp begins empty."""
    assert printed(box, "import os\nprint([n for n in os.listdir('/tmp') if 'ntk' in n or 'pytest' in n])") == ["[]"]
