"""The options of the console: `--logger-stratifn-command` and `--logger-stratifn-result`."""

# no postponed annotations: Snakemake converts the options with the annotations themselves

from dataclasses import dataclass, field

from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """What the caller of Snakemake knows and Snakemake does not."""

    command: str = field(default="", metadata={"help": "What the user typed, for the hints on how to go on."})
    result: str = field(default="", metadata={"help": "What to say when all results are there."})
