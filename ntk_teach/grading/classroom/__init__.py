"""The instructor's side: release, grade, feedback, export, on top of nbgrader. Needs the ``[instructor]`` extra."""
