"""The engine behind ``arch.ntk`` and ``arch.nngp``: tiles, symmetry, memory, devices and workers; no mathematics."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ntk_teach.device import device as best_device
from ntk_teach.errors import DomainError, check_count, sentence
from ntk_teach.gram.blocks import Block, panels_of, tiles_of
from ntk_teach.gram.builder import plan_of
from ntk_teach.gram.executors import Executor, Pending
from ntk_teach.gram.plan import Plan
from ntk_teach.gram.store import Destination, Output, destination, fingerprint
from ntk_teach.inputs import Inputs
from ntk_teach.layers import Layer

__all__ = ["Progress", "gram"]

Progress = Callable[[int, int], None]

PARCEL = 4096  # columns of what one task of an executor computes
WAITING = 16  # tasks that an executor may hold at a time: with their results they are what memory must hold


def gram(
    layers: Sequence[Layer],
    x1: Inputs,
    x2: Inputs | None = None,
    *,
    wanted: tuple[str, ...] = ("nngp", "ntk"),
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    out: Sequence[Output | None] | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
    tile: int | None = None,
) -> list[Tensor]:
    """The kernels named in ``wanted``, each [n, m]; the arguments are described at ``Architecture.ntk``."""
    home, dtype = x1.device, dtype or x1.dtype
    if dtype not in (torch.float32, torch.float64):
        do = "pass dtype=torch.float64 or torch.float32"
        raise DomainError(sentence("gram, dtype", "float64 or float32", str(dtype), do))
    if x2 is x1:
        x2 = None
    device = home if device is None else _usable(device)
    tile = None if tile is None else check_count(tile, name="tile", where="gram")
    shape = (len(x1), len(x1 if x2 is None else x2))
    with torch.no_grad():
        moved = [None if x is None else x.to(device=device, dtype=dtype) for x in (x1, x2)]
        assert moved[0] is not None
        plan = plan_of(layers, moved[0], moved[1])
        step = plan.height if tile is None else tile
        outs = [None] * len(wanted) if out is None else list(out)
        # What determines the values: the inputs, the layers, and through the diagonal also functions of one name.
        value = fingerprint(*moved, layers, dtype, step, plan.signature()) if any(map(_is_file, outs)) else ""
        places = [
            destination(place, shape, dtype, home, fingerprint(value, name))
            for place, name in zip(outs, wanted, strict=True)
        ]
        panels = panels_of(shape, step, symmetric=x2 is None, columns=PARCEL if executor else step)
        done = set.intersection(*(place.finished() for place in places))
        panels = [[block for block in panel if block.panel not in done] for panel in panels]
        run = _Run(plan, places, wanted, step, x2 is None, [panel for panel in panels if panel], progress)
        if executor is not None:
            run.by_executor(executor)
        elif device.type == "cpu" and torch.get_num_threads() > 1 and run.total > 1:
            run.by_threads(torch.get_num_threads())
        else:
            run.alone()
    return [place.matrix for place in places]


def _usable(device: torch.device | str) -> torch.device:
    """The device, if something can be put there."""
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as fault:
        said = str(fault).partition("\n")[0]
        do = f"choose ntk.device(), which is {best_device()} here"
        raise DomainError(sentence("gram, device", "a device of this machine", f"{device} ({said})", do)) from None


def _is_file(out: object) -> bool:
    return out is not None and not isinstance(out, Tensor | np.ndarray)


class _Run:
    """One computation: which blocks are left, who computes them, where they go."""

    def __init__(
        self,
        plan: Plan,
        places: list[Destination],
        wanted: tuple[str, ...],
        step: int,
        symmetric: bool,
        panels: list[list[Block]],
        progress: Progress | None,
    ) -> None:
        self.plan, self.places, self.wanted, self.step, self.symmetric = plan, places, wanted, step, symmetric
        self.blocks = [block for panel in panels for block in panel]
        self.left = {panel[0].panel: len(panel) for panel in panels}
        self.total, self.done, self.progress = len(self.blocks), 0, progress
        self.lock = threading.Lock()

    def alone(self) -> None:
        """One block after the other in this thread."""
        buffers = _buffers(self.plan, self.step)
        for block in self.blocks:
            self._compute(block, buffers)
            self._report()

    def by_threads(self, count: int) -> None:
        """Blocks by ``count`` threads, each with one thread for its own matrix products."""
        waiting, faults = iter(self.blocks), []
        stop = threading.Event()

        def work() -> None:
            torch.set_num_threads(1)  # of this thread only
            try:
                with torch.no_grad():
                    buffers = _buffers(self.plan, self.step)
                    while not stop.is_set():
                        with self.lock:
                            block = next(waiting, None)
                        if block is None:
                            return
                        self._compute(block, buffers)
            except BaseException as fault:
                faults.append(fault)
                stop.set()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(count, self.total))]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2 if self.progress else None)
                    self._report()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        if faults:
            raise faults[0]

    def by_executor(self, executor: Executor) -> None:
        """Blocks by the workers of an executor; results are written here, as they come."""
        pending: deque[tuple[Block, Pending]] = deque()
        for block in self.blocks:
            if len(pending) >= WAITING:
                self._receive(*pending.popleft())
            part = self.plan.sliced(block.rows, block.columns)
            same = self.symmetric and not block.mirrored
            # distributed wants large arguments handed to its workers, not packed into the task.
            handed = executor.scatter(part) if hasattr(executor, "scatter") else part
            pending.append((block, executor.submit(parcel, handed, self.wanted, self.step, same)))
        while pending:
            self._receive(*pending.popleft())

    def _receive(self, block: Block, pending: Pending) -> None:
        self._write(block, [torch.from_numpy(array) for array in pending.result()])
        self._report()

    def _compute(self, block: Block, buffers: Tensor) -> None:
        self._write(block, _values(self.plan, block.rows, block.columns, buffers, self.wanted))

    def _write(self, block: Block, values: list[Tensor]) -> None:
        for place, value in zip(self.places, values, strict=True):
            place.write(block.rows, block.columns, value, block.mirrored)
        with self.lock:
            self.done += 1
            self.left[block.panel] -= 1
            if not self.left[block.panel]:
                for place in self.places:
                    place.finish(block.panel)

    def _report(self) -> None:
        if self.progress is not None:
            self.progress(self.done, self.total)


def _buffers(plan: Plan, step: int) -> Tensor:
    """Room for the two kernels of a tile and three intermediate results."""
    size = min(step, len(plan.x1)) * min(step, len(plan.x2))
    return torch.empty(5, size, dtype=plan.x1.dtype, device=plan.x1.device)


def _values(plan: Plan, rows: slice, columns: slice, buffers: Tensor, wanted: tuple[str, ...]) -> list[Tensor]:
    height, width = rows.stop - rows.start, columns.stop - columns.start
    room = buffers[:, : height * width].view(len(buffers), height, width)
    nngp, ntk = plan.tile(rows, columns, list(room.unbind()), "ntk" in wanted)
    found = {"nngp": nngp, "ntk": ntk}
    return [value for name in wanted if (value := found[name]) is not None]


def parcel(plan: Plan, wanted: tuple[str, ...], step: int, symmetric: bool) -> list[npt.NDArray[np.floating]]:
    """All pairs of a plan that was cut to its block: what a worker does, wherever it runs."""
    shape = (len(plan.x1), len(plan.x2))
    places = [Destination(torch.empty(shape, dtype=plan.x1.dtype)) for _ in wanted]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            buffers = _buffers(plan, step)
            for rows, columns in tiles_of(*shape, step, symmetric):
                values = _values(plan, rows, columns, buffers, wanted)
                for place, value in zip(places, values, strict=True):
                    place.write(rows, columns, value, mirrored=symmetric and rows != columns)
    finally:
        torch.set_num_threads(before)
    return [place.matrix.numpy() for place in places]
