"""Phase interferon: signature scores against the cohort's own controls, classes with their certainty, prevalence."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"interferon_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
            rna=rna_file("inputs", cohort),
        output:
            scores=f"<results>/{name}/interferon/scores.tsv",
            reference=f"<results>/{name}/interferon/reference.tsv",
            classes=f"<results>/{name}/interferon/classes.tsv",
            prevalence=f"<results>/{name}/interferon/prevalence.tsv",
            agreement=f"<results>/{name}/interferon/agreement.tsv",
            notes=f"<results>/{name}/interferon/notes.tsv",
        log:
            f"<logs>/{name}/interferon.log",
        benchmark:
            f"<benchmarks>/{name}/interferon.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(2000, per_input=40),
            runtime=minutes(20, per_input=0.5),
        params:
            cohort=settings_of(cohort, "control", "control_type", "specimen", "platform"),
            settings=CONFIG["interferon"],
            code=digest("interferon", SIGNATURES, GENE_SETS),
        message:
            f"Scoring interferon signatures in cohort {name}"
        script:
            "../scripts/interferon.py"
