"""A synthetic population: patients, families, clinicians and practices, and the documents they have. By seed, always the same.

Nobody here exists. Health numbers begin with Z, which New Zealand keeps for tests; addresses end in example.org.
Numbers follow a real portal where one is known: 4.3 documents a person, most small, a few scans.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from strongroom.clock import Millis
from strongroom.errors import UsageError

ISSUED = "ABCDEFGHJKLMNPQRSTUVWXYZ"
GIVEN = (
    "Aroha", "Mere", "Hemi", "Tāne", "Wiremu", "Ngaire", "Sina", "Tevita", "Lani", "Wei", "Mei", "Jun", "Priya", "Arjun",
    "Anjali", "Emma", "Oliver", "Charlotte", "Jack", "Isla", "Noah", "Grace", "Liam", "Sofía", "Zoë", "Amir", "Leila", "Kiri",
)  # fmt: skip
FAMILY = (
    "Ngata", "Parata", "Tūhoe", "Walker", "Henare", "Fonoti", "Leota", "Taufa", "Chen", "Wang", "Li", "Patel", "Singh",
    "Sharma", "Smith", "Brown", "Wilson", "Taylor", "Anderson", "Thompson", "Martin", "Clarke", "O'Neill", "Müller",
)  # fmt: skip
PLACES = (
    "Kaikohe", "Whangārei", "Kerikeri", "Dargaville", "Kaitāia", "Ruakākā", "Paihia", "Russell", "Mangawhai", "Hikurangi",
    "Maungatūroto", "Ōpua",
)  # fmt: skip
KINDS = (
    ("11488-4", "Clinic letter", "application/pdf", 30),
    ("18842-5", "Discharge summary", "application/pdf", 25),
    ("57133-1", "Referral", "application/pdf", 15),
    ("11502-2", "Laboratory report", "text/plain", 15),
    ("18748-4", "Imaging picture", "image/jpeg", 8),
    ("60591-5", "Patient summary", "application/fhir+json", 4),
    ("51855-5", "Own note", "text/plain", 3),
)
"""LOINC code, title, media type, weight."""


@dataclass(frozen=True, slots=True)
class Practice:
    """An organisation."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Staff:
    """A clinician. `login` is the sign-in name, `subject` names them in tokens."""

    login: str
    subject: str
    name: str
    practice: str


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient with a login of their own (children have none)."""

    key: str
    login: str | None
    subject: str | None
    name: str
    born: date
    nhi: str
    practice: str


@dataclass(frozen=True, slots=True)
class Acting:
    """A login that may act for a patient."""

    subject: str
    patient: str
    name: str
    parent: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """One document to be made. `size` in bytes, roughly."""

    patient: str
    number: int
    code: str
    title: str
    content_type: str
    category: str
    author: str
    depositor: str
    """Subject of the clinician who deposits it."""
    written: date
    size: int


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody, and all they have."""

    practices: tuple[Practice, ...]
    staff: tuple[Staff, ...]
    patients: tuple[Patient, ...]
    acting: tuple[Acting, ...]
    papers: tuple[Paper, ...]


def make_population(now: Millis, *, patients: int = 300, seed: int = 20_251_230, rich: int = 300) -> Population:
    """`patients` people, one practice for about 50 of them. The first patient is a mother of five with children among the
    next; patient `RICH` has `rich` documents (for a lawyer, look-alike B3), capped at ten for each other patient. Raises
    UsageError for a town too small for its scripts, or too large for its health numbers.
    """
    if not LEAST <= patients <= MOST:
        msg = f"A synthetic population has {LEAST} to {MOST} patients."
        raise UsageError(msg)
    rng = random.Random(seed)
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    practices = tuple(
        Practice(f"practice-{n + 1}", f"{PLACES[n % len(PLACES)]} Medical Centre")
        for n in range(max(2, patients // 50))
    )
    staff = tuple(_staff(rng, n, practices) for n in range(len(practices) * 4))
    people = _with_one_surname([_patient(rng, n, practices, today) for n in range(patients)])
    acting = _families(rng, people)
    papers = tuple(paper for person in people for paper in _papers(rng, person, staff, today, rich))
    return Population(practices, staff, tuple(people), tuple(acting), papers)


def _name(rng: random.Random) -> str:
    return f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"


def _staff(rng: random.Random, n: int, practices: tuple[Practice, ...]) -> Staff:
    return Staff(f"doctor{n + 1}", f"staff-{n + 1}", f"Dr {_name(rng)}", practices[n % len(practices)].id)


def _patient(rng: random.Random, n: int, practices: tuple[Practice, ...], today: date) -> Patient:
    child = 1 <= n <= CHILDREN
    age = rng.randint(1, 14) if child else rng.randint(18, 92)
    days = age * 365 + rng.randint(10, 300)
    if n == CHILDREN:  # sixteen in two months: later than a rehearsal's thirty days, soon enough to be shown
        days = 16 * 365 + 4 - 60
    born = today - timedelta(days=days)
    letters = "".join(rng.choice(ISSUED) for _ in range(2))
    practice = practices[0 if child or n == 0 else n % len(practices)].id
    login = None if child else f"patient{n + 1}"
    subject = None if child else f"person-{n + 1}"
    return Patient(f"p{n + 1}", login, subject, _name(rng), born, f"Z{letters}{n:04d}", practice)


CHILDREN = 5
LEAST, MOST = CHILDREN + 3, 9_999
"""Patients: room for the mother, her children, the one with many papers and a carer; four digits in a health number."""


def _with_one_surname(people: list[Patient]) -> list[Patient]:
    """The same people, the first family's children named as their mother."""
    surname = people[0].name.rpartition(" ")[2]
    return [
        replace(one, name=f"{one.name.partition(' ')[0]} {surname}") if 1 <= n <= CHILDREN else one
        for n, one in enumerate(people)
    ]


def _families(rng: random.Random, people: list[Patient]) -> list[Acting]:
    mother = people[0]
    found = [Acting(str(mother.subject), child.key, mother.name, parent=True) for child in people[1 : CHILDREN + 1]]
    adults = people[CHILDREN + 1 :]
    for carer, cared in zip(adults[::25], adults[1::25], strict=False):
        found.append(Acting(str(carer.subject), cared.key, carer.name, parent=False))
    rng.shuffle(found)
    return found


def _papers(rng: random.Random, person: Patient, staff: tuple[Staff, ...], today: date, rich: int) -> list[Paper]:
    # 1 + negative binomial with mean 3.3 and shape 0.8, as a gamma-mixed Poisson.
    count = min(10, 1 + _poisson(rng, rng.gammavariate(0.8, 3.3 / 0.8)))
    if person.key == RICH:
        count = max(count, rich)
    own = [one for one in staff if one.practice == person.practice]
    papers = []
    for number in range(count):
        code, title, media, _ = rng.choices(KINDS, [weight for *_, weight in KINDS])[0]
        category = rng.choices(("normal", "sensitive", "clinician-only"), (92, 5, 3))[0]
        scan = media == "image/jpeg"
        size = int(min(rng.lognormvariate(10.2 if scan else 9.2, 0.7), 400_000))
        written = today - timedelta(days=rng.randint(1, 3_000))
        author = rng.choice(own)
        papers.append(
            Paper(person.key, number, code, title, media, category, author.name, author.subject, written, size)
        )
    return papers


RICH = "p7"
"""The patient with many documents."""


def _poisson(rng: random.Random, mean: float) -> int:
    count, passed = 0, rng.expovariate(1.0)
    while passed < mean:
        count, passed = count + 1, passed + rng.expovariate(1.0)
    return count
