"""Start-up of the light commands against the heavy imports that they must not make.

    python benchmarks/startup.py [--rounds 7]

Whole processes, wall clock, in turn (A B C A B C ...): `consult --help`, `consult list scenarios`, and
`python -c "import langgraph.graph, litellm"` (with LITELLM_LOCAL_MODEL_COST_MAP=True, so that no network is asked).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "consult --help": [sys.executable, "-m", "consult", "--help"],
    "consult list scenarios": [sys.executable, "-m", "consult", "list", "scenarios"],
    "import langgraph.graph, litellm": [sys.executable, "-c", "import langgraph.graph, litellm"],
}


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for i in range(-1, rounds):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if i >= 0:
                times[name].append(time.perf_counter() - start)
    heavy = times["import langgraph.graph, litellm"]
    for name, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, heavy, strict=True))
        print(f"{name:32s} median {statistics.median(taken):.2f} s   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
