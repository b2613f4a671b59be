"""The papers that the methods text cites, each with its DOI, and the numbers that they get in a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from stratifn.report.methods.words import series

DOI, PUBMED = "https://doi.org/", "https://pubmed.ncbi.nlm.nih.gov/"
# sources of gene sets, as the registry writes them
_DOI, _PUBMED, _PATENT = re.compile(r"10\.\d{4,9}/\S+"), re.compile(r"PMID:(\d+)"), re.compile(r"US\d+B\d")

# by DOI
PAPERS = {
    "10.12688/f1000research.29032.2": "Mölder F et al. Sustainable data analysis with Snakemake. F1000Research 2021;10:33.",
    "10.1186/s13059-014-0550-8": "Love MI, Huber W, Anders S. Moderated estimation of fold change and dispersion for RNA-seq "
    "data with DESeq2. Genome Biol 2014;15:550.",
    "10.1093/bioinformatics/btad547": "Muzellec B et al. PyDESeq2: a python package for bulk RNA-seq differential expression "
    "analysis. Bioinformatics 2023;39:btad547.",
    "10.1093/bioinformatics/bty895": "Zhu A, Ibrahim JG, Love MI. Heavy-tailed prior distributions for sequence count data. "
    "Bioinformatics 2019;35:2084-2092.",
    "10.2202/1544-6115.1027": "Smyth GK. Linear models and empirical Bayes methods for assessing differential expression in "
    "microarray experiments. Stat Appl Genet Mol Biol 2004;3:3.",
    "10.2307/3001968": "Wilcoxon F. Individual comparisons by ranking methods. Biometrics Bull 1945;1:80-83.",
    "10.1093/nar/gks461": "Wu D, Smyth GK. Camera: a competitive gene set test accounting for inter-gene correlation. Nucleic "
    "Acids Res 2012;40:e133.",
    "10.1111/j.2517-6161.1995.tb02031.x": "Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B "
    "1995;57:289-300.",
    "10.1002/art.20798": "Kirou KA et al. Coordinate overexpression of interferon-alpha-induced genes in systemic lupus "
    "erythematosus. Arthritis Rheum 2004;50:3958-3967.",
    "10.1002/art.22044": "Feng X et al. Association of increased interferon-inducible gene expression with disease activity and "
    "lupus nephritis in patients with systemic lupus erythematosus. Arthritis Rheum 2006;54:2951-2962.",
    "10.1007/s10875-016-0359-1": "Rice GI et al. Assessment of type I interferon signaling in pediatric inflammatory disease. J "
    "Clin Immunol 2017;37:123-132.",
    "10.1016/S1474-4422(13)70258-8": "Rice GI et al. Assessment of interferon-related biomarkers in Aicardi-Goutières syndrome "
    "associated with mutations in TREX1, RNASEH2A, RNASEH2B, RNASEH2C, SAMHD1, and ADAR: a case-control study. Lancet Neurol "
    "2013;12:1159-1169.",
    "10.1186/s12859-018-2435-4": "Foroutan M et al. Single sample scoring of molecular phenotypes. BMC Bioinformatics "
    "2018;19:404.",
    "10.1038/nature08460": "Barbie DA et al. Systematic RNA interference reveals that oncogenic KRAS-driven cancers require "
    "TBK1. Nature 2009;462:108-112.",
    "10.1093/bioinformatics/btab121": "Rinchai D et al. BloodGen3Module: blood transcriptional module repertoire analysis and "
    "visualization using R. Bioinformatics 2021;37:2382-2389.",
    "10.1038/s41467-021-24584-w": "Altman MC et al. Development of a fixed module repertoire for the analysis and interpretation "
    "of blood transcriptome data. Nat Commun 2021;12:4385.",
    "10.1038/ni.2789": "Li S et al. Molecular signatures of antibody responses derived from a systems biology study of five "
    "human vaccines. Nat Immunol 2014;15:195-204.",
    "10.1016/j.immuni.2008.05.012": "Chaussabel D et al. A modular analysis framework for blood genomics studies: application to "
    "systemic lupus erythematosus. Immunity 2008;29:150-164.",
    "10.1002/art.38628": "Chiche L et al. Modular transcriptional repertoire analyses of adults with systemic lupus "
    "erythematosus reveal distinct type I and type II interferon signatures. Arthritis Rheumatol 2014;66:1583-1595.",
    "10.1016/j.cels.2015.12.004": "Liberzon A et al. The Molecular Signatures Database hallmark gene set collection. Cell Syst "
    "2015;1:417-425.",
    "10.1017/CBO9780511802843": "Davison AC, Hinkley DV. Bootstrap methods and their application. Cambridge University Press "
    "1997.",
    "10.1136/ard-2022-223628": "Rodriguez-Carrio J et al. 2022 EULAR points to consider for the measurement, reporting and "
    "application of IFN-I pathway activation assays in clinical research and practice. Ann Rheum Dis 2023;82:754-762.",
    "10.3389/fimmu.2021.702037": "Imgenberg-Kreuz J et al. DNA methylation-based interferon scores associate with sub-phenotypes "
    "in primary Sjögren's syndrome. Front Immunol 2021;12:702037.",
    "10.1186/s13059-020-02015-1": "Argelaguet R et al. MOFA+: a statistical framework for comprehensive integration of "
    "multi-modal single-cell data. Genome Biol 2020;21:111.",
    "10.1023/A:1023949509487": "Monti S et al. Consensus clustering. Mach Learn 2003;52:91-118.",
    "10.1111/1467-9868.00293": "Tibshirani R, Walther G, Hastie T. Estimating the number of clusters in a data set via the gap "
    "statistic. J R Stat Soc B 2001;63:411-423.",
    "10.1016/j.csda.2006.11.025": "Hennig C. Cluster-wise assessment of cluster stability. Comput Stat Data Anal "
    "2007;52:258-271.",
    "10.1214/aos/1176344136": "Schwarz G. Estimating the dimension of a model. Ann Stat 1978;6:461-464.",
}
# what is cited in the sentences, by a short name
NAMES = {
    "Snakemake": "10.12688/f1000research.29032.2",
    "DESeq2": "10.1186/s13059-014-0550-8",
    "PyDESeq2": "10.1093/bioinformatics/btad547",
    "apeGLM": "10.1093/bioinformatics/bty895",
    "limma": "10.2202/1544-6115.1027",
    "rank-sum": "10.2307/3001968",
    "CAMERA": "10.1093/nar/gks461",
    "BH": "10.1111/j.2517-6161.1995.tb02031.x",
    "Kirou": "10.1002/art.20798",
    "Feng": "10.1002/art.22044",
    "Rice": "10.1007/s10875-016-0359-1",
    "singscore": "10.1186/s12859-018-2435-4",
    "ssGSEA": "10.1038/nature08460",
    "BloodGen3": "10.1093/bioinformatics/btab121",
    "bootstrap": "10.1017/CBO9780511802843",
    "EULAR": "10.1136/ard-2022-223628",
    "methylation score": "10.3389/fimmu.2021.702037",
    "MOFA": "10.1186/s13059-020-02015-1",
    "consensus": "10.1023/A:1023949509487",
    "gap": "10.1111/1467-9868.00293",
    "Jaccard": "10.1016/j.csda.2006.11.025",
    "BIC": "10.1214/aos/1176344136",
}


@dataclass
class Citations:
    """The references of one text, numbered in the order in which they are first cited.

    Attributes
    ----------
    entries
        DOI, or what else the registry writes of a source, to the line in the list of references.
    """

    entries: dict[str, str] = field(default_factory=dict)

    def __call__(self, *names: str) -> str:
        """Cite papers by their names in `NAMES`: numbers in brackets."""
        return self._numbers({NAMES[name]: _line(NAMES[name], name) for name in names})

    def sources(self, sets: Mapping[str, str]) -> str:
        """Cite where gene sets come from; empty where no source is a paper or a patent.

        Parameters
        ----------
        sets
            Name of each set to its source as the registry writes it: DOIs, PubMed ids and patents, several joined by
            semicolons.
        """
        names: dict[str, list[str]] = {}
        for name, source in sets.items():
            for part in _parts(source):
                names.setdefault(part, []).append(name)
        return self._numbers({part: _line(part, series(of)) for part, of in names.items()}) if names else ""

    def _numbers(self, lines: Mapping[str, str]) -> str:
        for source, line in lines.items():
            self.entries.setdefault(source, line)
        known = list(self.entries)
        return f"[{_ranges(sorted(known.index(source) + 1 for source in lines))}]"

    def listed(self) -> str:
        """Write the list of references, one per line."""
        return "\n".join(f"{number}. {line}" for number, line in enumerate(self.entries.values(), start=1))


def is_cited(source: str) -> bool:
    """Whether a source of the registry is something that can be cited: a paper or a patent."""
    return bool(_parts(source))


def _parts(source: str) -> list[str]:
    parts = [part.strip() for part in source.split(";")]
    return [part for part in parts if any(known.fullmatch(part) for known in (_DOI, _PUBMED, _PATENT))]


def _line(source: str, what: str) -> str:
    """Write a reference: a paper whose title is known, or the source of some gene sets."""
    if source in PAPERS:
        return f"{PAPERS[source]} {DOI}{source}"
    if _DOI.fullmatch(source):
        return f"Source of {what}. {DOI}{source}"
    if found := _PUBMED.fullmatch(source):
        return f"Source of {what}. {PUBMED}{found.group(1)}/"
    return f"Source of {what}: patent {source}."


def _ranges(numbers: list[int]) -> str:
    """Write increasing numbers, three and more in a row as a range."""
    runs: list[list[int]] = []
    for each in numbers:
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
