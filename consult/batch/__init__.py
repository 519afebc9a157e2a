"""Many consultations by one plan: which cells it has, running those that are missing, and what they came to.

`plan` is the file format, `cells` the consultations it stands for, `engine` runs them on all cores with one writer,
`results` says what they came to. sim (and with it langgraph) is imported only when cells are made. Prints nothing. See
docs/batch.md.
"""

from consult.batch.cells import Cells, setups
from consult.batch.engine import Done, execute
from consult.batch.plan import ALL, Plan, default_scenario, load_plan, scenario_paths
from consult.batch.results import line_ups, rows_of

__all__ = [
    "ALL",
    "Cells",
    "Done",
    "Plan",
    "default_scenario",
    "execute",
    "line_ups",
    "load_plan",
    "rows_of",
    "scenario_paths",
    "setups",
]
