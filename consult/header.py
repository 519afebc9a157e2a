"""The first line of a transcript: what was played by whom, and the hashes of everything that it came from.

Owns the version of the format. See docs/transcript.md; the events are in `consult.events`.
"""

from __future__ import annotations

from typing import Literal

from consult.files import Record
from consult.terms import Resolver, Said

SCHEMA_VERSION = 1


class Provenance(Record):
    """Everything a consultation came from."""

    version: str
    commit: str | None
    scenario: str
    """sha256 of the scenario's content; likewise below."""
    persona: str
    hospital: str
    knowledge: str
    prompts: dict[str, str] = {}
    """Hashes of prompt templates by name, and of what else an inquirer by a model was given (`inquirer/classifier`,
    `inquirer/pictures`, `inquirer/persona-prompt`, `inquirer/few-shot`)."""
    models: dict[str, str] = {}
    """Model ids as returned, by role."""
    resolver: Resolver = Resolver.LEXICON
    """How questions were understood."""


class Header(Record):
    """The first line of a transcript."""

    type: Literal["header"] = "header"
    schema_version: int = SCHEMA_VERSION
    consultation_id: Said
    parent: Said | None = None
    """The consultation it was forked from."""
    scenario: Said
    persona: Said
    hospital: Said
    knowledge: Said
    agents: dict[Said, Said]
    """Agent specs by role."""
    limits: dict[str, int]
    epoch: int
    seed: int
    names: dict[Said, Said] = {}
    """Plain names of what is shown: speaker, patient."""
    provenance: Provenance
