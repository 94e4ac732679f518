"""The engine: Gram matrices of the limiting kernels, tile by tile."""

from ntk_teach.gram.engine import Progress as Progress
from ntk_teach.gram.engine import gram as gram
from ntk_teach.gram.executors import Executor as Executor
from ntk_teach.gram.executors import cluster as cluster
from ntk_teach.gram.progress import progress_line as progress_line
from ntk_teach.gram.store import Output as Output

__all__ = ["gram", "cluster", "progress_line", "Executor", "Output", "Progress"]
