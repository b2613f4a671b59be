"""Phase interferon: signature scores against the cohort's own controls, classes with their certainty, prevalence."""


rule interferon:
    input:
        **samples_files("{cohort}"),
        rna=lambda wildcards: matrices(rna_file("{cohort}/inputs", COHORTS[wildcards.cohort])),
        concentrations=lambda wildcards: matrices(
            view_files("{cohort}/inputs", COHORTS[wildcards.cohort], ["concentration"])
        ),
        methylation=lambda wildcards: matrices(
            view_files("{cohort}/normalization", COHORTS[wildcards.cohort], ["beta"])[:1]
        ),
        cells=lambda wildcards: matrices(
            view_files("{cohort}/normalization", COHORTS[wildcards.cohort], ["proportion"])[:1]
        ),
        signature_files=existing(CONFIG["interferon"]["signature_files"]),
        reference=existing(frozen_files(CONFIG["interferon"]["reference"])),
        manifests=lambda wildcards: manifests_of(wildcards.cohort, "inputs", "normalization"),
    output:
        tables=collect("<results>/{{cohort}}/{table}", table=phase_tables(CONTRACT, "interferon")),
        sources="<results>/{cohort}/interferon/sources.tsv",
        manifest="<results>/{cohort}/interferon/files.tsv",
    log:
        "<logs>/{cohort}/interferon.log",
    benchmark:
        "<benchmarks>/{cohort}/interferon.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(2000, per_input=3),
        runtime=minutes(20),
    params:
        control=lambda wildcards: COHORTS[wildcards.cohort]["control"],
        origin=lambda wildcards: settings_of(COHORTS[wildcards.cohort], "specimen", "platform", "control_type"),
        settings=CONFIG["interferon"],
        contract=CONTRACT["version"],
        sizes=sizes(CONFIG["interferon"]["signature_files"] + frozen_files(CONFIG["interferon"]["reference"])),
        code=digest("interferon", SIGNATURES, GENE_SETS),
    message:
        "Scoring interferon signatures in cohort {wildcards.cohort}"
    script:
        "../scripts/interferon.py"
