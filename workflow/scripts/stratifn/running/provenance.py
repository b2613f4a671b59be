"""Where results come from: versions of software, and digests of inputs and of every result."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from stratifn import __version__
from stratifn.shared.columns import columns_of

SOFTWARE = (
    "snakemake", "pydeseq2", "mofapy2", "anndata", "mudata", "numpy", "scipy", "pandas", "scikit-learn", "statsmodels",
    "numba", "matplotlib", "h5py", "pyarrow", "jinja2",
)  # fmt: skip


def software_versions() -> dict[str, str]:
    """Return name to version of everything that numbers depend on."""
    return {"stratifn": __version__, "python": platform.python_version()} | {name: version(name) for name in SOFTWARE}


def file_digests(paths: Mapping[str, str | Path]) -> pd.DataFrame:
    """Describe files.

    Parameters
    ----------
    paths
        What to call each file (the path as the user wrote it) to where it is.

    Returns
    -------
    pandas.DataFrame
        path, bytes, sha256, sorted by path.
    """
    rows = [(name, Path(path).stat().st_size, _sha256(Path(path))) for name, path in sorted(paths.items())]
    return pd.DataFrame(rows, columns=list(columns_of("provenance/inputs.tsv")))


def _sha256(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def result_files(outputs: Iterable[str | Path], folder: Path) -> dict[str, Path]:
    """Return every output, and every file of an output that is a folder, by its path relative to `folder`."""
    files: list[Path] = []
    for output in map(Path, outputs):
        # names that start with a dot are half-written files of a killed job, or Snakemake's own time stamps
        inside = (path for path in output.rglob("*") if path.is_file() and not path.name.startswith("."))
        files += inside if output.is_dir() else [output]
    return {path.relative_to(folder).as_posix(): path for path in files}
