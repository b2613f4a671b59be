"""Time and memory of simulating a cohort, each size in a process of its own.

``python benchmarks/simulation.py`` prints a table; ``--full`` adds the largest size (1,600 patients, 20,000 genes,
450,000 CpGs; about 3 GB of disk in the temporary folder).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
DISEASES = ("SLE", "pSS", "SSc", "DM")
# patients per disease, controls, genes, CpGs
SIZES = ((3, 12, 300, 200), (24, 24, 3000, 2000), (100, 100, 20_000, 50_000))
FULL = (400, 200, 20_000, 450_000)


def simulate(size: tuple[int, int, int, int], results: multiprocessing.Queue) -> None:
    import pandas as pd

    from stratifn.registry.signatures import load_registry
    from stratifn.running.entry_point import use_one_blas_thread
    from stratifn.simulation import Settings, simulate_cohort

    use_one_blas_thread()
    registry = load_registry(ROOT / "resources" / "signatures")
    genes = pd.read_csv(ROOT / "resources" / "genes" / "human_protein_coding.tsv", sep="\t", keep_default_na=False)
    with tempfile.TemporaryDirectory() as folder:
        simulated, truth = Path(folder) / "simulated", Path(folder) / "truth"
        start = time.perf_counter()
        simulate_cohort(Settings(*size, seed=1), DISEASES, "HC", registry, genes, simulated, truth)
        seconds = time.perf_counter() - start
        written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    results.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, written / 1e6))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="measure the largest size as well")
    sizes = (*SIZES, FULL) if parser.parse_args().full else SIZES
    context = multiprocessing.get_context("spawn")
    print(f"{'samples':>8} {'genes':>8} {'cpgs':>8} {'wall s':>8} {'peak MB':>8} {'disk MB':>8}")
    for patients, controls, genes, cpgs in sizes:
        results = context.Queue()
        process = context.Process(target=simulate, args=((patients, controls, genes, cpgs), results))
        process.start()
        process.join()
        seconds, peak, written = results.get()
        samples = len(DISEASES) * patients + controls
        print(f"{samples:>8} {genes:>8} {cpgs:>8} {seconds:>8.1f} {peak:>8.0f} {written:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
