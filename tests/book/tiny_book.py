"""A book of two pages in a folder of its own, built with this book's configuration, extensions and script."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from built_book import REPOSITORY

PAGE = """\
---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---
# {name}

```{{code-cell}} ipython3
{imports}
with open("{log}", "a") as log:
    print("{name}", file=log)
{value}
```
"""
LIBRARY = {
    "__init__.py": "from ntk_teach.number import number as number",
    "number.py": "def number():\n    return 'one hundred'",
    "grading/__init__.py": "",
    "grading/deep.py": "word = 'graded'",
}


class TinyBook:
    """``chapter`` imports the package; ``school`` imports ``ntk_teach.grading.deep``, and through it the package."""

    def __init__(self, root: Path) -> None:
        self.root, self.log = root, root / "executed.txt"
        for name in ("_ext", "_static", "_templates"):
            shutil.copytree(REPOSITORY / "book" / name, root / "book" / name)
        (root / "tools").mkdir()
        shutil.copy(REPOSITORY / "tools" / "book", root / "tools")
        shutil.copy(REPOSITORY / "_config.yml", root)
        for name, text in LIBRARY.items():
            self.write(f"ntk_teach/{name}", text)
        self.write("requirements.lock", "torch==2.13.0")
        self.write("book/references.bib", "")
        self.write("book/index.md", "# Index")
        self.write(
            "_toc.yml", "format: jb-book\nroot: book/index\nchapters: [{file: book/chapter}, {file: book/school}]"
        )
        self.page("chapter", imports="import ntk_teach as ntk", value="ntk.number()")
        self.page("school", imports="from ntk_teach.grading import deep", value="deep.word")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text) + "\n")

    def page(self, name: str, *, imports: str, value: str) -> None:
        self.write(f"book/{name}.md", PAGE.format(name=name, imports=imports, value=value, log=self.log.as_posix()))

    def set(self, key: str, value: str) -> None:
        config = self.root / "_config.yml"
        before = config.read_text()
        assert f'{key}: ""' in before
        config.write_text(before.replace(f'{key}: ""', f'{key}: "{value}"'))

    def build(self) -> tuple[bool, list[str]]:
        """Did the build succeed, and which pages did it execute?"""
        self.log.write_text("")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            ["tools/book"], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        self.said = done.stdout + done.stderr
        return done.returncode == 0, sorted(self.log.read_text().split())

    def html(self, name: str) -> str:
        return (self.root / "_build" / "html" / "book" / f"{name}.html").read_text()
