"""A batch that stands still where it is told to: a made-up board, and the screen of a batch that looks at it once."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from consult.batch.board import Board, Mark, Place, Spot
from consult.tui import batches
from consult.tui.batches import BatchScreen
from consult.tui.grid import Grid

CASES = (
    "barking_at_night", "burning_band", "cramps_at_work", "indigestion_at_the_wheel", "painting_the_nursery",
    "palpitations_in_the_choir", "sore_red_eye", "swollen_after_the_flight", "throat_before_exams", "tired_student",
    "worst_monday",
)  # fmt: skip
GROUPS = tuple((who, by) for who in ("neutral", "choleric", "melancholic") for by in ("reference", "llm:openai/local"))
EPOCHS = 4


def board_of(done: int, *, taken: int = 0, failures: bool = False) -> Board:
    """So many cells done in the order of the grid, so many begun behind them; right or wrong by their place."""
    spots: dict[Place, Spot] = {}
    for n in range(done + taken):
        row, column = divmod(n, len(GROUPS) * EPOCHS)
        group, epoch = divmod(column, EPOCHS)
        here = Place(CASES[row], *GROUPS[group], epoch)
        model = group % 2 == 1
        if n >= done:
            spots[here] = Spot(Mark.TAKEN)
        elif failures and model and (row + epoch) % 5 == 0:
            spots[here] = Spot(Mark.FAILED, f"{n}", "infrastructure error")
        elif failures and model and (row + epoch) % 7 == 0:
            spots[here] = Spot(Mark.UNJUDGED, f"{n}", "refused")
        else:
            wrong = (3 * row + 5 * group + 7 * epoch) % (4 if model else 9) == 0
            words = f"{'gastro-oesophageal reflux disease' if wrong else 'acute coronary syndrome'}, 12 questions"
            spots[here] = Spot(Mark.WRONG if wrong else Mark.RIGHT, f"{n}", words)
    tokens, cost = (1_284_117, 3.4271) if done else (0, 0.0)
    return Board(CASES, GROUPS, EPOCHS, spots, planned=True, tokens=tokens, cost=cost)


class Still(BatchScreen):
    """A batch that looks once, at what it is given."""

    CSS_PATH = Path(batches.__file__).with_name("screens.tcss")

    def __init__(self, board: Board, *recent: tuple[float, int]) -> None:
        super().__init__("temperaments")
        self._given, self._given_recent = board, recent

    def _watch(self) -> None:  # type: ignore[override]
        self.board, self.looks = self._given, 1
        self._recent = deque(self._given_recent)
        self.query_one(Grid).show(self.board)
        self.query_one(Grid).mark(0, 0)
        self._draw()
