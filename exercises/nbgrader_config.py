"""nbgrader's settings for this course: its own steps, and ours before, in the place of, and after its execution."""

from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from ntk_teach.grading.classroom.exporters import PlainExport
from ntk_teach.grading.classroom.feedback_page import FeedbackPage, Marks
from ntk_teach.grading.classroom.late import LatePenalties
from ntk_teach.grading.classroom.preprocessors import Rebuild, Run

c = get_config()  # noqa: F821  (given by the loader)

c.CourseDirectory.course_id = "ntk-teach"
# The authors' notebooks with solutions are text next to the generated ones: nbgrader would hand them out.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "__pycache__", "*.pyc", "*.py"]

c.Autograde.sanitize_preprocessors = [
    Rebuild,
    ClearOutput,
    DeduplicateIds,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    Run,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
    LatePenalties,
    CheckCellMetadata,
]
c.GenerateFeedback.exporter_class = FeedbackPage
c.GenerateFeedback.preprocessors = [Marks]
c.ExportApp.plugin_class = PlainExport

# Seconds of processor time for a cell, and for a task; a right notebook needs a few in all. Others: wall, memory,
# processes, file_size, disk, output, total_output, messages, answer (bytes and numbers).
c.Run.limits = {"cpu": 20, "wall": 300}

# What a submission loses for each day that has begun after the due date, by times that you give with --received.
c.LatePenalty.per_day = 0.0
