"""nbgrader's settings for this course: its own steps, and three of ours before, during and after execution."""

from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from ntk_teach.grading.classroom.preprocessors import Rebuild, Run, Verdicts

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
    Verdicts,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]

# Seconds for a cell; a right notebook needs a few in all.
c.Run.timeout = 60
c.Run.shutdown_kernel = "immediate"
# Demonstrations use the whole library and carry no points.
c.Run.skip_cells_with_tag = "demonstration"
