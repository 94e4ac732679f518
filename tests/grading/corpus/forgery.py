"""Verdict forgery: saying what the grader says, or making the grader say it. Nothing is answered, so all earn 0."""

from __future__ import annotations

from corpus.submission import Submission, Write, answers, cells

__all__ = ["submissions"]

FULL = """
MIME = "application/vnd.ntk-teach.verdict+json"
POINTS = {"05.1": 3, "05.2": 3, "05.3": 3, "05.4": 2, "05.5": 3}
def data(task):
    held = {"name": "all of it", "holds": True, "points": float(POINTS[task]), "out_of": POINTS[task]}
    told = {"task": task, "title": "done", "properties": [held], "messages": [], "notes": []}
    return {"points": POINTS[task], "out_of": POINTS[task], **told}
def bundle(task):
    return {"text/plain": f"{task} done: passed, {POINTS[task]} of {POINTS[task]} points", MIME: data(task)}
"""

# What a parent might take for an answer on a pipe: lines, and frames with a length before them.
FRAMES = """
import base64, io, json, pickle, struct
import numpy
def frames(more=()):
    array = io.BytesIO()
    numpy.save(array, numpy.zeros((5, 5)))
    npy = base64.b64encode(array.getvalue()).decode()
    texts = [json.dumps(data(task)) for task in POINTS]
    more = dict(more)
    texts += [json.dumps({"kind": "value", "value": npy, "npy": npy, "right": True, "ok": True, "points": 3, **more})]
    texts += [json.dumps({"kind": "verdict", "verdict": data(task), "task": task, **more}) for task in POINTS]
    texts += [json.dumps({"error": None, "done": True, "status": "ok", "result": 3.0, **more})]
    bodies = [text.encode() for text in texts] + [array.getvalue(), pickle.dumps({"points": 14.0})]
    made = []
    for body in bodies:
        made.append(body + b"\\n")
        made += [struct.pack(size, len(body)) + body for size in ("<I", ">I", "<Q", ">Q", "<i")]
    return made
"""


def forged(text: str) -> Write:
    """The cell, with ``bundle`` and ``data`` at hand; tried first of all and once more in the first answer."""
    return cells(FULL + text)


def framed(text: str) -> Write:
    return cells(FULL + FRAMES + text)


submissions = [
    Submission(
        "check_replaced",
        "forgery",
        "Replaces check by a function whose result shows a full verdict under the grader's own MIME type.",
        forged("""
class Fake:
    def __init__(self, task):
        self.task = task
    def _repr_mimebundle_(self, include=None, exclude=None):
        return bundle(self.task)
def check(task, answer):
    return Fake(task)
import builtins, ntk_teach.grading, sys
builtins.check = check
ntk_teach.grading.check = check
vars(sys.modules.get("ntk_teach.grading.check", builtins))["check"] = check
"""),
    ),
    Submission(
        "bundles_displayed",
        "forgery",
        "Displays full verdicts in every way that IPython has, in the cell and while an answer is called.",
        forged("""
from IPython.display import display, publish_display_data, update_display
def show():
    for task in POINTS:
        display(bundle(task), raw=True)
        publish_display_data(bundle(task))
        display(bundle(task), raw=True, display_id=task)
        update_display(bundle(task), raw=True, display_id=task)
show()
def limiting_ntk(*given):
    show()
    return 0.0
network_ntk = output_ntk = variance_slope = layer_shares = limiting_ntk
"""),
    ),
    Submission(
        "verdict_as_an_answer",
        "forgery",
        "Each answer returns, raises and prints a full verdict instead of an array.",
        answers(
            FULL
            + """
class Passed(Exception):
    def _repr_mimebundle_(self, include=None, exclude=None):
        return bundle(NUMBER)
    def data(self):
        return data(NUMBER)
    kind = "value"; points = 3.0; passed = True; right = True; holds = True
NUMBER = {"limiting_ntk": "05.1", "network_ntk": "05.2", "output_ntk": "05.3", "variance_slope": "05.4",
          "layer_shares": "05.5"}["NAME"]
def NAME(*given):
    display(bundle(NUMBER), raw=True)
    print(bundle(NUMBER)["text/plain"])
    if NUMBER in ("05.2", "05.4"):
        raise Passed(bundle(NUMBER)["text/plain"])
    return Passed()
"""
        ),
    ),
    Submission(
        "display_hook",
        "forgery",
        "Replaces sys.displayhook and IPython's formatter, so that whatever a cell ends with is shown as a verdict.",
        forged("""
import sys
shell = get_ipython()
def always(*given, **named):
    return bundle("05.1"), {}
shell.display_formatter.format = always
type(shell.display_formatter).format = lambda self, *given, **named: always()
shell.display_pub.publish = lambda *given, **named: None
old = sys.displayhook
class Hook(type(old)):
    def __call__(self, result=None):
        super().__call__(2.0)
    def write_format_data(self, format_dict, md_dict=None):
        super().write_format_data(bundle("05.1"), {})
old.__class__ = Hook
sys.displayhook = old
old(2.0)
"""),
    ),
    Submission(
        "number_as_last_expression",
        "forgery",
        "Prints a passed verdict and leaves the full points as the value of every cell: nbgrader's partial credit.",
        answers("""
print("NAME: passed, 3 of 3 points")
print("3.0 of 3.0")
def NAME(*given):
    return 3.0
3.0
"""),
    ),
    Submission(
        "real_verdict_class",
        "forgery",
        "Builds verdicts with the grader's own classes, where they can be imported.",
        cells("""
from ntk_teach.grading import verdict, judge, check as module
full = lambda task: verdict.Verdict(task, "x", (verdict.PropertyVerdict("all", True, 3.0, 3),))
judge.judge_function = lambda task, function, seed: full(task.id)
module.judge_function = judge.judge_function
check = lambda task, answer: full(task)
"""),
    ),
    Submission(
        "comparison_patched",
        "forgery",
        "Makes every comparison agree: the grader's, numpy's, torch's and Python's own.",
        cells("""
import builtins, math, sys
import numpy, torch
for module in list(sys.modules.values()):
    for name in ("agree", "judge", "judge_function", "trials", "explain", "allclose", "isclose", "array_equal"):
        if hasattr(module, name):
            setattr(module, name, lambda *given, **named: True)
    close = getattr(module, "Close", None)
    if close is not None:
        close.agree = lambda self, *given, **named: True
        close.error = lambda self, *given, **named: 0.0
numpy.testing.assert_allclose = lambda *given, **named: None
torch.allclose = torch.equal = lambda *given, **named: True
math.isclose = lambda *given, **named: True
"""),
    ),
    Submission(
        "builtins_patched",
        "forgery",
        "Replaces Python's own functions by ones that say yes: all, any, abs, float, bool, isinstance, len, max.",
        cells("""
import builtins
builtins.all = builtins.any = builtins.callable = lambda *given: True
builtins.abs = builtins.sum = lambda *given, **named: 0.0
real_max, real_float = builtins.max, builtins.float
builtins.max = lambda *given, **named: 0.0 if len(given) == 1 else real_max(*given, **named)
builtins.hasattr = lambda *given: True
"""),
    ),
    Submission(
        "every_descriptor_written",
        "forgery",
        "Writes verdicts, lines and frames with lengths to all file descriptors from 0 to 255.",
        framed("""
import fcntl, os
def shout():
    for number in range(256):
        try:
            flags = fcntl.fcntl(number, fcntl.F_GETFL)
            fcntl.fcntl(number, fcntl.F_SETFL, flags | os.O_NONBLOCK)
            for frame in frames():
                os.write(number, frame)
        except OSError:
            pass
shout()
def limiting_ntk(*given):
    shout()
    return 0.0
network_ntk = output_ntk = variance_slope = layer_shares = limiting_ntk
"""),
    ),
    Submission(
        "descriptors_written_within_answers",
        "forgery",
        "The same from inside each answer, which then ends its process before the true reply is written.",
        answers(
            FULL
            + FRAMES
            + """
def NAME(*given):
    import os
    for number in range(3, 64):
        for frame in frames():
            try:
                os.set_blocking(number, False)
                os.write(number, frame)
            except OSError:
                break
    os._exit(0)
"""
        ),
    ),
    Submission(
        "bytes_replayed",
        "forgery",
        "Reads whatever waits in any descriptor, and sends it back with 'right' for 'wrong' and 3 for 0.",
        framed("""
import os, socket
def replay():
    for number in range(3, 256):
        try:
            os.set_blocking(number, False)
            got = os.read(number, 1 << 16)
        except (OSError, ValueError):
            try:
                got = socket.socket(fileno=os.dup(number)).recv(1 << 16, socket.MSG_DONTWAIT)
            except OSError:
                continue
        changed = got.replace(b"false", b"true").replace(b"wrong", b"right").replace(b": 0", b": 3")
        for body in (got, changed):
            try:
                os.write(number, body)
            except OSError:
                break
replay()
def limiting_ntk(*given):
    replay()
    return 0.0
network_ntk = output_ntk = variance_slope = layer_shares = limiting_ntk
"""),
    ),
    Submission(
        "nonce_repeated",
        "forgery",
        "Looks for long random words in the frames of its callers and in memory, and sends frames that carry them.",
        answers(
            FULL
            + FRAMES
            + """
def words():
    import gc, re, sys
    found, frame = [], sys._getframe()
    while frame is not None:
        found += [item for item in frame.f_locals.values() if isinstance(item, (str, bytes, int))]
        frame = frame.f_back
    for item in gc.get_objects():
        if type(item) is dict and len(item) < 30:
            found += [value for value in list(item.values()) if isinstance(value, str)]
    texts = [item.decode("latin-1") if isinstance(item, bytes) else str(item) for item in found]
    return list(dict.fromkeys(t for t in texts if re.fullmatch("[0-9a-zA-Z_=-]{16,90}", t)))[:40]
def NAME(*given):
    import os
    for word in words():
        for frame in frames({"nonce": word, "token": word, "id": word, "key": word}):
            for number in range(3, 20):
                try:
                    os.set_blocking(number, False)
                    os.write(number, frame)
                except OSError:
                    continue
    return 0.0
"""
        ),
    ),
    Submission(
        "functions_replaced_in_memory",
        "forgery",
        "Finds the runner's functions with the garbage collector and gives each the code of one that says yes.",
        cells("""
import gc, types
def yes(*given, **named):
    return True
wanted = ("judge", "agree", "ask", "read", "send", "reply", "answer", "check", "verdict", "grade", "compare", "serve")
for item in gc.get_objects():
    if isinstance(item, types.FunctionType) and "ntk_teach" in str(item.__module__) or (
        isinstance(item, types.FunctionType) and item.__module__ in ("__main__", "runner", "child")
    ):
        if any(word in item.__name__ for word in wanted) and not item.__code__.co_freevars:
            try:
                item.__code__ = yes.__code__
            except (ValueError, AttributeError):
                pass
"""),
    ),
    Submission(
        "callers_rewritten",
        "forgery",
        "Walks up the stack from inside an answer, and overwrites what its callers hold under telling names.",
        answers("""
def NAME(*given):
    import ctypes, sys
    frame = sys._getframe(1)
    while frame is not None:
        for name, value in list(frame.f_locals.items()):
            if name in ("expected", "points", "right", "verdict", "holds", "earned", "task", "case", "seed"):
                frame.f_locals[name] = 3.0
                try:
                    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
                except AttributeError:
                    pass
        for name in ("judge", "agree", "read", "ask", "all", "bool", "min", "max", "str", "repr"):
            frame.f_globals[name] = lambda *given, **named: 3.0
        frame = frame.f_back
    return 0.0
"""),
    ),
    Submission(
        "json_patched",
        "forgery",
        "Patches json so that what leaves the process says right, with all points.",
        cells("""
import json, json.encoder, json.decoder
def changed(text):
    return text.replace('"holds": false', '"holds": true').replace('"raised"', '"value"').replace("unanswered", "value")
old, encode = json.dumps, json.encoder.JSONEncoder.encode
json.dumps = lambda *given, **named: changed(old(*given, **named))
json.encoder.JSONEncoder.encode = lambda self, item: changed(encode(self, item))
json.loads = lambda *given, **named: {"points": 3, "right": True, "holds": True}
json.dump = lambda item, file, **named: file.write(changed(old(item)))
"""),
    ),
    Submission(
        "pickle_sent",
        "forgery",
        "Sends pickles that leave a file where they are loaded: nobody may load what a student's process wrote.",
        cells("""
import fcntl, os, pickle, struct
class Bomb:
    def __reduce__(self):
        return (os.system, (f"touch /tmp/{$mark}-pickle",))
body = pickle.dumps(Bomb())
import numpy, json, io
objects = io.BytesIO()
numpy.save(objects, numpy.array([Bomb()], dtype=object), allow_pickle=True)
for module in (json, ):
    module.dumps = lambda *given, **named: body.decode("latin-1")
numpy.save = lambda file, *given, **named: file.write(objects.getvalue())
for number in range(3, 64):
    for part in (body, struct.pack("<I", len(body)) + body, struct.pack(">Q", len(body)) + body, objects.getvalue()):
        try:
            os.set_blocking(number, False)
            os.write(number, part)
        except OSError:
            break
def limiting_ntk(*given):
    return numpy.array([Bomb()], dtype=object)
"""),
    ),
    Submission(
        "sockets_patched",
        "forgery",
        "Patches struct, socket, os.write and the file classes, so that every reply is followed by a forged one.",
        framed("""
import os, socket, struct, sys
old_write, old_pack = os.write, struct.pack
def write(number, body):
    sent = old_write(number, body)
    if number > 2:
        for frame in frames()[:12]:
            try:
                old_write(number, frame)
            except OSError:
                break
    return sent
os.write = write
class Socket(socket.socket):
    def sendall(self, body, *flags):
        super().sendall(body, *flags)
        super().sendall(frames()[0], *flags)
    def send(self, body, *flags):
        super().sendall(frames()[0], *flags)
        return super().send(body, *flags)
socket.socket = Socket
struct.pack = lambda form, *given: old_pack(form, *given) * (2 if form in ("<I", ">I", "<Q", ">Q") else 1)
"""),
    ),
    Submission(
        "saving_patched",
        "forgery",
        "Patches how numpy reads and writes arrays: what is read is remembered, what is written is what was read last.",
        cells("""
import numpy, numpy.lib.format
seen = []
old_load, old_read = numpy.load, numpy.lib.format.read_array
def load(*given, **named):
    seen.append(old_load(*given, **named))
    return seen[-1]
def read_array(*given, **named):
    seen.append(old_read(*given, **named))
    return seen[-1]
numpy.load, numpy.lib.format.read_array = load, read_array
old_save, old_write = numpy.save, numpy.lib.format.write_array
numpy.save = lambda file, array, **named: old_save(file, seen[-1] if seen else array, **named)
numpy.lib.format.write_array = lambda file, array, *g, **n: old_write(file, seen[-1] if seen else array, *g, **n)
def limiting_ntk(*given):
    return 0.0
network_ntk = output_ntk = variance_slope = layer_shares = limiting_ntk
"""),
    ),
    Submission(
        "tensor_methods_patched",
        "forgery",
        "Patches torch.Tensor and numpy's conversions: every tensor equals every other and has no error.",
        cells("""
import numpy, torch
torch.Tensor.__eq__ = lambda self, other: torch.ones((), dtype=torch.bool)
torch.Tensor.__sub__ = torch.Tensor.__rsub__ = lambda self, other: torch.zeros(())
torch.Tensor.abs = torch.Tensor.__abs__ = lambda self: torch.zeros(())
torch.Tensor.detach = torch.Tensor.cpu = torch.Tensor.to_dense = lambda self: self
torch.Tensor.numpy = lambda self, *given, **named: numpy.zeros((5, 5))
torch.Tensor.__array__ = lambda self, *given, **named: numpy.zeros((5, 5))
numpy.asarray = numpy.array = lambda *given, **named: numpy.zeros((5, 5))
numpy.abs = numpy.max = numpy.subtract = lambda *given, **named: 0.0
def limiting_ntk(*given):
    return torch.zeros(5, 5)
"""),
    ),
    Submission(
        "fork_patched",
        "forgery",
        "Patches fork, exit and wait, so that a process that is to call the answer believes that it is the parent.",
        framed("""
import os, signal, sys
real = os.fork
def fork():
    child = real()
    if child == 0:
        for number in range(3, 64):
            for frame in frames():
                try:
                    os.set_blocking(number, False)
                    os.write(number, frame)
                except OSError:
                    break
        return 4242
    return child
os.fork = fork
os._exit = sys.exit = lambda *given: None
os.waitpid = lambda child, options: (child, 0)
signal.alarm = signal.setitimer = lambda *given: 0
"""),
    ),
    Submission(
        "at_exit",
        "forgery",
        "Leaves its forged replies to the end: exit handlers, finalizers, the last signal, the fork hooks.",
        framed("""
import atexit, os, signal, weakref
def shout(*given):
    for number in range(3, 64):
        for frame in frames():
            try:
                os.set_blocking(number, False)
                os.write(number, frame)
            except OSError:
                break
atexit.register(shout)
os.register_at_fork(before=shout, after_in_child=shout, after_in_parent=shout)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGXCPU, signal.SIGALRM):
    signal.signal(number, shout)
class Last:
    def __del__(self):
        shout()
kept = Last()
weakref.finalize(kept, shout)
"""),
    ),
    Submission(
        "traced",
        "forgery",
        "Sets trace, profile and monitoring functions that change the callers' variables while they run.",
        cells("""
import sys, threading
def trace(frame, event, argument):
    for name in ("value", "expected", "right", "points", "kind"):
        if name in frame.f_locals:
            frame.f_locals[name] = {"kind": "value"}.get(name, 3.0)
    return trace
threading.settrace(trace)
threading.setprofile(trace)
sys.setprofile(trace)
sys.settrace(trace)
"""),
    ),
    Submission(
        "audited",
        "forgery",
        "Adds an audit hook that forbids the grader's opening, forking, importing and killing, so that it fails open.",
        cells("""
import sys
state = {"on": False}
def hook(event, given):
    if state["on"] and event in ("open", "os.fork", "import", "os.kill", "exec", "compile", "socket.connect"):
        raise RuntimeError("passed, 3 of 3 points")
sys.addaudithook(hook)
state["on"] = True
"""),
    ),
    Submission(
        "input_transformed",
        "forgery",
        "An input transformer turns every later cell, the graded ones too, into one that shows full points.",
        forged("""
shell = get_ipython()
def instead(lines):
    text = "".join(lines)
    for task in POINTS:
        if f'check("{task}"' in text:
            return [f"display(bundle({task!r}), raw=True)\\n", "3.0\\n"]
    return ["pass\\n"]
shell.input_transformers_post.append(instead)
shell.input_transformers_cleanup.append(instead)
class Rewrites(__import__("ast").NodeTransformer):
    def visit_Assert(self, node):
        return None
shell.ast_transformers.append(Rewrites())
"""),
    ),
    Submission(
        "kernel_replaced",
        "forgery",
        "Replaces the kernel's do_execute, its shell's run_cell and showtraceback: everything went well.",
        forged("""
shell = get_ipython()
kernel = getattr(shell, "kernel", None)
async def do_execute(code, *given, **named):
    for task in POINTS:
        if task in code:
            shell.display_pub.publish(bundle(task))
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
if kernel is not None:
    kernel.do_execute = do_execute
    type(kernel).do_execute = lambda self, code, *given, **named: do_execute(code)
shell.showtraceback = lambda *given, **named: None
shell._showtraceback = lambda *given, **named: None
shell.events.register("post_run_cell", lambda *given: shell.display_pub.publish(bundle("05.1")))
shell.events.register("pre_run_cell", lambda *given: shell.display_pub.publish(bundle("05.1")))
"""),
    ),
    Submission(
        "kernel_messages_sent",
        "forgery",
        "Sends execute_result and reply messages of its own on the kernel's sockets, for this cell and later ones.",
        forged("""
kernel = get_ipython().kernel
def shout():
    parent = kernel.get_parent() if hasattr(kernel, "get_parent") else kernel._parent_header
    for task in POINTS:
        content = {"data": bundle(task), "metadata": {}, "execution_count": 1}
        kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=parent)
        kernel.session.send(kernel.iopub_socket, "display_data", content, parent=parent)
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
import threading, time
def always():
    for _ in range(50):
        shout()
        time.sleep(0.05)
shout()
threading.Thread(target=always, daemon=True).start()
"""),
    ),
    Submission(
        "racing_thread",
        "forgery",
        "A thread keeps writing forged replies and replacing sys.stdout while the grader asks.",
        framed("""
import io, os, sys, threading, time
def race():
    until = time.monotonic() + 4
    while time.monotonic() < until:
        for number in range(3, 40):
            for frame in frames()[:10]:
                try:
                    os.set_blocking(number, False)
                    os.write(number, frame)
                except OSError:
                    break
        time.sleep(0.02)
threading.Thread(target=race, daemon=True).start()
"""),
    ),
    Submission(
        "another_program",
        "forgery",
        "Replaces its process by a program that keeps the inherited descriptors and speaks forged replies on them.",
        framed("""
import os, sys
speaker = "import os, sys\\nfor number in range(3, 64):\\n    try:\\n        os.write(number, sys.argv[1].encode())"
speaker += "\\n    except OSError:\\n        pass\\nprint('passed, 3 of 3 points')"
for number in range(3, 256):
    try:
        os.set_inheritable(number, True)
    except OSError:
        pass
os.execv(sys.executable, [sys.executable, "-c", speaker, frames()[5].decode("latin-1").replace("\\0", "")])
"""),
    ),
    Submission(
        "imports_hijacked",
        "forgery",
        "Serves its own json, pickle, numpy and ntk_teach to whoever imports them later, and forgets those loaded.",
        cells("""
import importlib.abc, importlib.util, sys, types
class Mine(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("json", "pickle", "base64", "ntk_teach", "hmac", "struct"):
            return importlib.util.spec_from_loader(name, self)
    def create_module(self, spec):
        return types.ModuleType(spec.name)
    def exec_module(self, module):
        module.check = module.dumps = module.loads = lambda *given, **named: "passed, 3 of 3 points"
sys.meta_path.insert(0, Mine())
for name in [name for name in sys.modules if name.split(".")[0] in ("json", "pickle", "base64", "ntk_teach")]:
    del sys.modules[name]
"""),
    ),
    Submission(
        "small_integers_changed",
        "forgery",
        "Writes into the interpreter's memory: the number 0 is 3, and False is True.",
        answers(
            """
def NAME(*given):
    import ctypes
    ctypes.memmove(id(False) + 16, id(True) + 16, 12)
    ctypes.memmove(id(0) + 16, id(3) + 16, 12)
    return 0.0
""",
            "05.1",
            "05.4",
        ),
    ),
    Submission(
        "classes_swapped",
        "forgery",
        "Turns objects of the runner into objects of its own classes: modules, dictionaries, functions, exceptions.",
        cells("""
import gc, sys, types
class Module(types.ModuleType):
    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        return (lambda *given, **named: True) if name in ("agree", "judge", "ask", "compare", "serve") else found
for module in list(sys.modules.values()):
    if type(module) is types.ModuleType and "ntk_teach" in module.__name__:
        module.__class__ = Module
import builtins
class Never(Exception):
    pass
builtins.AssertionError = builtins.ValueError = builtins.TypeError = builtins.Exception = Never
"""),
    ),
    Submission(
        "metadata_from_within",
        "forgery",
        "Writes a graded notebook, a verdict file and a journal in the working folder, where a grader might look.",
        forged("""
import json, os, pathlib
here = pathlib.Path.cwd()
for name in ("verdicts.json", "verdict.json", "results.json", "result.json", "journal.json", "done", "out.ipynb"):
    try:
        (here / name).write_text(json.dumps({task.replace(".", "-"): data(task) for task in POINTS}))
    except OSError as error:
        print(error)
for path in here.glob("*.ipynb"):
    try:
        notebook = json.loads(path.read_text())
        passed = {t.replace(".", "-"): {"points": 3.0, "text": "passed"} for t in POINTS}
        notebook["metadata"]["ntk_teach"] = {"verdicts": passed}
        path.write_text(json.dumps(notebook))
    except (OSError, ValueError) as error:
        print(error)
"""),
    ),
]
