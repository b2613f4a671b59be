"""The console of a run: `snakemake --logger stratifn`, with the folder of this package on PYTHONPATH.

Snakemake finds logger plugins by the name of their package. `make` names this one; no profile does, because a plugin
that cannot be imported stops every run.
"""

from snakemake_logger_plugin_stratifn.handler import LogHandler
from snakemake_logger_plugin_stratifn.settings import LogHandlerSettings

__all__ = ["LogHandler", "LogHandlerSettings"]
