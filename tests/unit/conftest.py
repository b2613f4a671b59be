"""What several unit tests start from: the shipped lists of genes, and a simulated cohort."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from defaults import settings_of
from stratifn.registry.signatures import load_registry
from stratifn.simulation import Settings, simulate_cohort

DISEASES = ("SLE", "pSS", "SSc", "DM")


@pytest.fixture(scope="session")
def registry(root):
    return load_registry(root / "resources" / "signatures")


@pytest.fixture(scope="session")
def gene_symbols(root):
    return pd.read_csv(root / "resources" / "genes" / "human_protein_coding.tsv", sep="\t", keep_default_na=False)


@pytest.fixture(scope="session")
def simulate(registry, gene_symbols):
    """Write a cohort below a folder, into ``simulated`` and ``truth``."""

    def run(folder: Path, settings: Settings, diseases=DISEASES, control="HC") -> Path:
        simulate_cohort(settings, diseases, control, registry, gene_symbols, folder / "simulated", folder / "truth")
        return folder

    return run


@pytest.fixture(scope="session")
def demo(simulate, tmp_path_factory):
    """The cohort of the shipped demo, to be read only."""
    return simulate(tmp_path_factory.mktemp("demo"), settings_of("simulation"))
