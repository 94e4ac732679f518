"""IPython without a kernel: it runs cells and keeps what they print, show and raise, as a notebook's outputs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import tempfile
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from ntk_teach.grading.sandbox.limits import Limits

__all__ = ["Shell", "make"]

Output = dict[str, Any]
SHOWN = ("text/plain", "image/png")
LINE, FRAMES = 4000, 20  # of an error: characters of a text, and parts of a traceback, the last ones


class Shown(DisplayPublisher):
    """What a cell displays."""

    def publish(self, data: dict[str, Any], *unused: object, **more: object) -> None:
        make().keep({"output_type": "display_data", "data": data, "metadata": {}})

    def clear_output(self, wait: bool = False) -> None:
        make().outputs.clear()


class Result(DisplayHook):
    """The value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: object = None) -> None:
        count = make().cells
        make().keep({"output_type": "execute_result", "data": format_dict, "metadata": {}, "execution_count": count})

    def finish_displayhook(self) -> None:
        pass


class Shell(InteractiveShell):
    """One a process. ``open`` before the first cell; ``run`` gives the outputs of a cell."""

    def open(self, limits: Limits) -> None:
        """Both standard streams go to files without a name, read after each cell: programs that a cell starts, too."""
        self.limits, self.outputs, self.used, self.cells = limits, list[Output](), 0, 0
        for number, name in ((1, "stdout"), (2, "stderr")):
            with tempfile.TemporaryFile(buffering=0) as file:
                fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
                os.dup2(file.fileno(), number)
            stream = os.fdopen(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)

    def run(self, source: str) -> list[Output]:
        self.outputs, self.used, self.cells = [], 0, self.cells + 1
        self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        self.drain()
        return self.outputs

    def keep(self, output: Output) -> None:
        """After what was printed before it, and only as much as the limits allow."""
        self.drain()
        data = output.get("data")
        if data is not None:
            output["data"] = {kind: str(data[kind]) for kind in SHOWN if kind in data}
        self._add(output, sum(len(str(part)) for part in output.get("data", output).values()))

    def drain(self) -> None:
        """What was printed since the last time becomes an output; the files are emptied."""
        for number, name in ((1, "stdout"), (2, "stderr")):
            with contextlib.suppress(OSError, ValueError):
                getattr(sys, name).flush()
            with contextlib.suppress(OSError):
                size = os.fstat(number).st_size
                if size:
                    text = os.pread(number, min(size, self.limits.output + 1), 0).decode("utf-8", "replace")
                    os.ftruncate(number, 0)
                    self._add({"output_type": "stream", "name": name, "text": text}, size)

    def _add(self, output: Output, size: int) -> None:
        left = self.limits.output - self.used
        self.used += size
        last = self.outputs[-1] if self.outputs else {}
        if output["output_type"] == "error" and len(self.outputs) <= self.limits.messages:
            self.outputs.append(output)  # whatever came before it: why a cell stopped is what everybody must know
            return
        if left <= 0 or len(self.outputs) >= self.limits.messages:
            return
        if size > left:
            words = f"\n… cut here: a cell may print and show {self.limits.output // 1024} KiB"
            text = str(output.get("text", ""))[:left]
            output = {"output_type": "stream", "name": "stdout", "text": text + words}
        if output["output_type"] == last.get("output_type") == "stream" and output["name"] == last["name"]:
            last["text"] += output["text"]
        else:
            self.outputs.append(output)

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        text = ""
        with contextlib.suppress(Exception):  # an exception of a student's own may fail to say what it is
            text = str(evalue)
        self.keep(
            {
                "output_type": "error",
                "ename": getattr(etype, "__name__", str(etype)),
                "evalue": text[:LINE],
                "traceback": [str(line)[:LINE] for line in stb[-FRAMES:]],
            }
        )

    def init_io(self) -> None:
        pass

    def enable_gui(self, gui: str | None = None) -> None:
        """``%matplotlib inline`` asks for one: there are no windows."""

    def ask_exit(self) -> None:
        """``exit`` in a cell ends nothing."""

    system = InteractiveShell.system_raw  # there are no terminals


def make() -> Shell:
    """The shell of this process, made at the first call: in the zygote, before it forks."""
    if not InteractiveShell.initialized():
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.display_page = True
        return Shell.instance(config=config, display_pub_class=Shown, displayhook_class=Result)
    return Shell.instance()
