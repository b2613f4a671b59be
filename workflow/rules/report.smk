"""Phase report: figures, page, methods text; one object for further analysis; provenance of every result."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"report_{name}"
        input:
            **report_tables(cohort),
            contrasts=contrast_files(cohort),
            views=view_files("normalization", cohort),
        output:
            page=f"<results>/{name}/report/index.html",
            methods=f"<results>/{name}/report/methods.md",
            figures=directory(f"<results>/{name}/report/figures"),
        log:
            f"<logs>/{name}/report.log",
        benchmark:
            f"<benchmarks>/{name}/report.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=10),
            runtime=minutes(15),
        params:
            cohort=cohort,
            config=COHORT_CONFIG,
            tables=sorted(report_tables(cohort)),
            code=digest("report", REPORT_TEMPLATES),
        message:
            f"Writing the report of cohort {name}"
        script:
            "../scripts/report.py"

    rule:
        name:
            f"cohort_{name}"
        input:
            **export_tables(name),
            samples=f"<results>/{name}/inputs/samples.tsv",
            views=view_files("normalization", cohort),
            weights=weight_files(cohort),
        output:
            f"<results>/{name}/cohort.h5mu",
        log:
            f"<logs>/{name}/cohort.log",
        benchmark:
            f"<benchmarks>/{name}/cohort.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=20),
            runtime=minutes(15),
        params:
            views=[view["name"] for view in cohort["views"]],
            code=digest("cohort"),
        message:
            f"Gathering cohort {name} in one MuData object"
        script:
            "../scripts/cohort.py"

    rule:
        name:
            f"provenance_{name}"
        input:
            files=input_files(cohort),
            results=all_outputs(cohort),
        output:
            outputs=f"<results>/{name}/provenance/outputs.tsv",
            inputs=f"<results>/{name}/provenance/inputs.tsv",
            software=f"<results>/{name}/provenance/software.tsv",
            config=f"<results>/{name}/provenance/config.yaml",
            contract=f"<results>/{name}/provenance/contract_version",
            crate=f"<results>/{name}/provenance/ro-crate-metadata.json",
        log:
            f"<logs>/{name}/provenance.log",
        benchmark:
            f"<benchmarks>/{name}/provenance.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1000, per_input=0),
            runtime=minutes(15),
        params:
            cohort=cohort,
            config=COHORT_CONFIG,
            paths=input_paths(cohort),
            contract=CONTRACT_VERSION,
            code=digest("provenance"),
        message:
            f"Recording the provenance of cohort {name}"
        script:
            "../scripts/provenance.py"
