"""The console of a run, fed with Snakemake's records: what is said, what is not, and each problem once."""

from __future__ import annotations

import io
import logging
import os
import re
import time
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_stratifn import LogHandler, LogHandlerSettings, handler
from snakemake_logger_plugin_stratifn.jobs import duration, plan
from snakemake_logger_plugin_stratifn.words import NOISE, is_noise, plain_error, short_reason

COMMAND = "make run CONFIG=my.yaml"
FAILED_SCRIPT = (
    'RuleException:\nCalledProcessError in file "/clone/workflow/rules/inputs.smk", line 70:\n'
    "Command 'set -euo pipefail;  python /mine/.snakemake/scripts/tmp5fq9.inputs.py' returned non-zero exit status {}."
)
PROBLEM = "1 problem in the input; nothing was computed.\nsamples.tsv\n  - column disease: found `SLEE`."


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Run:
    """A run whose events the test makes."""

    def __init__(self, monkeypatch, stream, **settings):
        flags = ("printshellcmds", "nocolor", "debug_dag", "verbose", "show_failed_logs", "stdout", "dryrun")
        common = dict.fromkeys(flags, False) | {"quiet": None}
        monkeypatch.setattr(handler.sys, "stderr", stream)
        monkeypatch.setattr(handler.sys, "stdout", stream)
        options = LogHandlerSettings(command=COMMAND, result="The reports: results/*/report/index.html")
        self.stream = stream
        self.handler = LogHandler(SimpleNamespace(**common | settings), options)

    def say(self, message, event=None, level=logging.INFO, **extra):
        record = logging.LogRecord("snakemake.logging", level, __file__, 1, message, None, None)
        vars(record).update(extra, **({"event": event} if event else {}))
        self.handler.handle(record)

    def plan(self, **stats):
        self.say("Job stats:", LogEvent.RUN_INFO, stats=stats | {"total": sum(stats.values())})

    def start(
        self, jobid, rule="inputs.mine", message="Reading the inputs of cohort mine", *, log="inputs.log", **extra
    ):
        event = {"jobid": jobid, "rule_name": rule, "rule_msg": message, "log": [str(log)], "output": ["a.tsv"]}
        event |= {"wildcards": {}, "local": True, "reason": "Missing output files: results/mine/a.tsv"}
        self.say(f"Rule: {rule}", LogEvent.JOB_INFO, **event | extra)

    def finish(self, jobid):
        self.say("Finished", LogEvent.JOB_FINISHED, job_id=jobid)

    def fail(self, jobid, rule="inputs.mine", message=None, log=()):
        self.say("Error", LogEvent.JOB_ERROR, logging.ERROR, jobid=jobid, rule_name=rule, rule_msg=message, log=log)

    def error(self, message, exception="WorkflowError"):
        self.say(message, LogEvent.ERROR, logging.ERROR, exception=exception)

    def text(self):
        """Return what was printed in all, once the run is over, without the time of day."""
        self.handler.close()
        return re.sub(r"\d\d:\d\d:\d\d  ", "", self.stream.getvalue())


@pytest.fixture
def run(monkeypatch):
    made = Run(monkeypatch, io.StringIO())
    yield made
    made.handler.close()


@pytest.fixture
def terminal(monkeypatch):
    made = Run(monkeypatch, Terminal())
    yield made
    made.handler.close()


def test_a_run_shows_its_phases_every_job_and_how_many_are_done(run):
    run.plan(**{"inputs.mine": 1, "mofa": 2, "default": 1})
    run.start(1)
    run.finish(1)
    run.start(2, "mofa", "Training MOFA on cohort mine, seed 1")
    assert run.text().splitlines() == [
        "4 jobs: inputs, mofa (2)",
        "0/4  start   Reading the inputs of cohort mine",
        "1/4  done    Reading the inputs of cohort mine, 0:00",
        "1/4  start   Training MOFA on cohort mine, seed 1",
        "stopped after 0:00, 1 of 4 done",
    ]


def test_what_a_message_adds_in_brackets_is_told_once(run):
    run.plan(**{"inputs.mine": 1, "default": 1})
    run.start(1, message="Reading the inputs of cohort mine (900 MB of memory; if it is killed: ask for more)")
    run.finish(1)
    assert run.text().splitlines()[1:3] == [
        "0/2  start   Reading the inputs of cohort mine (900 MB of memory; if it is killed: ask for more)",
        "1/2  done    Reading the inputs of cohort mine, 0:00",
    ]


def test_a_finished_run_ends_with_its_time_and_the_reports(run):
    run.plan(**{"inputs.mine": 1, "default": 1})
    run.start(1)
    run.finish(1)
    run.start(0, "default", "All results are complete", output=[])
    run.finish(0)
    assert run.text().splitlines()[2:] == [
        "1/2  done    Reading the inputs of cohort mine, 0:00",
        "2/2  finished in 0:00",
        "The reports: results/*/report/index.html",
    ]


def test_a_failed_job_names_its_log_and_what_to_type_and_nothing_twice(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run.plan(**{"inputs.mine": 1, "mofa": 2})
    run.start(1)
    # what Snakemake says of one failure; the job itself has written its problem to standard error
    run.error(FAILED_SCRIPT.format(1), "RuleException")
    run.fail(1, log=["inputs.log"])
    run.say("Exiting because a job execution failed. Look above for error messages", level=logging.ERROR)
    run.error("WorkflowError:\nAt least one job did not complete successfully.")
    assert run.text().splitlines()[2:] == [
        "0/3  failed  Reading the inputs of cohort mine, 0:00",
        f"          log: {tmp_path}/inputs.log",
        "1 job failed after 0:00, 0 of 3 done",
        f"Finished results are kept. When the problem is solved, start again: {COMMAND}",
    ]


def test_on_a_cluster_the_problem_is_read_from_the_log_of_the_job_and_shown_once(run, tmp_path):
    log, of_slurm = tmp_path / "inputs.log", tmp_path / "17.log"
    log.write_text(f"INFO stratifn.progress: reading\nERROR stratifn: {PROBLEM}\nDEBUG stratifn: more\n")
    run.plan(**{"inputs.mine": 1})
    for _ in range(3):
        run.start(1, log=log, local=False)
        run.fail(1, message="SLURM-job '17' failed, SLURM status is: 'FAILED'.", log=[str(log), str(of_slurm)])
        run.say("Trying to restart job 1.")
    text = run.text()
    assert text.count(PROBLEM) == 1
    assert "submit" in text
    assert "SLURM-job" not in text
    assert str(of_slurm) in text


def test_what_an_earlier_run_left_in_a_log_is_not_told_of_this_one(run, tmp_path):
    log = tmp_path / "inputs.log"
    log.write_text(f"INFO stratifn.progress: draws: 5 of 9\nERROR stratifn: {PROBLEM}\n")
    os.utime(log, (time.time() - 60,) * 2)
    run.plan(**{"inputs.mine": 1})
    run.start(1, log=log, local=False)
    assert run.handler.running[1].progress() == ""
    run.fail(1, message="SLURM-job '17' failed, SLURM status is: 'NODE_FAIL'.")
    assert "NODE_FAIL" in run.text()
    assert PROBLEM not in run.text()


def test_a_job_that_left_no_word_on_a_cluster_is_told_by_slurms(run, tmp_path):
    run.plan(**{"mofa": 1})
    run.start(1, log=tmp_path / "never written.log", local=False)
    run.fail(1, message="SLURM-job '17' failed, SLURM status is: 'OUT_OF_MEMORY'.")
    assert "SLURM status is: 'OUT_OF_MEMORY'" in run.text()


@pytest.mark.parametrize("status", ["exit status 137", "exit status 1"])
def test_a_killed_job_is_told_from_one_that_stopped_itself(run, status):
    run.plan(**{"mofa": 1})
    run.start(1)
    run.error(FAILED_SCRIPT.format(1).replace("exit status 1", status), "RuleException")
    run.fail(1)
    assert ("ended from outside by SIGKILL; often there was too little memory" in run.text()) == (status[-3:] == "137")


def test_a_lock_is_one_sentence_with_what_to_type(run):
    run.error("LockException:\nError: Directory cannot be locked. Please make sure ...", "LockException")
    (line,) = run.text().splitlines()
    assert f'type `{COMMAND} ARGS="--unlock"`' in line


def test_an_error_of_the_configuration_is_its_message_alone(run):
    run.error(
        f'WorkflowError in file "/clone/workflow/rules/common.smk", line 27:\n{PROBLEM}\n  File "x", line 2, in f'
    )
    assert run.text() == f"{PROBLEM}\n"


def test_other_errors_and_warnings_are_shown_whole_and_once(run):
    for _ in range(2):
        run.error("MissingInputException in rule x:\nMissing input files: a.tsv", "MissingInputException")
        run.say("No SLURM account given, trying to guess.", level=logging.WARNING)
    assert run.text().splitlines() == [
        "MissingInputException in rule x:",
        "Missing input files: a.tsv",
        "No SLURM account given, trying to guess.",
    ]


def test_ctrl_c_says_that_results_are_kept_and_blames_no_job(run):
    run.plan(**{"mofa": 2})
    run.start(1)
    run.error(FAILED_SCRIPT.format(130), "RuleException")
    run.fail(1)
    run.say("Terminating processes on user request, this might take some time.")
    run.error("WorkflowError:\nAt least one job did not complete successfully.")
    assert run.text().splitlines()[2:] == [
        "stopping the running jobs ...",
        f"stopped by the user; finished results are kept. To go on, start again: {COMMAND}",
    ]


def test_a_run_that_is_asked_to_end_says_that_it_finishes_what_runs(run):
    run.plan(**{"mofa": 2})
    run.start(1)
    for _ in range(2):
        run.say("Will exit after finishing currently running jobs (scheduler).")
    run.finish(1)
    assert run.text().splitlines()[2:] == [
        "finishing the running jobs, then stopping ...",
        "1/2  done    Reading the inputs of cohort mine, 0:00",
        f"stopped by the user; finished results are kept. To go on, start again: {COMMAND}",
    ]


def test_a_dry_run_says_what_would_run_and_why(monkeypatch):
    run = Run(monkeypatch, io.StringIO(), dryrun=True, stdout=True)
    run.plan(**{"inputs.mine": 1})
    run.start(
        1, reason="Missing output files: results/mine/b.tsv, results/mine/a.tsv; Updated input files: samples.tsv"
    )
    run.finish(1)
    run.plan(**{"inputs.mine": 1})
    assert run.text().splitlines() == [
        "1 job: inputs",
        "  Reading the inputs of cohort mine (missing: a.tsv and 1 more, changed: samples.tsv)",
        "Nothing was run (-n).",
    ]


def test_nothing_to_do_is_said_with_where_the_reports_are(run):
    run.say("Nothing to be done (all requested files are present and up to date).")
    assert run.text().splitlines() == [
        "nothing to do: every result is there and up to date",
        "The reports: results/*/report/index.html",
    ]


def test_a_terminal_shows_running_jobs_with_their_progress_in_one_line(terminal, tmp_path):
    log = tmp_path / "mofa_3.log"
    log.write_text(
        "INFO stratifn.progress: MOFA iterations: 5 of 1,000\nINFO stratifn.progress: MOFA iterations: 40 of 1,000\n"
    )
    terminal.plan(mofa=5)
    terminal.start(
        1, "mofa", "Training MOFA on cohort mine, seed 3", log=log, wildcards={"cohort": "mine", "seed": "3"}
    )
    printed = terminal.stream.getvalue()
    assert printed.endswith("\r\033[K0/5 done; running: mofa 3 0:00 (MOFA iterations: 40 of 1,000)")
    assert "start" not in printed
    terminal.finish(1)
    # the line of status is erased before a line that stays
    shown = terminal.stream.getvalue().removeprefix(printed)
    assert re.fullmatch(r"\r\033\[K[\d:]+  1/5  done    Training MOFA on cohort mine, seed 3, 0:00\n", shown)


def test_without_a_terminal_running_jobs_are_listed_now_and_then(monkeypatch, tmp_path):
    monkeypatch.setattr(handler, "FIRST_LIST", 0.0)
    log = tmp_path / "mofa_3.log"
    log.write_text("INFO stratifn.progress: MOFA iterations: 40 of 1,000\n")
    run = Run(monkeypatch, io.StringIO())
    run.plan(mofa=5)
    run.start(1, "mofa", "Training", log=log, wildcards={"seed": "3"})
    run.handler.list_running()
    assert "0/5  running mofa 3 0:00 (MOFA iterations: 40 of 1,000)" in run.text()
    assert "\033" not in run.stream.getvalue()


def test_snakemakes_small_talk_is_left_out_and_what_is_unknown_is_not(run):
    for words in NOISE:
        run.say(f"{words} ...")
    run.say("Job 3 has been submitted with SLURM jobid 12 (log: x.log).")
    run.say("SLURM run ID: 4f1c")
    assert run.text() == "SLURM run ID: 4f1c\n"


def test_a_console_that_cannot_be_written_does_not_end_the_run(monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    run = Run(monkeypatch, Full())
    run.plan(mofa=1)
    run.start(1)
    run.finish(1)
    assert run.handler.done == 1


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Missing output files: r/a.tsv", "missing: a.tsv"),
        ("Missing output files: r/a.tsv; Input files updated by another job: x", "missing: a.tsv"),
        ("Input files updated by another job: x, y", "a job before it runs"),
        ("Code has changed since last execution", "its script changed"),
        ("Params have changed since last execution: before; after", "settings, code of the library or data changed"),
        ("Something that a later Snakemake says", "Something that a later Snakemake says"),
    ],
)
def test_reasons_are_a_few_words(reason, expected):
    assert short_reason(reason) == expected


def test_times_are_written_as_on_a_clock():
    assert [duration(seconds) for seconds in (5.9, 760, 10931)] == ["0:05", "12:40", "3:02:11"]


def test_phases_of_several_cohorts_are_counted_together():
    assert plan({"inputs.a": 1, "inputs.b": 1, "mofa": 10, "all": 1, "total": 13}) == "inputs (2), mofa (10)"


def test_an_error_in_a_rules_file_keeps_its_sentence():
    assert plain_error("NameError in file \"a.smk\", line 3:\nname 'x' is not defined").startswith("NameError in file")
    assert not is_noise("Unlocked working directory.")
