"""Versions of the software that numbers depend on."""

from __future__ import annotations

import platform
from importlib.metadata import version

from stratifn import __version__

SOFTWARE = (
    "snakemake", "pydeseq2", "mofapy2", "anndata", "mudata", "numpy", "scipy", "pandas", "scikit-learn", "statsmodels",
    "numba", "matplotlib", "h5py", "pyarrow", "jinja2",
)  # fmt: skip


def software_versions() -> dict[str, str]:
    """Return name to version of everything that numbers depend on."""
    return {"stratifn": __version__, "python": platform.python_version()} | {name: version(name) for name in SOFTWARE}
