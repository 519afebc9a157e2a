"""Others' data brought in: each module reads one foreign format into scenarios or a knowledge. Imports no agents."""
