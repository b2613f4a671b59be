"""Where results come from: inputs, software, configuration, and digests of every result."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import pandas as pd

from stratifn import __version__

SOFTWARE = (
    "snakemake", "pydeseq2", "mofapy2", "anndata", "mudata", "numpy", "scipy", "pandas", "scikit-learn", "statsmodels",
    "numba", "matplotlib", "h5py", "pyarrow", "jinja2",
)  # fmt: skip


def software_versions() -> dict[str, str]:
    """Return name to version of everything that numbers depend on."""
    return {"stratifn": __version__, "python": platform.python_version()} | {name: version(name) for name in SOFTWARE}


def research_object(subject: str, outputs: pd.DataFrame, inputs: pd.DataFrame, created: str) -> dict[str, Any]:
    """Describe results as an RO-Crate 1.1 metadata document (https://w3id.org/ro/crate/1.1).

    Parameters
    ----------
    subject
        Whose results these are, for example ``cohort demo``.
    outputs, inputs
        As `file_digests` returns them; outputs by their path inside the crate.
    created
        Date and time (ISO 8601); the one thing that makes this file differ from run to run.
    """
    parts = [{"@id": path} for path in outputs["path"]]
    files = [
        {"@id": row.path, "@type": "File", "contentSize": str(row.bytes), "sha256": row.sha256}
        for row in outputs.itertuples()
    ]
    used = [
        {
            "@id": f"#input-{number}",
            "@type": "File",
            "name": row.path,
            "contentSize": str(row.bytes),
            "sha256": row.sha256,
        }
        for number, row in enumerate(inputs.itertuples(), start=1)
    ]
    graph = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"stratifn results of {subject}",
            "description": "For research use, not for diagnosis.",
            "datePublished": created,
            "license": "the owner of the input data decides",
            "hasPart": parts,
            "mentions": {"@id": "#run"},
        },
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": f"stratifn {__version__}",
            "endTime": created,
            "instrument": {"@id": "#stratifn"},
            "object": [{"@id": entry["@id"]} for entry in used],
            "result": {"@id": "./"},
        },
        {"@id": "#stratifn", "@type": "SoftwareApplication", "name": "stratifn", "version": __version__},
        *files,
        *used,
    ]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
