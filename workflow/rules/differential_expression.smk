"""Phase differential_expression: one fit of the view rna, every contrast from it; IFN-high against low afterwards."""

WITH_RNA = {name: cohort for name, cohort in COHORTS.items() if holds(RNA, cohort)}


for name, cohort in COHORTS.items():

    rule:
        name:
            f"differential_expression.{name}"
        input:
            **samples_files(name),
            rna=matrices(rna_file(f"{name}/normalization", cohort)),
            gene_sets=existing(CONFIG["differential_expression"]["gene_sets"]),
            manifests=manifests_of(name, "inputs", "normalization"),
        output:
            summary=f"<results>/{name}/differential_expression/summary.tsv",
            cross_disease=f"<results>/{name}/differential_expression/cross_disease.tsv.gz",
            enrichment=f"<results>/{name}/differential_expression/enrichment.tsv",
            permutation=f"<results>/{name}/differential_expression/permutation.tsv",
            design=f"<results>/{name}/differential_expression/design.tsv",
            verdicts=f"<results>/{name}/differential_expression/verdicts.tsv",
            notes=f"<results>/{name}/differential_expression/notes.tsv",
            tables=contrast_files(cohort),
            sources=f"<results>/{name}/differential_expression/sources.tsv",
            manifest=f"<results>/{name}/differential_expression/files.tsv",
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
            sizes=sizes(CONFIG["differential_expression"]["gene_sets"]),
            code=digest("differential_expression", SIGNATURES, GENE_SETS),
        message:
            f"Testing differential expression in cohort {name}"
        script:
            "../scripts/differential_expression.py"


for name, cohort in WITH_RNA.items():

    rule:
        name:
            f"interferon_status.{name}"
        input:
            **samples_files(name),
            rna=matrices(rna_file(f"{name}/normalization", cohort)),
            classes=f"<results>/{name}/interferon/classes.tsv",
            signature_files=existing(CONFIG["interferon"]["signature_files"]),
            manifests=manifests_of(name, "inputs", "normalization", "interferon"),
            sources=f"<results>/{name}/interferon/sources.tsv",
        output:
            summary=f"<results>/{name}/differential_expression/interferon_status.tsv",
            notes=f"<results>/{name}/differential_expression/interferon_status_notes.tsv",
            tables=collect(
                "<results>/{cohort}/differential_expression/{contrast}.tsv.gz",
                cohort=name,
                contrast=interferon_contrast_names(cohort["diseases"]),
            ),
            manifest=f"<results>/{name}/differential_expression/interferon_status_files.tsv",
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
            settings=CONFIG["differential_expression"],
            signature=CONFIG["interferon"]["signature"],
            signature_files=CONFIG["interferon"]["signature_files"],
            code=digest("interferon_status", SIGNATURES, GENE_SETS),
        message:
            f"Comparing IFN-high with IFN-low patients of cohort {name}"
        script:
            "../scripts/interferon_status.py"
