"""Moving what one connector keeps to another of its kind, with what was granted on it."""

from sre_core.migration.ends import End
from sre_core.migration.grants import GrantsCopy
from sre_core.migration.report import Difference, Listener, Outcome, Report, Survey
from sre_core.migration.storage import StorageCopy
from sre_core.migration.vault import VaultCopy
from sre_core.migration.vectors import VectorsCopy

__all__ = [
    "Difference",
    "End",
    "GrantsCopy",
    "Listener",
    "Outcome",
    "Report",
    "StorageCopy",
    "Survey",
    "VaultCopy",
    "VectorsCopy",
]
