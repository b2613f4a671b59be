"""Phase report: figures, page, methods text; one object for further analysis; provenance of every result."""

REPORT_TEMPLATES = WORKFLOW / "report"
# what the report tells of, and the export gathers
ANALYSED = ("inputs", "normalization", "differential_expression", "interferon", "integration", "stratification")
# the text, not the path: a moved clone reruns nothing
PHASES = (WORKFLOW / "Snakefile").read_text(encoding="utf-8")
# what a cohort's results may depend on: neither other cohorts nor who is placed in it later
COHORT_CONFIG = {key: value for key, value in CONFIG.items() if key not in ("cohorts", "transfer")}


for name, cohort in COHORTS.items():

    rule:
        name:
            f"report.{name}"
        input:
            **report_tables(name),
            types=samples_files(name)["types"],
            contrasts=contrast_files(cohort),
            views=matrices(view_files(f"{name}/normalization", cohort)),
            signature_files=existing(CONFIG["interferon"]["signature_files"]),
            manifests=manifests_of(name, *ANALYSED),
            sources=sources_of(name),
        output:
            pages=pages_of(name),
            methods=f"<results>/{name}/report/methods.md",
            figures=directory(f"<results>/{name}/report/figures"),
            tables=directory(f"<results>/{name}/report/tables"),
            manifest=f"<results>/{name}/report/files.tsv",
        log:
            f"<logs>/{name}/report.log",
        benchmark:
            f"<benchmarks>/{name}/report.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=2),
            runtime=minutes(15),
        params:
            cohort=cohort,
            config=COHORT_CONFIG,
            tables=sorted(report_tables(name)),
            code=digest("report", REPORT_TEMPLATES, SIGNATURES, GENE_SETS),
        message:
            f"Writing the report of cohort {name}"
        script:
            "../scripts/report.py"


rule export:
    input:
        **samples_files("{cohort}"),
        classes="<results>/{cohort}/interferon/classes.tsv",
        factors="<results>/{cohort}/integration/factors.tsv",
        strata="<results>/{cohort}/stratification/strata.tsv",
        views=lambda wildcards: matrices(view_files("{cohort}/normalization", COHORTS[wildcards.cohort])),
        weights=lambda wildcards: collect(
            "<results>/{cohort}/integration/weights_{view}.tsv.gz",
            cohort=wildcards.cohort,
            view=view_names(COHORTS[wildcards.cohort]),
        ),
        manifests=lambda wildcards: manifests_of(wildcards.cohort, *ANALYSED),
    output:
        cohort="<results>/{cohort}/cohort.h5mu",
        manifest="<results>/{cohort}/cohort_files.tsv",
    log:
        "<logs>/{cohort}/export.log",
    benchmark:
        "<benchmarks>/{cohort}/export.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(1500, per_input=4),
        runtime=minutes(15),
    params:
        views=lambda wildcards: view_names(COHORTS[wildcards.cohort]),
        code=digest("export"),
    message:
        "Gathering cohort {wildcards.cohort} in one MuData object"
    script:
        "../scripts/export.py"


rule provenance:
    input:
        results=lambda wildcards: recorded(wildcards.cohort),
        manifests=lambda wildcards: manifests_of(wildcards.cohort),
        sources=lambda wildcards: sources_of(wildcards.cohort),
    output:
        outputs="<results>/{cohort}/provenance/outputs.tsv",
        inputs="<results>/{cohort}/provenance/inputs.tsv",
        software="<results>/{cohort}/provenance/software.tsv",
        machine="<results>/{cohort}/provenance/machine.tsv",
        workflow="<results>/{cohort}/provenance/Snakefile",
        config="<results>/{cohort}/provenance/config.yaml",
        contract="<results>/{cohort}/provenance/contract_version",
        crate="<results>/{cohort}/provenance/ro-crate-metadata.json",
        manifest="<results>/{cohort}/provenance/files.tsv",
    log:
        "<logs>/{cohort}/provenance.log",
    benchmark:
        "<benchmarks>/{cohort}/provenance.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(15),
    params:
        subject="cohort {cohort}",
        config=lambda wildcards: COHORT_CONFIG | {"cohorts": [COHORTS[wildcards.cohort]]},
        contract=CONTRACT["version"],
        # a function, because Snakemake would fill the wildcards of the text
        workflow=lambda wildcards: PHASES,
        code=digest("provenance"),
    message:
        "Recording the provenance of cohort {wildcards.cohort}"
    script:
        "../scripts/provenance.py"


rule transfer_report:
    input:
        **samples_files("transfer/{name}"),
        reference=lambda wildcards: reference_files(TRANSFERS[wildcards.name]),
        patients="<results>/transfer/{name}/patients.tsv",
        factors="<results>/transfer/{name}/factors.tsv",
        notes="<results>/transfer/{name}/notes.tsv",
        verdicts="<results>/transfer/{name}/verdicts.tsv",
        provenance="<results>/transfer/{name}/provenance/reference.tsv",
        manifests=lambda wildcards: manifests_of(f"transfer/{wildcards.name}", "inputs", "transfer")
        + reference_manifests(TRANSFERS[wildcards.name]),
        sources=["<results>/transfer/{name}/inputs/sources.tsv"],
    output:
        page="<results>/transfer/{name}/report/index.html",
        figures=directory("<results>/transfer/{name}/report/figures"),
        tables=directory("<results>/transfer/{name}/report/tables"),
        manifest="<results>/transfer/{name}/report/files.tsv",
    log:
        "<logs>/transfer/{name}/report.log",
    benchmark:
        "<benchmarks>/transfer/{name}/report.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(1000, per_input=2),
        runtime=minutes(15),
    params:
        name="{name}",
        control=lambda wildcards: TRANSFERS[wildcards.name]["control"],
        shown=CONFIG["report"],
        contract=CONTRACT["version"],
        code=digest("transfer_report", REPORT_TEMPLATES),
    message:
        "Writing the report of new patients {wildcards.name}"
    script:
        "../scripts/transfer_report.py"


rule transfer_provenance:
    input:
        reference=lambda wildcards: reference_files(TRANSFERS[wildcards.name]),
        results=lambda wildcards: recorded(f"transfer/{wildcards.name}"),
        manifests=lambda wildcards: manifests_of(f"transfer/{wildcards.name}")
        + reference_manifests(TRANSFERS[wildcards.name]),
        sources=lambda wildcards: sources_of(f"transfer/{wildcards.name}"),
    output:
        outputs="<results>/transfer/{name}/provenance/outputs.tsv",
        inputs="<results>/transfer/{name}/provenance/inputs.tsv",
        software="<results>/transfer/{name}/provenance/software.tsv",
        machine="<results>/transfer/{name}/provenance/machine.tsv",
        workflow="<results>/transfer/{name}/provenance/Snakefile",
        config="<results>/transfer/{name}/provenance/config.yaml",
        contract="<results>/transfer/{name}/provenance/contract_version",
        crate="<results>/transfer/{name}/provenance/ro-crate-metadata.json",
        manifest="<results>/transfer/{name}/provenance/files.tsv",
    log:
        "<logs>/transfer/{name}/provenance.log",
    benchmark:
        "<benchmarks>/transfer/{name}/provenance.tsv"
    conda:
        "../../envs/stratifn.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(15),
    params:
        subject="new patients {name}",
        config=lambda wildcards: {
            "cohorts": [],
            "transfer": [TRANSFERS[wildcards.name]],
            "report": CONFIG["report"],
        },
        contract=CONTRACT["version"],
        # a function, because Snakemake would fill the wildcards of the text
        workflow=lambda wildcards: PHASES,
        code=digest("provenance"),
    message:
        "Recording the provenance of new patients {wildcards.name}"
    script:
        "../scripts/provenance.py"
