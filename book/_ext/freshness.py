"""Execute a page again when the library that it imports has changed, and not otherwise.

jupyter-cache knows a notebook by its code cells alone: edit the library, and it hands out yesterday's outputs. Here
each page has a fingerprint of what its cells depend on beside their text: the modules of ``ntk_teach`` that they
import, directly or through others, the lock, and the version of Python. It is written into the page's own folder of
the cache after an execution that succeeded, so it lives and dies with the outputs that it vouches for: it
survives a deletion of the built pages, and returning to an older text of a page cannot revive outputs of an older
library. Before anything is read, a page whose fingerprint differs, or is missing, loses its outputs and is read again.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from import_closure import imported_files
from jupyter_cache import get_cache
from myst_nb.core.read import create_nb_reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbformat import NotebookNode
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACKAGE = "ntk_teach"
STAMP = "depends.sha256"


def digest(files: Iterable[Path], root: Path) -> str:
    """One hash over names and contents. A file outside the root enters by its content alone."""
    total = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for file in sorted(files):
        name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
        total.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


class Freshness:
    """The fingerprints of one build: taken before pages are read, written after they were executed."""

    def __init__(self) -> None:
        self.pending: dict[Path, str] = {}

    def outdated(self, app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> list[str]:
        """Forget the outputs of every page whose fingerprint does not hold, and name these pages to Sphinx."""
        cache = get_cache(env.mystnb_config.execution_cache_path)
        stale = []
        for page in sorted(env.found_docs):
            notebook = read_notebook(env, page)
            if notebook is None:
                continue
            _, key = cache.create_hashed_notebook(notebook)
            stamp = cache.path / "executed" / key / STAMP
            fingerprint = self.fingerprint(Path(app.srcdir), notebook)
            if stamp.is_file() and stamp.read_text() == fingerprint:
                continue
            if stamp.parent.is_dir():
                cache.remove_cache(cache.match_cache_notebook(notebook).pk)
            self.pending[stamp] = fingerprint
            stale.append(page)
        return stale

    @staticmethod
    def fingerprint(root: Path, notebook: NotebookNode) -> str:
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        return digest({*imported_files(code, root / PACKAGE), root / "requirements.lock"}, root)

    def vouch(self, _app: Sphinx, _env: BuildEnvironment) -> None:
        """Outputs that stand now were made in this build: stale ones are gone, and a failed execution leaves none."""
        for stamp, fingerprint in self.pending.items():
            if stamp.parent.is_dir():
                stamp.write_text(fingerprint)


def read_notebook(env: BuildEnvironment, page: str) -> NotebookNode | None:
    """The page as myst-nb will see it, or None where it is a plain page."""
    path = Path(env.doc2path(page))
    text = path.read_text(encoding="utf-8")
    reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
    return None if reader is None else reader.read(text)


def setup(app: Sphinx) -> dict[str, bool]:
    # The extensions' own code: when it changes, every page is read again (but not executed again).
    own = digest(Path(__file__).parent.glob("*.py"), Path(__file__).parent)
    app.add_config_value("ntk_teach_extensions", own, "env", [str])
    freshness = Freshness()
    app.connect("env-get-outdated", freshness.outdated)
    app.connect("env-updated", freshness.vouch)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
