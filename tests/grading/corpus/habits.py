"""Ways of writing that teachers do not think of: all of them are right, and keep all their points."""

from __future__ import annotations

import copy
from typing import Any

from corpus.honest import NAMES, around, extra, honest, saved, source
from corpus.submission import Submission, code_cell, written

__all__ = ["submissions"]

CLASS = """
from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Callable

@dataclass
class Kernel:
    dual: Callable[[Tensor, Tensor, Tensor], Dual] = ntk.relu.dual
    _: KW_ONLY
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def __call__(self, x: Float[Tensor, "n d"], depth: int, sigma_b: float) -> Float[Tensor, "n n"]:
        self.seen.append(tuple(x.shape))
        match depth:
            case 1:
                return self.first(x, sigma_b)[1]
            case _:
                return self.step(x, depth, sigma_b)[1]

    def first(self, x, sigma_b):
        Σ = x @ x.T / x.shape[1] + sigma_b**2
        return Σ, Σ

    def step(self, x, depth, sigma_b):
        Σ, Θ = self.first(x, sigma_b)
        for _ in range(depth - 1):
            q = Σ.diagonal()
            if (pair := self.dual(Σ, q[:, None], q[None, :])) is not None:
                Σ = pair.value + sigma_b**2
            Θ = Θ * pair.slope + Σ
        return Σ, Θ

limiting_ntk = Kernel()
"""
SCRIPTED = """
@torch.jit.script
def variance_slope(widths: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
    spread = samples.var(dim=1).log()
    centered = widths.log() - widths.log().mean()
    return torch.dot(centered, spread) / torch.dot(centered, centered)
"""


def answered(**texts: str) -> Any:
    """Other right answers, by task: ``t051="…"`` for 05.1."""
    given = {f"{name[1:3]}.{name[3]}": text.strip("\n") for name, text in texts.items()}
    return written(lambda room: room.answered(given, room.solved()))


def each(*first: str) -> Any:
    """These lines in front of the answers, one of each in turn."""

    def make(room: Any) -> Any:
        solved = room.solved()
        given = {task: f"{first[n % len(first)]}\n{source(solved, task)}" for n, task in enumerate(NAMES)}
        return room.answered(given, solved)

    return written(make)


def with_tabs(notebook: Any) -> None:
    for cell in notebook["cells"]:
        if cell["id"].endswith("-answer"):
            cell["source"] = cell["source"].replace("    ", "\t")


def split_with_its_metadata(room: Any) -> Any:
    """As Jupyter splits a cell: both halves have the metadata, the second has an id of its own."""
    notebook = room.solved()
    made = []
    for cell in notebook.cells:
        if cell.id.endswith("-answer"):
            helper = copy.deepcopy(cell)
            helper.source = "def passed_on(value):\n    return value"
            made.append(helper)
            cell.id = f"half-{cell.id}"
            cell.source += "\n\npassed_on(1)"
        made.append(cell)
    notebook.cells = made
    return notebook


def cleaned_up(room: Any) -> Any:
    """A last cell that deletes what is no longer needed."""
    notebook = room.solved()
    notebook.cells.append(code_cell("if __name__ == '__main__':\n    del limiting_ntk, network_ntk\n%reset -f"))
    return notebook


submissions: list[Submission] = [
    honest(
        "a_data_class_is_the_answer",
        "An object of a data class with hints of names that are never imported, Greek names and a match.",
        answered(t051=CLASS),
    ),
    honest("scripted_by_torch", "A function compiled by torch.jit.script.", answered(t054=SCRIPTED)),
    honest("magics_before_answers", "Cells of answers that are timed or captured.", each("%%time", "%%capture")),
    honest("indented_by_tabs", "Answers indented by tabs.", saved(with_tabs)),
    honest(
        "split_with_its_metadata",
        "Each answer is split into two cells, both with its metadata.",
        written(split_with_its_metadata),
        status=None,
    ),
    honest("cleaned_up_at_the_end", "A last cell deletes the functions and all names.", written(cleaned_up)),
    honest(
        "in_inference_mode",
        "Wrapped by decorators that keep the name and take keywords too.",
        around(
            before="import functools, torch\ndef mode(function):\n    @functools.wraps(function)\n"
            "    def inner(*given, verbose=False, **more):\n        with torch.inference_mode():\n"
            "            return function(*given, **more)\n    return inner",
            after="NAME = mode(NAME)",
        ),
    ),
    extra(
        "everything_imported",
        "Imports all names of two packages, after the setup.",
        "from math import *\nfrom torch.nn.functional import *",
    ),
    extra(
        "asks_for_a_name",
        "An extra cell that asks its reader something.",
        "name = input('Your name? ')\nprint(name)",
    ),
    extra(
        "pools_and_loaders",
        "Pools of threads and processes, a loader with workers, a tensor in shared memory.",
        "import multiprocessing\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "pool = ThreadPoolExecutor(3)\nprint(list(pool.map(abs, [-1, 2])))\n"
        "with multiprocessing.get_context('fork').Pool(2) as workers:\n    print(workers.map(abs, [-1, -2]))",
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "shared = torch.zeros(3).share_memory_()\n"
        "print(len(list(DataLoader(TensorDataset(torch.zeros(8, 2)), num_workers=2))))",
        after="05-1-answer",
    ),
]
