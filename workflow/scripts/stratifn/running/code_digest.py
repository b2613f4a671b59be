"""A fingerprint of what a script's results depend on besides its inputs: code, packages and data."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARY = "stratifn"
CODE = (".py", ".pyc", ".nbi", ".nbc")
# packages that are imported by another name than their own
DISTRIBUTIONS = {"yaml": "PyYAML"}


@dataclass(frozen=True)
class Dependencies:
    """What a script imports, directly or through others.

    Attributes
    ----------
    modules
        Files of the library, and data files of its packages.
    packages
        Top-level names of other packages.
    """

    modules: frozenset[Path]
    packages: frozenset[str]


def code_digest(script: Path, data: Iterable[Path] = ()) -> str:
    """Digest a script, every library module behind it, the versions of the packages that they import, and data.

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
    needed = dependencies(script)
    for module in sorted({script, *needed.modules}):
        _add(digest, module.relative_to(root).as_posix(), module)
    for package in sorted(needed.packages):
        digest.update(f"{package}\0{installed_version(package)}\0".encode())
    for path in data:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in (file for file in files if file.is_file() and file.suffix not in CODE):
            _add(digest, file.name, file)
    return digest.hexdigest()[:16]


def _add(digest: hashlib._Hash, name: str, path: Path) -> None:
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    digest.update(f"{name}\0{content}\0".encode())


def installed_version(package: str) -> str | None:
    """Return the version of the package that a top-level name is imported from; None where it is not installed.

    The workflow may be read in another environment than its jobs run in.
    """
    try:
        return version(DISTRIBUTIONS.get(package, package))
    except PackageNotFoundError:
        return None


def dependencies(script: Path) -> Dependencies:
    """Return what a script imports, followed through the library's own imports.

    Imports inside functions count as well. A name that a package only passes on (its ``__init__`` has nothing but imports)
    counts as the module that defines it, so that a script depends on the parts of a phase that it uses. A package's data
    files count with it.
    """
    root = script.parent
    found: set[Path] = set()
    packages: set[str] = set()
    queue = [script]
    while queue:
        needed = _needed_by(queue.pop().read_text(encoding="utf-8"), root)
        new = needed.modules - found
        found |= new
        packages |= needed.packages
        queue += [path for path in new if path.suffix == ".py"]
    return Dependencies(frozenset(found), frozenset(packages))


def _needed_by(source: str, root: Path) -> Dependencies:
    """Return what some source text imports itself."""
    imported = _imports(source)
    packages = {module.partition(".")[0] for module, _ in imported} - {LIBRARY} - sys.stdlib_module_names
    files = {file for module, name in imported for file in _files_of(module, name, root)}
    return Dependencies(frozenset(files), frozenset(packages))


@cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def _imports(source: str) -> frozenset[tuple[str, str | None]]:
    """List what some source text imports as (module, name); the name is None where the module itself is.

    Most rules share most modules, and every job of a cluster reads the workflow again: each text is parsed once.
    """
    found: set[tuple[str, str | None]] = set()
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            found |= {(name.name, None) for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {(node.module, name.name) for name in node.names}
    return frozenset(found)


def _files_of(module: str, name: str | None, root: Path) -> Iterator[Path]:
    """Yield the files of the library behind one import."""
    parts = module.split(".")
    if parts[0] != LIBRARY:
        return
    if name and _file(root.joinpath(*parts, name)):
        # `from stratifn.report import html` names a module, not an object
        parts, name = [*parts, name], None
    for length in range(1, len(parts) + 1):
        folder = root.joinpath(*parts[:length])
        file = _file(folder)
        if file is None:
            return
        if file.name != "__init__.py":
            yield file
            continue
        yield from (path for path in folder.iterdir() if path.is_file() and path.suffix not in CODE)
        passed_on = _passed_on(file.read_text(encoding="utf-8"))
        if passed_on is None or (length == len(parts) and name not in passed_on):
            yield file
        elif length == len(parts) and name:
            yield from _files_of(*passed_on[name], root)


def _file(path: Path) -> Path | None:
    """Return the file of a module or package."""
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


@cache
def _passed_on(source: str) -> dict[str, tuple[str, str]] | None:
    """Map the names that an ``__init__`` passes on to (module, name there); None where it does more than that."""
    tree = _parsed(source)
    if any(not _is_inert(node) for node in tree.body):
        return None
    return {
        name.asname or name.name: (node.module, name.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }


def _is_inert(node: ast.stmt) -> bool:
    """Tell whether a statement is an import, a docstring, or a name such as ``__all__``."""
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Name) and target.id.startswith("__") for target in node.targets)
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or isinstance(node, ast.Import | ast.ImportFrom)
