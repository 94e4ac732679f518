"""Right answers that look odd: each must keep all 14 points that a machine gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat

from corpus.submission import ALL, Secrets, Submission, Write, cells, code_cell, insert, written

__all__ = ["submissions"]

NUMPY = {
    "05.1": '''
import numpy as np
def limiting_ntk(x, depth, sigma_b):
    """Loops over pairs, in numpy."""
    points = np.asarray(x)
    theta = np.empty((len(points), len(points)))
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            aa, bb, ab = (u @ v / len(a) + sigma_b**2 for u, v in [(a, a), (b, b), (a, b)])
            total = ab
            for _ in range(1, depth):
                angle = np.arccos(np.clip(ab / np.sqrt(aa * bb), -1.0, 1.0))
                ab = np.sqrt(aa * bb) * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi) + sigma_b**2
                aa, bb = aa / 2 + sigma_b**2, bb / 2 + sigma_b**2
                total = total * (np.pi - angle) / (2 * np.pi) + ab
            theta[i, j] = total
    return theta
''',
    "05.4": '''
import numpy as np
def variance_slope(widths, samples):
    """Least squares of numpy."""
    return np.polyfit(np.log(np.asarray(widths)), np.log(np.asarray(samples).var(axis=1, ddof=1)), 1)[0]
''',
    "05.5": '''
import numpy as np
import ntk_teach as ntk
def layer_shares(x, depth, sigma_b):
    """One share after the other."""
    sigma = x @ x.T / x.shape[1] + sigma_b**2
    shares = np.zeros((depth, len(x), len(x)))
    shares[0] = sigma.numpy()
    for layer in range(1, depth):
        q = sigma.diagonal()
        sigma, slope = ntk.relu.dual(sigma, q[:, None], q[None, :])
        sigma = sigma + sigma_b**2
        shares[:layer] *= slope.numpy()
        shares[layer] = sigma.numpy()
    return shares
''',
}
NAMES = {
    "05.1": "limiting_ntk",
    "05.2": "network_ntk",
    "05.3": "output_ntk",
    "05.4": "variance_slope",
    "05.5": "layer_shares",
}


def honest(name: str, about: str, write: Write, status: str | None = "graded", **more: Any) -> Submission:
    return Submission(name, "honest", about, write, most=ALL, least=ALL, status=status, **more)


def extra(name: str, about: str, *texts: str, after: str = "given-setup", **more: Any) -> Submission:
    """Extra cells in a solved notebook."""
    return honest(name, about, cells(*texts, solved=True, after=after), **more)


def source(notebook: Any, task: str) -> str:
    return str(next(cell.source for cell in notebook.cells if cell.id == f"{task.replace('.', '-')}-answer"))


def around(before: str = "", after: str = "", only: tuple[str, ...] = tuple(NAMES)) -> Write:
    """The author's answers with text before and after; NAME stands for the function's name."""

    def make(room: Any) -> Any:
        solved = room.solved()
        given = {
            task: f"{before}\n{source(solved, task)}\n\n{after}".replace("NAME", NAMES[task]).strip("\n")
            for task in only
        }
        return room.answered(given, solved)

    return written(make)


def within(line: str) -> Write:
    """A line at the beginning of each function."""

    def make(room: Any) -> Any:
        solved = room.solved()
        mark = "    ### BEGIN SOLUTION"
        return room.answered(
            {task: source(solved, task).replace(mark, f"    {line}\n{mark}", 1) for task in NAMES}, solved
        )

    return written(make)


def result(change: str, only: tuple[str, ...] = tuple(NAMES)) -> Write:
    """``change`` of what the right function returns, named ``r``."""
    return around(
        after=f"import torch\nright_NAME = NAME\ndef NAME(*given):\n    r = right_NAME(*given)\n    return {change}",
        only=only,
    )


def saved(change: Any) -> Write:
    """A change of the saved file, as plain data."""

    def make(room: Any) -> Any:
        notebook = json.loads(json.dumps(room.solved()))
        return change(notebook) or notebook

    return written(make)


def stripped(notebook: Any) -> None:
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def without_ids(notebook: Any) -> None:
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        cell.pop("id")


def minor(number: int) -> Any:
    def change(notebook: Any) -> None:
        without_ids(notebook)
        notebook["nbformat_minor"] = number
        for cell in notebook["cells"]:
            cell["source"] = cell["source"].splitlines(keepends=True)

    return change


def version_three(room: Any) -> Any:
    return nbformat.v3.writes_json(nbformat.convert(nbformat.from_dict(room.solved()), 3))


def demonstrations_deleted(notebook: Any) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if "demonstration" not in cell["metadata"].get("tags", [])]


def texts_deleted(notebook: Any) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def reversed_tasks(notebook: Any) -> None:
    """The last task first; what each needs stays before it."""
    number = {cell["id"]: cell["id"][:4] for cell in notebook["cells"]}
    order = ["setu", *["05-5", "05-4", "05-3", "05-2", "05-1"]]

    def place(cell: Any) -> int:
        name = cell["id"].removeprefix("given-")
        start = name[:4] if name[:2] == "05" else number[cell["id"]]
        return order.index(start) if start in order else -1 if cell["cell_type"] == "markdown" else len(order)

    notebook["cells"].sort(key=place)


def editor(notebook: Any) -> None:
    """What other editors add."""
    notebook["metadata"].update(
        colab={"provenance": [], "toc_visible": True, "name": "Exercise"},
        accelerator="GPU",
        vscode={"interpreter": {"hash": "0" * 64}},
        language_info={"name": "python", "version": "3.12.1", "file_extension": ".py", "nbconvert_exporter": "python"},
        kernelspec={"display_name": "base (Python 3.12.1)", "language": "python", "name": "conda-base-py"},
    )
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"].update(
            id=f"AbC{number}", colab={"base_uri": "https://localhost/"}, outputId="x", vscode={"languageId": "python"},
            execution={"iopub.execute_input": "2026-01-01T00:00:00Z"}, jupyter={"source_hidden": False}, scrolled=True,
        )  # fmt: skip


def outputs_present(notebook: Any) -> None:
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
            cell["outputs"] = [
                {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
                {"output_type": "display_data", "data": {"text/html": "<b>x</b>", "text/plain": "x"}, "metadata": {}},
                {"output_type": "error", "ename": "ValueError", "evalue": "an old one", "traceback": ["\x1b[31mx"]},
            ]


def copied_cells(notebook: Any) -> None:
    for name in ("05-1", "05-3-answer", "given-05-2-by-hand", "given-setup"):
        at = next(number for number, cell in enumerate(notebook["cells"]) if cell["id"] == name)
        notebook["cells"].insert(at + 1, json.loads(json.dumps(notebook["cells"][at])))


def windows_lines(room: Any) -> bytes:
    text = json.dumps(room.solved(), indent=1).replace("\n", "\r\n").replace("\\n", "\\r\\n")
    return text.encode()


def split_answers(room: Any) -> Any:
    """The recursion's step in one cell, the loop over layers in the next."""
    step = """
def step(sigma, sigma_b):
    q = sigma.diagonal()
    dual = ntk.relu.dual(sigma, q[:, None], q[None, :])
    return dual.value + sigma_b**2, dual.slope
"""
    loop = """
def limiting_ntk(x, depth, sigma_b):
    theta = sigma = x @ x.T / x.shape[1] + sigma_b**2
    for _ in range(depth - 1):
        sigma, slope = step(sigma, sigma_b)
        theta = theta * slope + sigma
    return theta
"""
    notebook = room.answered({"05.1": step.strip()}, room.solved())
    return insert(notebook, code_cell(loop.strip()), after="05-1-answer")


def helper_of_an_earlier_answer(room: Any) -> Any:
    """The last answer calls what the first one defined."""
    first = """
def layers_of(x, depth, sigma_b):
    sigma = x @ x.T / x.shape[1] + sigma_b**2
    yield sigma, None
    for _ in range(depth - 1):
        q = sigma.diagonal()
        value, slope = ntk.relu.dual(sigma, q[:, None], q[None, :])
        sigma = value + sigma_b**2
        yield sigma, slope

def limiting_ntk(x, depth, sigma_b):
    theta = 0
    for sigma, slope in layers_of(x, depth, sigma_b):
        theta = sigma if slope is None else theta * slope + sigma
    return theta
"""
    last = """
def layer_shares(x, depth, sigma_b):
    shares = []
    for sigma, slope in layers_of(x, depth, sigma_b):
        shares = [share * slope for share in shares] + [sigma]
    return torch.stack(shares)
"""
    return room.answered({"05.1": first.strip(), "05.5": last.strip()}, room.solved())


def recursive(room: Any) -> Any:
    text = """
def both(x, depth, sigma_b):
    if depth == 1:
        sigma = x @ x.T / x.shape[1] + sigma_b**2
        return sigma, sigma
    sigma, theta = both(x, depth - 1, sigma_b)
    q = sigma.diagonal()
    value, slope = ntk.relu.dual(sigma, q[:, None], q[None, :])
    return value + sigma_b**2, theta * slope + value + sigma_b**2

limiting_ntk = lambda x, depth, sigma_b: both(x, depth, sigma_b)[1]
"""
    return room.answered({"05.1": text.strip()}, room.solved())


def slow(room: Any) -> Any:
    text = "import time\n" + NUMPY["05.4"].strip().replace(
        '    """Least squares of numpy."""',
        "    until = time.process_time() + 0.4\n    while time.process_time() < until:\n        sum(range(1000))",
    )
    return room.answered({"05.4": text}, room.solved())


def misplaced_extras(room: Any, folder: Path, secrets: Secrets) -> None:
    """A picture, a checkpoint and notes beside the notebook."""
    written(lambda room: room.solved())(room, folder, secrets)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / f"{folder.name}-checkpoint.ipynb").write_text(json.dumps(room.empty()))
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    (folder / "notes.txt").write_text("what I tried first")
    (folder / ".DS_Store").write_bytes(bytes(100))


def unwritten(notebook: Any) -> None:
    """The person's question is answered with formulas, lists and a table."""
    for cell in notebook["cells"]:
        if cell["id"] == "05-6":
            cell["source"] = "1. $\\Theta \\to \\Theta_\\infty$\n\n| a | b |\n|---|---|\n| < | & |\n\n`x < y`"


submissions = [
    honest(
        "warnings",
        "Warns on stderr and through the warnings module at every call.",
        within("import sys, warnings; warnings.warn('slow'); print('careful', file=sys.stderr)"),
    ),
    honest(
        "logging",
        "Logs at every call, with a handler of its own.",
        around(
            before="import logging\nlogging.basicConfig(level='DEBUG', force=True)\nlog = logging.getLogger('mine')",
            after="log.warning('defined')\nlogging.getLogger().handlers[0].flush()",
        ),
    ),
    honest(
        "warnings_are_errors",
        "Turns warnings into errors; its own functions warn of nothing.",
        around(before="import warnings\nwarnings.simplefilter('error')", only=("05.1", "05.5")),
    ),
    honest("prints", "Prints shapes and arrays in every function.", within("print('called', locals())")),
    honest(
        "displays",
        "Displays HTML and a progress line in every function.",
        within("from IPython.display import display, HTML; display(HTML('<b>called</b>')); print('.', end='\\r')"),
    ),
    extra(
        "extra_cells",
        "Extra cells of code and text among the others.",
        "a = 1\na",
        "def unused():\n    pass",
        after="05-2",
    ),
    extra("extra_cell_raises", "An extra cell that raises.", "1 / 0", after="05-1-answer"),
    extra("extra_cell_is_no_python", "An extra cell that is not Python.", "this is a note, not code", after="05-1"),
    extra("extra_cell_exits", "An extra cell that calls sys.exit and exit.", "import sys\nsys.exit(1)", after="05-3"),
    extra(
        "extra_cell_uses_the_library",
        "An extra cell that uses much of the library, which is not there at grading.",
        "theta = ntk.zoo.mlp(3).ntk(torch.eye(3))\nprint(ntk.empirical_ntk, theta)",
        "from ntk_teach import zoo, training\nfrom ntk_teach.gram import engine",
        after="05-1",
    ),
    extra(
        "extra_cell_checks_again",
        "Extra cells that call check again, with wrong things too.",
        'check("05.1", limiting_ntk)\ncheck("05.1", 3)',
        'check("05.9", limiting_ntk)',
        after="05-1",
    ),
    honest("float32", "Returns float32.", result("torch.as_tensor(r).float()")),
    honest(
        "numpy_loops",
        "Answers in numpy, with loops.",
        written(lambda room: room.answered({task: text.strip() for task, text in NUMPY.items()}, room.solved())),
    ),
    honest("nested_lists", "Returns lists of lists.", result("torch.as_tensor(r).tolist()")),
    honest("tuples", "Returns tuples of arrays.", result("tuple(r) if torch.is_tensor(r) and r.ndim else r")),
    honest(
        "requires_gradient",
        "Returns tensors that require a gradient.",
        result("torch.as_tensor(r).clone().requires_grad_()"),
    ),
    honest("one_axis_more", "Returns an axis of length one too many.", result("torch.as_tensor(r)[..., None]")),
    honest(
        "not_contiguous",
        "Returns views with strides, in another order of memory.",
        result("torch.stack([torch.as_tensor(r)] * 2, dim=-1)[..., 0].numpy().copy(order='F')"),
    ),
    honest(
        "negative_strides",
        "Returns views that run backwards.",
        result("torch.as_tensor(r).numpy()[::-1].copy()[::-1] if torch.as_tensor(r).ndim else r"),
    ),
    honest(
        "big_endian", "Returns arrays with bytes in another order.", result("torch.as_tensor(r).numpy().astype('>f8')")
    ),
    honest(
        "partial_functions",
        "The names stand for functools.partial objects.",
        around(
            after="import functools\ndef call(again, *given):\n    return again(*given)\n"
            "NAME = functools.partial(call, NAME)"
        ),
    ),
    honest(
        "callable_objects",
        "The names stand for objects with __call__.",
        around(
            after="class Answer:\n    def __init__(self, f):\n        self.f = f\n    def __call__(self, *given):\n"
            "        return self.f(*given)\nNAME = Answer(NAME)"
        ),
    ),
    honest(
        "methods",
        "The names stand for bound methods of a class.",
        around(
            after="class Kernel:\n    function = staticmethod(NAME)\n    def method(self, *given):\n"
            "        return self.function(*given)\nNAME = Kernel().method"
        ),
    ),
    honest(
        "decorated",
        "Functions with decorators of their own, a cache of calls and a timer.",
        around(
            after="import functools, time\ndef timed(f):\n    @functools.wraps(f)\n    def inner(*given, **named):\n"
            "        start = time.perf_counter()\n        try:\n            return f(*given, **named)\n"
            "        finally:\n"
            "            inner.took = time.perf_counter() - start\n    return inner\nNAME = timed(NAME)"
        ),
    ),
    honest(
        "without_gradients",
        "Functions under torch.no_grad and inference_mode.",
        around(after="NAME = torch.no_grad()(NAME)", only=("05.1", "05.2", "05.4", "05.5")),
    ),
    honest(
        "traced_by_torch",
        "A helper that torch traces.",
        around(
            before="import torch, warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n"
            "    outer = torch.jit.trace(lambda x: x @ x.T / x.shape[1], torch.ones(2, 3))",
            only=("05.1",),
        ),
    ),
    honest(
        "annotated",
        "Annotations, from the future, with names that are nowhere.",
        around(
            before="from __future__ import annotations\nimport torch\ndef helper(x: Nowhere) -> Unknown:\n    return x"
        ),
    ),
    honest(
        "asynchronous",
        "Runs asyncio inside every function.",
        around(
            after="""
import asyncio, threading
def _run(f, given, out):
    async def main():
        await asyncio.sleep(0)
        return f(*given)
    out.append(asyncio.run(main()))
right_NAME = NAME
def NAME(*given):
    out = []
    thread = threading.Thread(target=_run, args=(right_NAME, given, out))
    thread.start()
    thread.join()
    return out[0]
"""
        ),
    ),
    honest(
        "threads",
        "Starts threads in every function and joins them.",
        around(
            after="from concurrent.futures import ThreadPoolExecutor\nright_NAME = NAME\ndef NAME(*given):\n"
            "    with ThreadPoolExecutor(2) as pool:\n"
            "        return list(pool.map(lambda _: right_NAME(*given), range(2)))[0]"
        ),
    ),
    honest(
        "cached",
        "Keeps results of earlier calls, by their inputs.",
        around(
            after="known_NAME = {}\nright_NAME = NAME\ndef NAME(*given):\n    key = repr(given)\n"
            "    return known_NAME.setdefault(key, right_NAME(*given))"
        ),
    ),
    honest("recursive", "A lambda that calls a recursive function.", written(recursive)),
    honest(
        "shared_generator",
        "Answers that share a generator, defined in the first answer's cell.",
        written(helper_of_an_earlier_answer),
    ),
    honest("split_answers", "An answer in two cells.", written(split_answers), status=None),
    honest(
        "helpers_in_an_extra_cell",
        "Helpers in an extra cell before the answer.",
        written(
            lambda room: insert(
                room.answered({"05.1": source(room.solved(), "05.1").replace("ntk.relu.dual", "dual")}, room.solved()),
                code_cell(
                    "import ntk_teach as ntk\nfrom ntk_teach import relu\n"
                    "def dual(*given):\n    return relu.dual(*given)"
                ),
            )
        ),
    ),
    extra(
        "imports_again",
        "Imports the library again, in both ways, in an extra cell and the answers.",
        "import ntk_teach as ntk\nfrom ntk_teach import relu, data\nimport ntk_teach\n"
        "x, y = ntk.data.circle(8)\nprint(x.shape)",
    ),
    extra(
        "default_type_changed",
        "Sets torch's default type to float32.",
        "torch.set_default_dtype(torch.float32)",
        after="05-1-answer",
    ),
    extra(
        "generators_seeded_honestly",
        "Seeds all generators and draws from them.",
        "import random, numpy\nrandom.seed(1); numpy.random.seed(1); torch.manual_seed(1)\nprint(torch.rand(2))",
    ),
    extra(
        "threads_set",
        "Sets numbers of threads.",
        "torch.set_num_threads(2)\nprint(torch.rand(300, 300) @ torch.rand(300, 300))",
    ),
    extra(
        "plots",
        "Plots in the notebook.",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2], [3, 4])\nplt.title('α')\nplt.show()",
        "fig, ax = plt.subplots()\nax.imshow(torch.rand(20, 20))\nfig",
        after="05-1",
    ),
    extra(
        "magics",
        "Times, lists, looks up and measures.",
        "%timeit -n 2 -r 2 sum(range(10))",
        "!ls",
        "%%time\nsum(range(10))",
        "limiting_ntk?",
        "%pwd",
        "%who",
        "files = !echo a",
        "%env ABC=1",
        "%load_ext autoreload\n%autoreload 2",
        after="05-1-answer",
    ),
    extra(
        "installs", "Installs a package, which is refused without a network.", "%pip --version", "!true", after="05-2"
    ),
    extra("top_level_await", "Waits at the top level.", "import asyncio\nawait asyncio.sleep(0.01)"),
    extra("long_outputs", "Prints a thousand lines in an extra cell.", "for number in range(1000):\n    print(number)"),
    extra(
        "subprocesses",
        "Starts processes and waits for them.",
        "import subprocess, multiprocessing\nprint(subprocess.run(['true']).returncode)",
        after="05-2",
    ),
    extra(
        "writes_files",
        "Writes and reads files where it stands.",
        "import json, torch\njson.dump([1], open('mine.json', 'w'))\n"
        "torch.save(torch.ones(2), 'mine.pt')\nprint(open('mine.json').read())",
    ),
    extra(
        "greek_names", "Identifiers in Greek.", "θ, Σ̇_β = 1.0, 2.0\ndef Θ(x, β):\n    return x * β\nprint(Θ(θ, Σ̇_β))"
    ),
    extra(
        "names_shadowed",
        "Uses names of Python for other things, after its answers.",
        "list = [1]\nsum = 3\nmax = None\ninput = 2\nid = 5",
        after="05-5-answer",
    ),
    honest("stripped", "All metadata is lost.", saved(stripped), status=None),
    honest("cleared_ids", "All cell ids are lost.", saved(without_ids), status=None),
    honest("format_four_zero", "Saved in an old minor version, as lists of lines.", saved(minor(0)), status=None),
    honest("format_four_two", "Saved in another old minor version.", saved(minor(2)), status=None),
    honest("format_four_four", "Saved in the last version without ids.", saved(minor(4)), status=None),
    honest("format_three", "Saved in the version of 2013.", written(version_three), status=None),
    honest("other_order", "The last task first.", saved(reversed_tasks), status=None),
    honest("copied_cells", "Copies of cells, ids included.", saved(copied_cells), status=None),
    honest(
        "windows_lines", "Line ends of Windows, in the file and in the sources.", written(windows_lines), status=None
    ),
    honest("other_editors", "Saved by other editors, with their metadata and kernels.", saved(editor)),
    honest(
        "outputs_present",
        "Run before it was handed in; old outputs and errors are still there.",
        saved(outputs_present),
    ),
    honest("demonstrations_deleted", "Demonstrations are deleted.", saved(demonstrations_deleted), status=None),
    honest("texts_deleted", "All texts are deleted, the written answer too.", saved(texts_deleted), status=None),
    honest("written_with_formulas", "The written answer has formulas, a table and signs of HTML.", saved(unwritten)),
    honest(
        "pretty_printed",
        "Saved with indents and as lists of lines.",
        written(lambda room: nbformat.writes(room.solved())),
    ),
    honest(
        "escaped_letters",
        "Saved without a letter beyond ASCII.",
        written(lambda room: json.dumps(room.solved(), ensure_ascii=True)),
    ),
    honest(
        "plain_letters",
        "Saved with all letters as they are.",
        written(lambda room: json.dumps(room.solved(), ensure_ascii=False)),
    ),
    honest("slow", "Computes for half a second at each call.", written(slow)),
    honest("files_beside", "A checkpoint, a picture and notes beside the notebook.", misplaced_extras),
]
