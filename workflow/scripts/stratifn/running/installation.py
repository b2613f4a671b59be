"""What is installed, and where it runs: the commit of the code, the processor, the linear algebra."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import scipy.linalg  # noqa: F401  (loads its own BLAS, which is described as well)
from threadpoolctl import threadpool_info

from stratifn import __version__
from stratifn.shared.package_data import resource_folder

PACKAGE = Path(__file__).resolve().parents[1]
ARCHIVED = re.compile(r"(?P<commit>[0-9a-f]{40,64}) (?P<date>\d{4}-\d\d-\d\d)")
CHANGED = "with uncommitted changes"
SOFTWARE = (
    "snakemake", "pydeseq2", "mofapy2", "anndata", "mudata", "numpy", "scipy", "pandas", "statsmodels", "numba", "matplotlib", "h5py", "pyarrow", "jinja2",
)  # fmt: skip


def software_versions() -> dict[str, str]:
    """Return name to version of everything that numbers depend on."""
    return {"stratifn": __version__, "python": platform.python_version()} | {name: version(name) for name in SOFTWARE}


def software() -> pd.DataFrame:
    """List versions and the git commit.

    Returns
    -------
    pandas.DataFrame
        name, version; the last is ``commit``, as `source_commit` returns it.
    """
    named = {**software_versions(), "commit": source_commit()}
    return pd.DataFrame(named.items(), columns=["name", "version"])


def source_commit(package: Path = PACKAGE, archived: Path | None = None) -> str | None:
    """Name the git commit of the code that runs.

    A clone is asked by git; files that git does not track there do not count as changes. Without git on the PATH, or
    where git does not track the code (an archive, an installed wheel), the commit is what ``git archive`` wrote into
    `archived`, which a wheel built from such an archive has too.

    Parameters
    ----------
    package
        The folder of the code.
    archived
        The file that ``git archive`` fills; by default ``commit.txt`` among the resources.

    Returns
    -------
    str or None
        The commit, followed by ``with uncommitted changes`` where a file differs from it; None if it is not known.
    """
    # only if git tracks the code itself: a wheel may be installed below a clone, an archive unpacked in another one
    if not _git(package, "ls-files", "--", "__init__.py"):
        return _archived(archived, "commit")
    commit, changes = _git(package, "rev-parse", "HEAD"), _git(package, "status", "--porcelain", "--untracked-files=no")
    if not commit or changes is None:
        return None
    return f"{commit} {CHANGED}" if changes else commit


def source_date(package: Path = PACKAGE, archived: Path | None = None) -> str | None:
    """Return the day of the commit that `source_commit` names, as ``YYYY-MM-DD``; None if it is not known."""
    if not _git(package, "ls-files", "--", "__init__.py"):
        return _archived(archived, "date")
    return _git(package, "show", "--no-patch", "--format=%cs", "HEAD") or None


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints about a folder, or None if there is no git, no clone, or no commit."""
    # a hook's variables would name another clone. The owner may be another user: whoever runs the code trusts it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--no-optional-locks", "-c", "safe.directory=*", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _archived(path: Path | None, name: str) -> str | None:
    path = path or resource_folder() / "commit.txt"
    text = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    found = ARCHIVED.fullmatch(text)
    return found[name] if found else None


def machine() -> pd.DataFrame:
    """Describe the machine: what decides the last bits of sums.

    Returns
    -------
    pandas.DataFrame
        name, value: the system, the processor, and per library of linear algebra its version and the kernel that it
        chose for this processor.
    """
    system = [("system", platform.platform()), ("architecture", platform.machine()), ("cpu", _processor())]
    libraries = {
        f"blas {_owner(Path(library['filepath']))}": " ".join(
            str(library[key]) for key in ("internal_api", "version", "architecture") if library.get(key)
        )
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    return pd.DataFrame([*system, *sorted(libraries.items())], columns=["name", "value"])


def _owner(library: Path) -> str:
    """Name the package whose wheel brought a library (``numpy`` for ``numpy.libs/...``), or else the library."""
    return library.parent.name.removesuffix(".libs") if library.parent.name.endswith(".libs") else library.name


def _processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str | None:
    text = cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.is_file() else ""
    names = re.findall(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return names[0].strip() if names else platform.processor() or None
