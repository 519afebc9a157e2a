"""How well free text is read: the resolver on doctors' questions, the extractor on patients' replies.

    python benchmarks/language.py [--resolver lexicon|embedding|both] [--half held-out|development] [--data DIR]
                                  [--json FILE] [--docs] [--wrong]

Our own sets, PriMock57 and MTS-Dialog (read from ../shared/data; skipped where absent). Precision and recall per topic,
micro and macro. `--docs` writes the tables into docs/language.md, `--wrong` lists what went wrong of the development
half. How it was labelled, and what counts as what: docs/language.md.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelled import (
    SHARED,
    Headed,
    Item,
    known_at_labelling,
    mts,
    primock_questions,
    primock_replies,
    questions,
    replies,
)

from consult import load_knowledge
from consult.language.extractor import extract
from consult.language.resolver import resolve
from consult.terms import Resolver

K = load_knowledge()
AT = known_at_labelling()
PAGE = Path(__file__).resolve().parent.parent / "docs" / "language.md"
SIGNS = {"present": "+", "absent": "-", "unknown": "~", "not_noticed": "~"}


@dataclass
class Score:
    """Counts by topic, and of texts."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, topic: str, *, right: int = 0, wrong: int = 0, missed: int = 0) -> None:
        """Count under a topic."""
        self.right[topic] += right
        self.wrong[topic] += wrong
        self.missed[topic] += missed

    def table(self) -> dict[str, Any]:
        """Precision and recall per topic, micro and macro (the mean over topics that were wanted at least once)."""
        topics = sorted(t for t in {*self.right, *self.wrong, *self.missed} if self._total(t))
        rows = {t: _rates(self.right[t], self.wrong[t], self.missed[t]) for t in topics}
        wanted = [r for r in rows.values() if r["wanted"]]
        micro = _rates(self.right.total(), self.wrong.total(), self.missed.total())
        macro = {k: _mean(r[k] for r in wanted if r[k] is not None) for k in ("precision", "recall")}
        return {"micro": micro, "macro": macro, "texts": dict(self.texts), "topics": rows}

    def _total(self, topic: str) -> int:
        return self.right[topic] + self.wrong[topic] + self.missed[topic]


def _rates(right: int, wrong: int, missed: int) -> dict[str, Any]:
    return {
        "wanted": right + missed,
        "found": right + wrong,
        "precision": round(right / (right + wrong), 3) if right + wrong else None,
        "recall": round(right / (right + missed), 3) if right + missed else None,
    }


def _mean(values: Iterable[float]) -> float | None:
    kept = list(values)
    return round(sum(kept) / len(kept), 3) if kept else None


def as_labelled(finding: str) -> str | None:
    """A finding as it was called when the sets were labelled: itself, or its nearest ancestor of then; None if new."""
    node: str | None = finding
    while node is not None and node not in AT:
        found = K.finding.get(node)
        node = found.parent if found else None
    return node


def ancestors(label: str) -> list[str]:
    """What a question about an attribute asks for as well (consult.disclosure): the findings above it."""
    out: list[str] = []
    while label in AT and (parent := AT[label][0]) is not None:
        out.append(parent)
        label = parent
    return out


def topic_of(label: str) -> str:
    """The row under which a label counts."""
    if label == "open":
        return "(open question)"
    name = label.removeprefix("topic:").lstrip("+-~").partition("=")[0]
    return AT[name][1] if name in AT else name


def _resolved(text: str, by: str) -> Any:
    return resolve(text, K, Resolver(by))


def score_questions(items: Iterable[Item], by: str) -> Score:
    """The resolver on labelled questions."""
    out = Score()
    for item in items:
        query = _resolved(item.text, by)
        wanted = {w for w in item.wanted if w not in ("other", "context", "nothing")}
        touched = {topic_of(w) for w in wanted | item.allowed}
        found: set[str] = set()
        for f in query.findings:
            old = as_labelled(f)
            if old is not None:
                found.add(old)
            else:
                out.texts["new findings (not scored)"] += 1
        if "open" in wanted | item.allowed or query.open:
            found |= {f"topic:{t}" for t in query.topics if t not in touched or f"topic:{t}" in wanted}
        else:
            found |= {f"topic:{t}" for t in query.topics if t not in touched}
        if query.open:
            found.add("open")
        found -= item.allowed
        above = {a for f in found for a in ancestors(f)}
        found |= above & wanted
        found -= {f for f in found - wanted if any(f in ancestors(w) for w in wanted & found)}
        _count(out, item, wanted, found)
        asks = bool(wanted) and bool(query.findings or query.topics or query.open)
        out.texts["texts"] += 1
        out.texts["something wrong"] += bool(found - wanted)
        out.texts["sensitive, wrongly"] += sum(1 for f in found - wanted if f in K.finding and K.finding[f].sensitive)
        if wanted:
            out.texts["asking"] += 1
            out.texts["asking, not understood"] += not asks
        else:
            out.texts["asking nothing known"] += 1
            out.texts["asking nothing known, yet something found"] += bool(found)
    return out


def _count(out: Score, item: Item, wanted: set[str], found: set[str]) -> None:
    for label in wanted | found:
        kind = "right" if label in wanted & found else "missed" if label in wanted else "wrong"
        out.add(topic_of(label), **{kind: 1})
    if wanted != found:
        out.notes.append(
            f"{item.ref} [{item.half}]: {item.text[:160]!r}\n    wanted {sorted(wanted)} found {sorted(found)}"
        )


def score_replies(items: Iterable[Item]) -> Score:
    """The extractor on labelled replies. A wrong state or a wrong value is both wrong and missed."""
    out = Score()
    for item in items:
        wanted = set(item.wanted)
        plain = {w.partition("=")[0] for w in wanted | item.allowed if "=" not in w} | {
            a.partition("=")[0] for a in item.allowed
        }
        found: set[str] = set()
        for r in extract(item.text, K, item.asked):
            old = as_labelled(r.finding)
            if r.implied and f"+{old}" not in wanted:
                continue
            if old is None:
                out.texts["new findings (not scored)"] += 1
                continue
            label = SIGNS[r.state] + old
            values = f"={','.join(r.values)}" if r.values and r.finding == old and label not in plain else ""
            found.add(label + values)
        found -= {f for f in found if f in item.allowed or f.partition("=")[0] in item.allowed} - wanted
        _count(out, item, wanted, found)
        out.texts["texts"] += 1
        out.texts["something wrong"] += bool(found - wanted)
        out.texts["invented"] += any(f[0] in "+-" for f in found - wanted)
        out.texts["stating nothing"] += not wanted
        out.texts["stating nothing, yet something read"] += not wanted and bool(found)
    return out


def score_headed(items: Iterable[Headed], by: str, role: str) -> dict[str, Any]:
    """By section header: share of turns in which something was found, and of what was found, the share in its topics."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if role == "Doctor":
            query = _resolved(item.text, by)
            topics = [K.finding[f].topic for f in query.findings] + ([] if query.findings else list(query.topics))
            some = bool(topics or query.open)
        else:
            asked = _resolved(item.before, by).findings if item.before else ()
            topics = [K.finding[r.finding].topic for r in extract(item.text, K, asked) if not r.implied]
            some = bool(topics)
        c = counts[item.header]
        c["turns"] += 1
        c["some"] += some
        c["on header"] += any(t in item.topics for t in topics)
        c["found"] += len(topics)
        c["right"] += sum(t in item.topics for t in topics)
    total: Counter[str] = Counter()
    for c in counts.values():
        total.update(c)
    return {name: _headed_rates(c) for name, c in [*sorted(counts.items()), ("all", total)]}


def _headed_rates(c: Counter[str]) -> dict[str, Any]:
    return {
        "turns": c["turns"],
        "found": c["found"],
        "precision": round(c["right"] / c["found"], 3) if c["found"] else None,
        "recall": round(c["on header"] / c["turns"], 3),
        "understood": round(c["some"] / c["turns"], 3),
    }


def _resolvers(which: str) -> list[str]:
    return ["lexicon", "embedding"] if which == "both" else [which]


def measure(which: str, half: str, data: Path, *, wrong: bool) -> dict[str, Any]:
    """All figures."""
    out: dict[str, Any] = {"half": half, "findings": len(K.findings)}
    for by in _resolvers(which):
        sets = {"own": [i for i in questions() if i.half == half], "primock57": primock_questions(data)}
        for name, items in sets.items():
            out[f"resolver/{by}/{name}"] = _scored(None if items is None else score_questions(items, by), wrong, name)
        turns = mts("Doctor", data)
        out[f"resolver/{by}/mts_dialog"] = None if turns is None else score_headed(turns, by, "Doctor")
    for name, items in {"own": [i for i in replies() if i.half == half], "primock57": primock_replies(data)}.items():
        out[f"extractor/{name}"] = _scored(None if items is None else score_replies(items), wrong, name)
    said = mts("Patient", data)
    out["extractor/mts_dialog"] = None if said is None else score_headed(said, "lexicon", "Patient")
    return out


def _scored(score: Score | None, wrong: bool, name: str) -> dict[str, Any] | None:
    if score is None:
        return None
    if wrong and name == "own":
        print("\n".join(n for n in score.notes if "[development]" in n))
    return score.table()


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def markdown(result: dict[str, Any]) -> str:
    """The tables of docs/language.md."""
    names = [n for n in result if "/" in n]
    lines = [
        "| set | texts | precision, micro (macro) | recall, micro (macro) | texts with something wrong |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in names:
        r = result[name]
        if r is not None and "micro" in r:
            t, micro, macro = r["texts"], r["micro"], r["macro"]
            pair = [f"{_cell(micro[k])} ({_cell(macro[k])})" for k in ("precision", "recall")]
            lines.append(f"| {name} | {t['texts']} | {pair[0]} | {pair[1]} | {t['something wrong']} |")
    for name in names:
        r = result[name]
        lines += ["", f"**{name}**" + (": skipped, the data is not here" if r is None else ""), ""]
        if r is not None:
            lines += _topics(r) if "micro" in r else _headers(r)
    return "\n".join(lines) + "\n"


def _topics(r: dict[str, Any]) -> list[str]:
    rest = "; ".join(f"{k}: {v}" for k, v in sorted(r["texts"].items()))
    head = ["| topic | wanted | found | precision | recall |", "| --- | --- | --- | --- | --- |"]
    rows = [f"| {t} | " + " | ".join(_cell(v) for v in x.values()) + " |" for t, x in r["topics"].items()]
    return [*head, *rows, "", f"Of the texts: {rest}."]


def _headers(r: dict[str, Any]) -> list[str]:
    head = ["| header | turns | found | precision (in the header's topics) | recall (turns that touch them) | turns understood |",
            "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    return [*head, *(f"| {h} | " + " | ".join(_cell(v) for v in x.values()) + " |" for h, x in r.items())]


MARK = ("<!-- figures -->\n", "<!-- end of figures -->\n")


def write_page(text: str) -> None:
    """Put the tables between the marks of docs/language.md."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(MARK[0])
    PAGE.write_text(before + MARK[0] + "\n" + text + "\n" + MARK[1] + rest.partition(MARK[1])[2], "utf-8")


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolver", choices=("lexicon", "embedding", "both"), default="lexicon")
    parser.add_argument("--half", choices=("held-out", "development"), default="held-out")
    parser.add_argument("--data", type=Path, default=SHARED, help="where primock57 and mts_dialog lie")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--wrong", action="store_true")
    a = parser.parse_args()
    result = measure(a.resolver, a.half, a.data, wrong=a.wrong and a.half == "development")
    text = markdown(result)
    if a.json:
        a.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if a.docs:
        write_page(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
