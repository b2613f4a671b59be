"""Everything that a run knows before it sees data: the registry, the user's own signatures, the axes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stratifn.registry.gene_sets import GeneSet, read_gmt, registry_sets
from stratifn.registry.signatures import AxisSet, Registry, Signature, load_axis_sets, load_registry
from stratifn.registry.user_signatures import registry_with_files, require_signatures
from stratifn.shared.errors import InputError, Problem, problems_of
from stratifn.shared.package_data import resource_folder


@dataclass(frozen=True)
class Knowledge:
    """What a run knows.

    Attributes
    ----------
    registry
        Published signatures, and the user's own.
    axis_sets
        Gene sets of the therapeutic axes.
    extra_signatures
        Signatures that are scored besides the default panel, by name: the user's own, then those of the registry.
    """

    registry: Registry
    axis_sets: tuple[AxisSet, ...] = ()
    extra_signatures: tuple[str, ...] = ()

    def gene_sets(self, paths: Iterable[str | Path] = ()) -> list[GeneSet]:
        """Return the verified sets of the registry, and those of a user's GMT files."""
        own = [gene_set for path in paths for gene_set in read_gmt(path, self.registry.aliases)]
        return registry_sets(self.registry, self.axis_sets) + own


def load_knowledge(signature_files: Iterable[str | Path] = (), extra_signatures: Iterable[str] = ()) -> Knowledge:
    """Read what comes with the library, and a user's signature files.

    Raises
    ------
    InputError
        For what is wrong with the files.
    """
    resources = resource_folder()
    registry, own = registry_with_files(load_registry(resources / "signatures"), signature_files)
    axis_sets = load_axis_sets(resources / "gene_sets" / "axes.tsv")
    return Knowledge(registry, axis_sets, (*own, *extra_signatures))


def deciding_signature(signature_files: Iterable[str | Path], name: str) -> Signature | None:
    """Return the signature that gives the classes; None where `knowledge_problems` says why it cannot be had."""
    try:
        return load_knowledge(signature_files).registry.signature(name)
    except InputError:
        return None


def knowledge_problems(
    signature_files: Iterable[str | Path], signatures: Iterable[str], gene_set_files: Iterable[str | Path]
) -> list[Problem]:
    """List what is wrong with a user's signature and gene set files, and which signatures nobody knows.

    Parameters
    ----------
    signature_files, gene_set_files
        Paths of the user's.
    signatures
        Requested names.
    """
    published = load_knowledge().registry
    found = [problem for path in gene_set_files for problem in problems_of(read_gmt, path, published.aliases)]
    return found + problems_of(require_signatures, published, signature_files, signatures)
