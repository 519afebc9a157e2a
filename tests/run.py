"""Every check and test in order: `python tests/run.py`. Stops at the first failure and leaves with its exit code.

Run by the environment's own Python: the tools are taken from beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
STEPS = {
    "lint": ("-m", "ruff", "check", "--output-format", "concise"),
    "format": ("-m", "ruff", "format", "--check"),
    "types": ("-m", "mypy"),
    "layers": ("-c", LINT_IMPORTS),
    "tests": ("-m", "pytest", "-p", "xdist.plugin", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"),
}
"""What a file of tests shares is made once, and tests/conftest.py says which files go first."""


def main() -> int:
    """The exit code of the first step that fails, else 0. The last line printed is pytest's summary."""
    env = os.environ | {"PYTHONUTF8": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # pytest rewrites all of each plug-in
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # or each of some hundred processes would compile all of it again
    for name, args in STEPS.items():
        print(f"-- {name}", flush=True)
        code = subprocess.run((sys.executable, *args), cwd=ROOT, env=env, stdin=subprocess.DEVNULL).returncode
        if code:
            if name != "tests":
                print(f"-- {name} failed ({code})", flush=True)
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
