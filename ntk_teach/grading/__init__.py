"""Tasks, checks and grading. ``check`` needs the core alone; the instructor's modules need nbgrader."""

from ntk_teach.grading.check import check as check
from ntk_teach.grading.task import Case as Case
from ntk_teach.grading.task import Exercise as Exercise
from ntk_teach.grading.task import Misconception as Misconception
from ntk_teach.grading.task import Task as Task
from ntk_teach.grading.task import WrittenQuestion as WrittenQuestion
from ntk_teach.grading.verdict import Verdict as Verdict

__all__ = ["check", "Task", "Case", "Misconception", "WrittenQuestion", "Exercise", "Verdict"]
