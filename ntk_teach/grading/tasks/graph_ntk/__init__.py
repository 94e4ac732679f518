"""The exercise of the chapter on graph networks, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.graph_ntk.aggregation import aggregation
from ntk_teach.grading.tasks.graph_ntk.block import block
from ntk_teach.grading.tasks.graph_ntk.question import question
from ntk_teach.grading.tasks.graph_ntk.read_out import read_out

__all__ = ["exercise"]

exercise = Exercise(
    number="11",
    name="graph_ntk",
    provides=("relu",),
    tasks=(aggregation, block, read_out),
    written=(question,),
)
