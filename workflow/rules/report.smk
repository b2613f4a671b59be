"""Phase report: figures, page, methods text; one object for further analysis; provenance of every result."""

for name, cohort in COHORTS.items():

    rule:
        name:
            f"report_{name}"
        input:
            **report_tables(cohort),
            types=f"<results>/{name}/inputs/samples.types.json",
            contrasts=contrast_files(cohort),
            views=view_files("normalization", cohort),
        output:
            pages=collect("<results>/{cohort}/report/{page}.html", cohort=name, page=["index", *cohort["diseases"]]),
            methods=f"<results>/{name}/report/methods.md",
            figures=directory(f"<results>/{name}/report/figures"),
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
            tables=sorted(report_tables(cohort)),
            code=digest("report", REPORT_TEMPLATES),
        message:
            f"Writing the report of cohort {name}"
        script:
            "../scripts/report.py"

    rule:
        name:
            f"mudata_{name}"
        input:
            **export_tables(name),
            samples=f"<results>/{name}/inputs/samples.tsv",
            types=f"<results>/{name}/inputs/samples.types.json",
            views=view_files("normalization", cohort),
            weights=weight_files(cohort),
        output:
            f"<results>/{name}/cohort.h5mu",
        log:
            f"<logs>/{name}/mudata.log",
        benchmark:
            f"<benchmarks>/{name}/mudata.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1500, per_input=4),
            runtime=minutes(15),
        params:
            views=[view["name"] for view in cohort["views"]],
            code=digest("mudata"),
        message:
            f"Gathering cohort {name} in one MuData object"
        script:
            "../scripts/mudata.py"

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
            mem_mb=megabytes(1000),
            runtime=minutes(15),
        params:
            subject=f"cohort {name}",
            config=COHORT_CONFIG | {"cohorts": [cohort]},
            paths=list(input_paths(cohort).values()),
            contract=CONTRACT_VERSION,
            code=digest("provenance"),
        message:
            f"Recording the provenance of cohort {name}"
        script:
            "../scripts/provenance.py"


for name, item in TRANSFERS.items():

    rule:
        name:
            f"transfer_report_{name}"
        input:
            reference=reference_files(item),
            samples=f"<results>/transfer/{name}/inputs/samples.tsv",
            types=f"<results>/transfer/{name}/inputs/samples.types.json",
            patients=f"<results>/transfer/{name}/patients.tsv",
            factors=f"<results>/transfer/{name}/factors.tsv",
            notes=f"<results>/transfer/{name}/notes.tsv",
            provenance=f"<results>/transfer/{name}/provenance/reference.tsv",
        output:
            page=f"<results>/transfer/{name}/report/index.html",
            figures=directory(f"<results>/transfer/{name}/report/figures"),
        log:
            f"<logs>/transfer/{name}/report.log",
        benchmark:
            f"<benchmarks>/transfer/{name}/report.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1000, per_input=2),
            runtime=minutes(15),
        params:
            name=name,
            shown=CONFIG["report"],
            contract=CONTRACT_VERSION,
            code=digest("transfer_report", REPORT_TEMPLATES),
        message:
            f"Writing the report of new patients {name}"
        script:
            "../scripts/transfer_report.py"


for name, item in TRANSFERS.items():

    rule:
        name:
            f"transfer_provenance_{name}"
        input:
            files=input_files(item),
            reference=reference_files(item),
            results=transfer_outputs(item),
        output:
            outputs=f"<results>/transfer/{name}/provenance/outputs.tsv",
            inputs=f"<results>/transfer/{name}/provenance/inputs.tsv",
            software=f"<results>/transfer/{name}/provenance/software.tsv",
            config=f"<results>/transfer/{name}/provenance/config.yaml",
            contract=f"<results>/transfer/{name}/provenance/contract_version",
            crate=f"<results>/transfer/{name}/provenance/ro-crate-metadata.json",
        log:
            f"<logs>/transfer/{name}/provenance.log",
        benchmark:
            f"<benchmarks>/transfer/{name}/provenance.tsv"
        conda:
            "../../envs/stratifn.yaml"
        resources:
            mem_mb=megabytes(1000),
            runtime=minutes(15),
        params:
            subject=f"new patients {name}",
            config={"cohorts": [], "transfer": [item], "report": CONFIG["report"]},
            paths=[*input_paths(item).values(), *reference_paths(item)],
            contract=CONTRACT_VERSION,
            code=digest("provenance"),
        message:
            f"Recording the provenance of new patients {name}"
        script:
            "../scripts/provenance.py"
