"""The command line: thin commands over the rest, each importing what it needs only when it runs."""
