"""What the numbers of a run mean and what they cannot say: `report` of a run, `compare` of two, `tidy` rows.

`model` is the data that every renderer draws from, `table` reads the store into columns, `measures` knows the scores. Prints
nothing. Must not import batch, sim or agents (but
for what a spec says). See docs/report.md.
"""

from consult.report.build import report
from consult.report.comparison import Comparison
from consult.report.model import Report
from consult.report.rows import tidy
from consult.report.versus import compare

__all__ = ["Comparison", "Report", "compare", "report", "tidy"]
