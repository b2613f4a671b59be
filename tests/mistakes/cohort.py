"""A clean cohort on disk, and what `make check` says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from stratifn.configuration.config import complete_config, read_config
from stratifn.configuration.names import joined_columns
from stratifn.differential_expression import comparison_checks
from stratifn.inputs import Cohort as Validated
from stratifn.inputs import GeneNames, Groups, known_genes, read_cohort, size_checks
from stratifn.integration import integration_checks
from stratifn.interferon import protein_checks, reference_problems
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.package_data import config_schema, output_contract, sheet_schema
from stratifn.shared.vocabulary import MEDIAN_OF_RATIOS
from stratifn.transfer import load_interferon

SAMPLES = [f"S{number:02d}" for number in range(1, 37)]
# of the deciding signature and others
GENES = ["IFI27", "IFI44L", "IFIT1", "ISG15", "RSAD2", "SIGLEC1", *(f"GENE{number}" for number in range(1, 35))]


@dataclass
class Cohort:
    """Files and configuration, to be changed by a case.

    Attributes
    ----------
    folder
        Where they will be; the working directory.
    config
        The configuration.
    sheet
        The sample sheet.
    matrices
        View to matrix, features in rows.
    files
        File name to bytes that are written in place of the sheet, a matrix or the configuration, or beside them; None
        leaves the file out.
    """

    folder: Path
    config: dict[str, Any]
    sheet: pd.DataFrame
    matrices: dict[str, pd.DataFrame]
    files: dict[str, bytes | None] = field(default_factory=dict)

    @classmethod
    def clean(cls, folder: Path) -> Cohort:
        """Return 24 patients and 12 controls with four views, in which nothing is wrong."""
        generator = np.random.default_rng(1)
        disease = ["SLE"] * 12 + ["pSS"] * 12 + ["HC"] * 12
        sheet = pd.DataFrame({"sample": SAMPLES, "disease": disease, "sex": ["F", "M", "F"] * 12})
        sheet["age"] = generator.integers(20, 80, len(SAMPLES)).astype(str)
        sheet["batch"] = ["b1", "b2"] * 18
        size = (len(GENES), len(SAMPLES))
        means = generator.gamma(2, 60, len(GENES))[:, None] * generator.gamma(5, 0.2, size)
        cells = generator.dirichlet([5, 3, 2], len(SAMPLES)).T
        matrices = {
            "rna": (generator.poisson(means) + 1, GENES),
            "methylation": (generator.beta(2, 2, (20, 36)).round(4), [f"cg{number:08d}" for number in range(20)]),
            "cytokines": (generator.lognormal(2, 1, (6, 36)).round(3), [f"CK{number}" for number in range(6)]),
            "cells": (cells.round(4) * 0.99, ["T cells", "B cells", "monocytes"]),
        }
        kinds = {"rna": "counts", "methylation": "beta", "cytokines": "concentration", "cells": "proportion"}
        views = [{"name": name, "kind": kinds[name], "path": f"{name}.tsv"} for name in matrices]
        config = {"diseases": ["SLE", "pSS"], "cohorts": [{"name": "mine", "samples": "samples.tsv", "views": views}]}
        frames = {
            name: pd.DataFrame(values, index=features, columns=SAMPLES) for name, (values, features) in matrices.items()
        }
        return cls(folder, config, sheet, frames)

    @property
    def cohort(self) -> dict[str, Any]:
        """The cohort's part of the configuration."""
        return self.config["cohorts"][0]

    def view(self, name: str) -> dict[str, Any]:
        """Return a view's part of the configuration."""
        return next(view for view in self.cohort["views"] if view["name"] == name)

    def text(self, name: str) -> str:
        """Return the sheet (``samples``) or a matrix as the text that is written of it."""
        frame = self.sheet if name == "samples" else self.matrices[name].rename_axis("id").reset_index()
        return frame.to_csv(sep="\t", index=False)

    def write(self) -> None:
        """Write everything."""
        written = {f"{name}.tsv": self.text(name).encode() for name in ("samples", *self.matrices)}
        written["config.yaml"] = yaml.safe_dump(self.config, sort_keys=False).encode()
        for name, content in (written | self.files).items():
            if content is not None:
                (self.folder / name).write_bytes(content)

    def problems(self) -> list[Problem]:
        """Write everything, and return what `make check` lists."""
        try:
            self.validated()
        except InputError as error:
            return error.problems
        return []

    def validated(self) -> Validated:
        """Write everything, and return what `make check` makes of it."""
        self.write()
        config = complete_config(read_config(self.folder / "config.yaml"), config_schema(), output_contract())
        (cohort,) = config["cohorts"]
        return check_cohort(cohort, config)


@cache
def _shipped(signatures: tuple[str, ...]) -> tuple[GeneNames, list[Problem]]:
    return known_genes([], signatures, [])


def check_cohort(cohort: dict[str, Any], config: dict[str, Any]) -> Validated:
    """Do what the job `inputs` does, without what it writes."""
    paths = {"samples": cohort["samples"]} | {view["name"]: view["path"] for view in cohort["views"]}
    interferon, integration = config["interferon"], config["integration"]
    signatures = (interferon["signature"], *interferon["extra_signatures"])
    own, sets = interferon["signature_files"], config["differential_expression"]["gene_sets"]
    genes, others = known_genes(own, signatures, sets) if own or sets else _shipped(signatures)
    folder = interferon["reference"]
    frozen = partial(load_interferon, folder, output_contract()["version"])
    others = [*others, *reference_problems(frozen, folder, cohort, True)]
    checks = (
        comparison_checks(cohort, config["contrasts"]),
        size_checks(paths["samples"]),
        integration_checks(cohort, integration["regress_out"], integration["min_views"]),
        protein_checks(cohort, interferon["protein_analyte"]),
    )
    groups = Groups(cohort["diseases"], cohort["control"], config["diseases"])
    joined = sorted(joined_columns(output_contract()))
    ratio = config["normalization"]["size_factors"] == MEDIAN_OF_RATIOS
    return read_cohort(cohort, paths, groups, genes, sheet_schema(), checks, joined, others, ratio)


# code to the cases of its class
CASES: dict[str, list[Callable[[Cohort], None]]] = {}


def mistake(code: str) -> Callable[[Callable[[Cohort], None]], Callable[[Cohort], None]]:
    """Register a case: a change of a clean cohort that must be named by this code."""

    def register(case: Callable[[Cohort], None]) -> Callable[[Cohort], None]:
        CASES.setdefault(code, []).append(case)
        return case

    return register
