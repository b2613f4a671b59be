"""Phase differential_expression: one fit of the view rna, every contrast from it; IFN-high against low afterwards."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"differential_expression_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            rna=rna_file("normalization", cohort),
            gene_sets=existing(CONFIG["differential_expression"]["gene_sets"]),
        output:
            summary=f"<results>/{name}/differential_expression/summary.tsv",
            cross_disease=f"<results>/{name}/differential_expression/cross_disease.tsv.gz",
            enrichment=f"<results>/{name}/differential_expression/enrichment.tsv",
            permutation=f"<results>/{name}/differential_expression/permutation.tsv",
            design=f"<results>/{name}/differential_expression/design.tsv",
            notes=f"<results>/{name}/differential_expression/notes.tsv",
            tables=contrast_files(cohort),
        log:
            f"<logs>/{name}/differential_expression.log",
        benchmark:
            f"<benchmarks>/{name}/differential_expression.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(2000, per_input=10),
            runtime=minutes(30, per_input=0.2),
        params:
            cohort=settings_of(cohort, "diseases", "control", "design"),
            settings=CONFIG["differential_expression"],
            contrasts=CONFIG["contrasts"],
            code=digest("differential_expression", SIGNATURES, GENE_SETS),
        message:
            f"Testing differential expression in cohort {name}"
        script:
            "../scripts/differential_expression.py"


for name, cohort in with_rna(COHORTS):

    rule:
        name:
            f"interferon_status_{name}"
        input:
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            rna=rna_file("normalization", cohort),
            classes=f"<results>/{name}/interferon/classes.tsv",
        output:
            summary=f"<results>/{name}/differential_expression/interferon_status.tsv",
            notes=f"<results>/{name}/differential_expression/interferon_status_notes.tsv",
            tables=status_files(cohort),
        log:
            f"<logs>/{name}/interferon_status.log",
        benchmark:
            f"<benchmarks>/{name}/interferon_status.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(2000, per_input=10),
            runtime=minutes(30, per_input=0.2),
        params:
            cohort=settings_of(cohort, "diseases", "design"),
            alpha=CONFIG["differential_expression"]["alpha"],
            signature=CONFIG["interferon"]["signature"],
            signature_files=CONFIG["interferon"]["signature_files"],
            code=digest("interferon_status", SIGNATURES),
        message:
            f"Comparing IFN-high with IFN-low patients of cohort {name}"
        script:
            "../scripts/interferon_status.py"
