"""A fingerprint of the code and data behind a script, so that a changed library reruns the rules that use it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

LIBRARY = "stratifn"
CODE = (".py", ".pyc")


def code_digest(script: Path, data: Iterable[Path] = ()) -> str:
    """Digest every library module that a script imports, directly or through others, and the named data.

    Parameters
    ----------
    script
        A script beside the library's folder.
    data
        Files, or folders that are taken with all their files.

    Returns
    -------
    str
        Independent of the path of the clone: names are taken relative to the script's folder, and data by file name.
    """
    root = script.parent
    digest = hashlib.sha256()
    for module in sorted(imported_modules(script)):
        _add(digest, module.relative_to(root).as_posix(), module)
    for path in data:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in (file for file in files if file.is_file() and file.suffix != ".pyc"):
            _add(digest, file.name, file)
    return digest.hexdigest()[:16]


def _add(digest: hashlib._Hash, name: str, path: Path) -> None:
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    digest.update(f"{name}\0{content}\0".encode())


def imported_modules(script: Path) -> set[Path]:
    """Return the files of the library that a script imports, followed through the library's own imports.

    Imports inside functions count as well; a package counts with its ``__init__`` and its data files.
    """
    found: set[Path] = set()
    queue = [script]
    while queue:
        source = queue.pop().read_text(encoding="utf-8")
        new = _imported_files(source, script.parent) - found
        found |= new
        queue += [path for path in new if path.suffix == ".py"]
    return found


@cache
def _imported_files(source: str, root: Path) -> frozenset[Path]:
    """Return the library's files that some source text imports itself.

    Most rules share most modules, and every job of a cluster reads the workflow again: each text is parsed once.
    """
    modules = set(_imports_of(source))
    return frozenset(path for module in modules for path in _files_of(module, root))


def _imports_of(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # `from stratifn.report import html` names a module, not an object
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _files_of(module: str, root: Path) -> Iterator[Path]:
    parts = module.split(".")
    if parts[0] != LIBRARY:
        return
    for length in range(1, len(parts) + 1):
        folder = root.joinpath(*parts[:length])
        for candidate in (folder / "__init__.py", folder.with_suffix(".py")):
            if candidate.is_file():
                yield candidate
                if candidate.name == "__init__.py":
                    # data of a package count as its code
                    yield from (file for file in folder.iterdir() if file.is_file() and file.suffix not in CODE)
