"""The linter of everything that people write: scenarios, personas, hospitals, knowledge and plans.

Loading says whether a file has the right form; this package says whether it is right: that ids exist, that words read
back as what they stand for, that nothing gives the answer away. Runs nothing and prints nothing. See docs/cli.md.
"""

from consult.check.hospitals import check_hospital
from consult.check.knowledges import check_knowledge
from consult.check.paths import check_paths
from consult.check.personas import check_persona
from consult.check.scenarios import check_scenario

__all__ = ["check_hospital", "check_knowledge", "check_paths", "check_persona", "check_scenario"]
