"""`python -m consult`: the command line."""

import sys

from consult.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
