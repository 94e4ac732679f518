"""Started by path, alone: ``python -I .../sandbox zygote|warden|interior``. None of the library's own code is run.

The parent packages are stand-ins: importing the real ones would bring every kernel of the library into the memory of
the process in which students' code will run.
"""

import sys
import types
from pathlib import Path

HERE = Path(__file__).resolve().parent
for name, folder in (("ntk_teach", HERE.parents[1]), ("ntk_teach.grading", HERE.parent)):
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE]

from ntk_teach.grading.sandbox.start import main  # noqa: E402

main(sys.argv[1:])
