"""What of the library a submission may use, as modules made from text: nothing of the rest is in this process."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Mapping, Sequence
from types import CodeType, ModuleType

__all__ = ["install"]

PACKAGE = "ntk_teach"


def install(library: Mapping[str, str], refusal: str) -> None:
    """Let ``import ntk_teach`` find these modules and no others.

    Args:
        library: dotted name to source text.
        refusal: what to say to whoever asks for more.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    sys.meta_path.insert(0, Provided(library, refusal))


class Provided(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finder and loader in one: the texts are all there is."""

    def __init__(self, library: Mapping[str, str], refusal: str) -> None:
        self.library, self.refusal = dict(library), refusal

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != PACKAGE:
            return None
        if fullname not in self.library:
            # Not ModuleNotFoundError: `from ntk_teach import zoo` would put its own words in the place of these.
            raise ImportError(f"{fullname}: {self.refusal}", name=fullname)
        return importlib.util.spec_from_loader(fullname, self, origin=f"<{fullname}>")

    def is_package(self, fullname: str) -> bool:
        """All of them: only a package is asked for what is no attribute of it."""
        return True

    def get_source(self, fullname: str) -> str:
        return self.library[fullname]

    def get_code(self, fullname: str) -> CodeType:
        text, name = self.library[fullname], f"<{fullname}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        return compile(text, name, "exec", dont_inherit=True)
