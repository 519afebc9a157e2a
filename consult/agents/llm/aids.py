"""What an inquirer that is a model is given beside what is said: pictures, a classifier's opinion, words of the user's own.

Owns what of it counts for a line-up, its hashes, and its making for one case. Must not import sim or batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from consult.agents.llm.briefing import NO_WORDS, Briefing
from consult.agents.llm.classifiers import TOP_K, Classifier, PlugIn, suggestion
from consult.agents.llm.pictures import Picture, Sight, blanks, captions_of, content_of, sight
from consult.agents.llm.spec import BLANK, CLASSIFIER, LOOKING, PREFIX, WRONG, ModelSpec, parse
from consult.agents.llm.talk import Models
from consult.errors import UsageError
from consult.events import Event, Suggested
from consult.knowledge.model import Knowledge
from consult.scenario import Scenario
from consult.seeds import digest

_NO_CLASSIFIER: Final = (
    "--classifier: the strategy classifier needs one (mend: for example --classifier simulated:0.6/0.85)"
)
_NO_OTHER: Final = "--pictures: there is no picture of another condition for {} (mend: add cases with pictures, or choose another control)"


class Contents(NamedTuple):
    """sha256 over the pictures of an album."""

    own: str = ""
    others: str = ""


class Album(NamedTuple):
    """The pictures of one case, and those that take their place in the control `wrong-image`."""

    own: tuple[Picture, ...] = ()
    others: tuple[Picture, ...] = ()

    @property
    def contents(self) -> Contents:
        """Their hashes."""
        return Contents(*(content_of(part) if part else "" for part in self))


class Given(NamedTuple):
    """What one inquirer is given in one consultation."""

    sight: Sight = Sight()
    persona: str = ""
    examples: tuple[str, ...] = ()
    suggested: Suggested | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """What is written of it before the first action."""
        return tuple(e for e in (self.sight.event, self.suggested) if e is not None)


@dataclass(frozen=True)
class Aids:
    """The settings behind it. Can be sent to another process."""

    briefing: Briefing = NO_WORDS
    classifier: Classifier | None = None
    top_k: int = TOP_K
    vision: bool | None = None
    """Whether models take pictures; None: as litellm's table has it."""

    @property
    def looks(self) -> bool:
        """Whether the classifier looks at pictures."""
        return isinstance(self.classifier, PlugIn)

    def check(self, inquirers: Iterable[str], models: Models) -> list[ModelSpec]:
        """The models among these specs. Raises UsageError where one lacks something, or where nobody uses what was given."""
        said = [parse("inquirer", spec) for spec in inquirers if spec.startswith(PREFIX)]
        if not said and self.briefing != NO_WORDS:
            option = "--persona-prompt" if self.briefing.persona else "--few-shot"
            raise UsageError(f"{option}: no inquirer is a model (mend: --inquirer {PREFIX}MODEL, or leave it out)")
        wanted = any(s.strategy == CLASSIFIER for s in said)
        if wanted and self.classifier is None:
            raise UsageError(_NO_CLASSIFIER)
        if self.classifier is not None and not wanted:
            raise UsageError(
                "--classifier: no inquirer has that strategy (mend: --strategy classifier, or leave it out)"
            )
        for s in said:
            self.eyes(s, models)
        return said

    def check_case(self, said: Iterable[ModelSpec], scenario: Scenario) -> None:
        """Raises DataError where an example carries the case, a template cannot be filled in, or the predictions lack it."""
        self.briefing.check(scenario)
        for s in said:
            self.briefing.rendered(scenario, s)
        if self.classifier is not None:
            self.classifier.covers(scenario.id)

    def eyes(self, said: ModelSpec, models: Models) -> bool:
        """Whether the model takes pictures, where that counts. Raises UsageError where nobody knows."""
        if said.pictures not in LOOKING:
            return False
        known = self.vision if self.vision is not None else models.endpoint(said.model).sees()
        if known is None:
            what = f"nothing is known of whether {said.model} takes pictures"
            raise UsageError(f"--vision: {what} (mend: --vision yes or no; `consult agents test` finds out)")
        return known

    def hashes(self, inquirer: str, contents: Contents, models: Models) -> dict[str, str]:
        """sha256 of what this inquirer is given, by name; for provenance and the consultation's id. Loads nothing."""
        if not inquirer.startswith(PREFIX):
            return {}
        said, out = parse("inquirer", inquirer), self.briefing.hashes()
        if said.strategy == CLASSIFIER and self.classifier is not None:
            seen = contents.own if self.looks else ""
            out["inquirer/classifier"] = digest([self.classifier.content, self.top_k, seen])
        if said.pictures in LOOKING:
            seen = contents.others if said.pictures == WRONG else contents.own
            out["inquirer/pictures"] = digest([seen, self.eyes(said, models)])
        return out

    def given(
        self, inquirer: str, scenario: Scenario, album: Album | None, knowledge: Knowledge, models: Models
    ) -> Given:
        """What this inquirer is given of this case. Raises DataError, UsageError, InfrastructureError (of a plug-in)."""
        said = parse("inquirer", inquirer)
        own = album.own if album is not None else captions_of(scenario)
        persona, examples = self.briefing.rendered(scenario, said)
        opinion = None
        if said.strategy == CLASSIFIER:
            if self.classifier is None:
                raise UsageError(_NO_CLASSIFIER)
            opinion = suggestion(self.classifier, self.top_k, scenario, own, knowledge)
        shown = own
        if said.pictures == BLANK:
            shown = blanks(scenario)
        elif said.pictures == WRONG and own:
            if album is None or not album.others:
                raise UsageError(_NO_OTHER.format(scenario.id))
            shown = album.others
        return Given(sight(shown, said.pictures, eyes=self.eyes(said, models)), persona, examples, opinion)


NONE: Final = Aids()
"""Nothing beside what is said."""
