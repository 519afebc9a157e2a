"""Words to concepts: "Does your tummy hurt?" and "belly pain" hold the same two. General English, no knowledge.

A thesaurus of plain medical English (ours) and light stemming bring different words for one thing to one form; words
that carry no clinical content are dropped. Knows nothing of findings: both a knowledge's phrases and what is said go
through it, so that it fits any knowledge.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from consult.language.tokens import Tokens, tokens

_EMPTY: Final = frozenset(
    tokens(
        "i have be do not no of in on at to for with by from as it this that these those there here and or nor but if so than then can could "
        "when should would will shall may might must let me get got getting gotten feel feels felt feeling notice noticed noticing experience "
        "experiencing experienced suffer suffering suffered ever now today okay ok right well um uh er mm yes please thanks just even "
        "also too yet because since during again tell say said ask know check mention your very really quite always sometimes"
    )
)
"""Words without content."""
_LOOSE: Final = frozenset(
    tokens(
        "often who which whom what whatever how why seem seems find found never moment all one ones thing things anything something everything "
        "nothing much many more most lot lots bit little kind sort type like only else other another usual usually normal normally same into "
        "onto over under about around up down out off while during few couple past last time times day days make makes making made give "
        "given area particular go going goes went gone such each every value text own sir madam doctor exactly able try trying tried use "
        "used still first keep keeps use come comes came coming see seen saw look looking looks away everyone"
    )
)
"""Words of little content: a phrase of which they leave one concept only means more than that concept."""
_GROUPS: Final = """
pain: pain, painful, cramp, crampy, cramping, hurt, ache, achy, sore, soreness, tender, discomfort, agony
belly: belly, tummy, stomach, abdomen, abdominal, tum, bellyache
belly pain: bellyache, stomachache
head pain: headache
ear pain: earache
back pain: backache
pee: pee, wee, urine, urinate, urinating, urination, waterworks, pass water, passing water, pass urine, passing urine, weeing, peeing
poo: poo, poop, stool, motion, faeces, bowel movement
vomit: vomit, puke, throw up, throwing up, threw up, thrown up, be sick, bringing food up
nausea: nausea, nauseous, nauseated, queasy, feel sick, feeling sick, felt sick, going to be sick, about to be sick, might throw up
fever: fever, feverish, take temperature, temperature, burning up, high temperature
breathless: breathless, breathlessness, puffed, winded, short of breath, shortness of breath, out of breath, catch breath, difficulty breathing
breathless: trouble breathing, hard to breathe, struggling to breathe, struggle to breathe, breathing difficulty, problems breathing
tired: tired, tiredness, fatigue, exhausted, lethargic, knackered, worn out, lack of energy, no energy, energy level, run down
phlegm: phlegm, sputum, mucus
bringup: bring up, bringing up, cough up, coughing up, coughed up, brought up
faint: faint, fainting, blackout, collapse, pass out, passed out, passing out, black out, blacked out, lose consciousness, lost consciousness
dizzy: dizzy, dizziness, giddy, vertigo, lightheaded, light headed, room spin, room spinning
race: race, racing, flutter, fluttering, pound, pounding, thump, thumping
vision: vision, sight, eyesight
blur: blur, blurry, blurred
discharge: discharge, gunk, pus
red: red, bloodshot, redness
tingle: tingle, tingling, tingly, pins and needles
hoarse: hoarse, hoarseness, croaky
block: block, blocked, congested, congestion, stuffy, bunged
runny: runny, streaming
period: period, menstrual, menstruation
family: run in family, family, relative, parent, mother, father, dad, brother, sister, uncle, aunt, grandmother, grandfather, sibling
start: start, begin, began, begun, onset
sudden: sudden, suddenly, quickly, all of a sudden, out of the blue, at once
gradual: gradual, gradually, slowly
spread: spread, radiate, radiating, travel, travelling, go anywhere, goes anywhere, go anywhere else, move anywhere
worse: worse, worsen, worsening, aggravate
hard: hard, difficult, difficulty, trouble, struggle, struggling, problem, issue
0: wee bit, this problem, this trouble, this illness, your problem, your trouble, this complaint, your complaint
place: where, whereabouts, place, site, part, location, show where, point where, point to
describe: describe, character, nature, what kind of, what sort of, what type of, be like, feel like
when: since when, how long, how many day, how many week, how many month
colour: colour, color, shade
side: side
medicine: take anything, taken anything, medicine, medication, tablet, drug, pill
allergy: allergy, allergic
operation: operation, surgery, surgical
work: work, job, occupation, working, for a living
illness: illness, ill, disease, condition, poorly, unwell
smoke: smoke, smoker, smoking, cigarette, tobacco
swell: swell, swollen, swelling, puffy
sweat: sweat, sweaty, sweating, clammy
shiver: shiver, chill, rigor, shivery, shivering
appetite: appetite, off food, gone off food
sleep: sleep, sleeping, slept, drop off, dropping off, fall asleep
sad: down, depressed, low, depression
worry: worry, worried, worrying, anxious, anxiety, nervous, worrier
scary: afraid, scared, fear
kill: kill, killing, suicide, suicidal, end life, ending life, ending it all, end it all, harm myself, hurt myself
itch: itch, itchy, itching, scratch, scratching
rash: rash, rashes
scaly: scaly, flaky, scaling, flaking, flake
rating: scale
nappy: nappy, diaper, nappies
feed: feed, feeding, bottle, fed
vaccine: vaccine, vaccination, vaccinated, immunisation, immunised, immunization, jab
joint: joint, knee, hip, knuckle, ankle
tooth: tooth, teeth
throat: throat
swallow: swallow, swallowing
stiff: stiff, stiffness
weak: weak, weakness
confused: confused, confusion, muddled
drowsy: drowsy, drowsiness, sleepy
calf: calf, calves
recent: recent, recently, lately, last month, last few weeks, past few weeks, last couple of weeks
intermittent: come and go, on and off, intermittent
before: before, previously, first time, earlier
person: anybody, anyone, somebody, someone, close relative
contact: contact, be around
effort: effort, exertion, exertional, exercise, exert, uphill, climbing stairs, climb stairs
back pain: bad back
blood clot: dvt, thrombosis
thirst: thirst, thirsty
pale: pale, pallor
gland: gland, glands
bright: bright, light
noise: noise, sound, noisy, squeak, squeaky
pregnant: pregnant, pregnancy
testicle: testicle, ball, testicular
private: down below
constipated: constipated, constipation
diarrhoea: diarrhoea, diarrhea, have the runs, got the runs, loose poo, loose stools, watery stools
bloodpressure: hypertension, blood pressure
diabetes: diabetes, diabetic
asthma: asthma, asthmatic
heart illness: heart attack, heart trouble, trouble with heart, heart problem, heart problems, heart condition
drool: drool, drooling, dribble, dribbling, dribbles
droop: droop, drooping, hang, hanging, sag, sagging
lose: lose, lost, losing, loss
gain: gain, gained, put on
breathe: breath, breathe, breathing
eat: eat, eating, ate, eaten
drink: drink, drinking, drank, drunk
night: night, overnight
lift: lift, lifted, lifting
move: move, moving, movement
press: press, pressing, pressed, push, pushing
change: change, changed, changing, altered
leak: leak, leaking, ooze, oozing
pull: pull, pulling, tug, tugging
blood: blood, bloody
bleed: bleed, bleeding, bled
contactlens: contacts, contact lens, contact lenses
home: home, house, household
takeaway: takeaway, takeaway food
flight: flight, plane
hear: hear, hearing
cry: cry, crying
touch: touch, touching, touched
"""


def _stem(word: str) -> str:
    """The word without what grammar adds; crude, and the same for both sides."""
    for suffix in ("ness", "ing", "ed", "ly"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] in "yie":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word


def _bare(text: str) -> Tokens:
    return tuple(t for t in tokens(text) if t != "@")


def _table() -> dict[Tokens, tuple[str, ...]]:
    """Phrases (tokens without pronouns) and single words, these also by their stem, to concepts; "0" is none at all."""
    out: dict[Tokens, tuple[str, ...]] = {}
    stems: dict[Tokens, tuple[str, ...]] = {}
    for line in _GROUPS.strip().splitlines():
        name, _, phrases = line.partition(": ")
        meant = () if name == "0" else tuple(name.split())
        for key in map(_bare, phrases.split(", ")):
            out.setdefault(key, meant)
            if len(key) == 1:
                stems.setdefault((_stem(key[0]),), meant)
    return stems | out


_TABLE: Final = _table()
_LONGEST: Final = max(map(len, _TABLE))
_FIRST: Final = {k[0] for k in _TABLE if len(k) > 1}


@lru_cache(maxsize=20_000)
def concepts(toks: Tokens) -> tuple[str, ...]:
    """The concepts of normal tokens, in order."""
    return _read(toks)[0]


@lru_cache(maxsize=20_000)
def says_more(toks: Tokens) -> bool:
    """Whether words of little content were left out, so that the concepts say less than the phrase."""
    return _read(toks)[1]


def _read(toks: Tokens) -> tuple[tuple[str, ...], bool]:
    bare = tuple(t for t in toks if t != "@")
    out: list[str] = []
    loose = False
    i = 0
    while i < len(bare):
        word, n = bare[i], _phrase(bare, i)
        if n:
            out += _TABLE[bare[i : i + n]]
        elif word in _LOOSE:
            loose = True
        elif word not in _EMPTY and not word[0].isdigit():
            out += _concept(word)
        i += n or 1
    if _asks_when(toks):
        out.append("when")
    if bare[:1] == ("what",) and bare[-1] == "like":
        out.append("describe")
    return tuple(out), loose


def _asks_when(toks: Tokens) -> bool:
    """ "When did it start?", and not "when you cough"."""
    return any(
        toks[k] == "when" and toks[k + 1 : k + 2] in (("do",), ("be",), ("have",)) for k in range(min(2, len(toks)))
    )


def _concept(word: str) -> tuple[str, ...]:
    stem = _stem(word)
    return _TABLE.get((word,)) or _TABLE.get((stem,)) or (stem,)


def _phrase(bare: Tokens, i: int) -> int:
    if bare[i] in _FIRST:
        for n in range(min(_LONGEST, len(bare) - i), 1, -1):
            if bare[i : i + n] in _TABLE:
                return n
    return 0
