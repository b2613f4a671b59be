"""Results as a Workflow Run RO-Crate: what was run, on which files, and what it made."""

from __future__ import annotations

import posixpath
from importlib.metadata import version
from typing import Any

import pandas as pd
from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from stratifn import __version__

# the folder of the metadata file: paths in a crate are relative to it
ROOT = "provenance"
WORKFLOW = f"{ROOT}/Snakefile"
# named without size and digest: one differs between machines, the other lists the digests itself
UNDIGESTED = (f"{ROOT}/machine.tsv", f"{ROOT}/outputs.tsv")
# RO-Crate requires a date. That of the version of stratifn (CITATION.cff) is the same in every run, so that the same
# input gives the same bytes; when the jobs ran is in their logs and benchmarks.
DATE = "2026-11-25"
# the profile's vocabulary has the one term that we need and that the context of RO-Crate 1.1 lacks
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
PROFILES = (
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"),
)
MEDIA_TYPES = {
    ".tsv": "text/tab-separated-values", ".csv": "text/csv", ".gz": "application/gzip", ".json": "application/json",
    ".yaml": "application/yaml", ".html": "text/html", ".md": "text/markdown", ".svg": "image/svg+xml",
    ".png": "image/png", ".h5ad": "application/x-hdf5", ".h5mu": "application/x-hdf5", ".hdf5": "application/x-hdf5",
    ".npz": "application/zip", ".parquet": "application/vnd.apache.parquet",
}  # fmt: skip


def research_object(subject: str, outputs: pd.DataFrame, inputs: pd.DataFrame) -> dict[str, Any]:
    """Describe results as the metadata document of a Workflow Run Crate 0.5, which is an RO-Crate 1.1.

    The same results give the same document.

    Parameters
    ----------
    subject
        Whose results these are, for example ``cohort demo``.
    outputs, inputs
        Columns path, bytes and sha256. Outputs by their path below the folder of the results, the workflow
        (``provenance/Snakefile``) among them; inputs by their path as the user wrote it.

    Returns
    -------
    dict
        JSON-LD, to be written as ``provenance/ro-crate-metadata.json``.

    References
    ----------
    https://w3id.org/ro/crate/1.1 and https://w3id.org/ro/wfrun/workflow/0.5
    """
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    crate.name = f"stratifn results of {subject}"
    crate.description = (
        "For research use, not for diagnosis. The date is that of the version of stratifn, not of the run."
    )
    crate.license = "the owner of the input data decides"
    crate.root_dataset["datePublished"] = DATE
    results = [_file(crate, row.path, _size_and_digest(row)) for row in outputs.itertuples() if row.path != WORKFLOW]
    results += [_file(crate, path, {}) for path in UNDIGESTED]
    # inputs stay where they are: they are named, and are no part of the crate
    used = [
        _add(crate, f"#input-{number}", {"@type": "File", **_named(row.path), **_size_and_digest(row)})
        for number, row in enumerate(inputs.itertuples(), start=1)
    ]
    _add_workflow(crate, outputs.set_index("path").loc[WORKFLOW])
    crate.root_dataset["conformsTo"] = [
        _add(crate, address, {"@type": "CreativeWork", "name": name, "version": number})
        for address, name, number in PROFILES
    ]
    run = {
        "name": f"stratifn {__version__}: {subject}",
        "description": "One run of the workflow, from files to reports",
    }
    action = _add(crate, "#run", {"@type": "CreateAction", **run})
    action["instrument"], action["object"], action["result"] = crate.mainEntity, used, results
    crate.root_dataset["mentions"] = [action]
    return crate.metadata.generate()


def _size_and_digest(row: Any) -> dict[str, str]:
    return {"contentSize": str(row.bytes), "sha256": row.sha256}


def _add(crate: ROCrate, name: str, properties: dict[str, Any]) -> Entity:
    return crate.add(ContextEntity(crate, name, properties))


def _named(path: str) -> dict[str, str]:
    return {"name": path, "encodingFormat": MEDIA_TYPES.get(posixpath.splitext(path)[1], "text/plain")}


def _in_crate(path: str) -> str:
    return posixpath.relpath(path, ROOT)


def _file(crate: ROCrate, path: str, properties: dict[str, str]) -> Entity:
    return crate.add_file(dest_path=_in_crate(path), properties={**_named(path), **properties})


def _add_workflow(crate: ROCrate, row: Any) -> None:
    properties = {**_named(WORKFLOW), "name": "stratifn", "version": __version__, **_size_and_digest(row)}
    crate.add_workflow(
        dest_path=_in_crate(WORKFLOW),
        properties=properties,
        main=True,
        lang="snakemake",
        lang_version=version("snakemake"),
    )
