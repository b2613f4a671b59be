"""Phase interferon: signature scores against the cohort's own controls, classes with their certainty, prevalence."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"interferon_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            rna=rna_file("inputs", cohort),
            concentrations=view_files("inputs", cohort, ["concentration"]),
            methylation=view_files("normalization", cohort, ["beta"])[:1],
            cells=view_files("normalization", cohort, ["proportion"])[:1],
            signature_files=existing(CONFIG["interferon"]["signature_files"]),
            reference=existing(interferon_reference_files()),
        output:
            tables=table_files(name, "interferon", INTERFERON_TABLES),
        log:
            f"<logs>/{name}/interferon.log",
        benchmark:
            f"<benchmarks>/{name}/interferon.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(2000, per_input=3),
            runtime=minutes(20),
        params:
            cohort=settings_of(cohort, "control", "control_type", "specimen", "platform"),
            settings=CONFIG["interferon"],
            contract=CONTRACT_VERSION,
            code=digest("interferon", SIGNATURES, GENE_SETS),
        message:
            f"Scoring interferon signatures in cohort {name}"
        script:
            "../scripts/interferon.py"
