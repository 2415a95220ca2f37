"""Honest traffic that looks like theft must pass, quiet or besides a theft: B1 to B9, with numbers from real portals.

252 kB a document, 4.3 documents a person; a clinician sees 25 people a day; a practice's nightly run is up to 2,000
documents and a migration up to 50,000; a portal of 1.8 million opens 8,000 documents a day.
"""

from collections.abc import Iterator
from itertools import cycle

import pytest

from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.scope import Disclosure, Kind
from strongroom.budget.spent import Spent
from strongroom.clock import HOUR, MINUTE, SECOND
from tests.budget.scenes import PERMIT, START, listing, read, scopes

CLINIC = "198.51.100.4/32"
MOBILE = "203.0.113.9/32"


def opens(at: int, kind: Kind, account: str, patient: str, documents: int, **where: str) -> Iterator[Disclosure]:
    """One visit: the list, then so many documents, a second apart."""
    who = scopes(account, **where)
    yield listing(at, kind, who, patient)
    for number in range(documents):
        yield read(at + (number + 1) * SECOND, kind, who, patient, document=f"{number}")


def practice_migration() -> Iterator[Disclosure]:
    """B1: 50,000 documents of 11,600 patients in four hours, announced."""
    who = scopes("migration", network="org:practice", organisation="practice")
    for number in range(50_000):
        yield read(START + number * 4 * HOUR // 50_000, Kind.SERVICE, who, f"p{number % 11_600}", document=f"{number}")


def gp_sync_after_an_outage() -> Iterator[Disclosure]:
    """B2: ten practices catch up, 2,000 documents each, all within the same quarter of an hour."""
    for number in range(20_000):
        practice = f"practice {number % 10}"
        who = scopes(f"sync of {practice}", network=f"org:{practice}", organisation=practice)
        at = START + number * 15 * MINUTE // 20_000
        yield read(at, Kind.SERVICE, who, f"{practice} p{number // 40}", document=f"{number}")


def own_papers_for_a_lawyer() -> Iterator[Disclosure]:
    """B3: a patient downloads their own 300 documents in ten minutes, and again because the zip was broken."""
    for again in (0, HOUR):
        for number in range(300):
            yield read(
                START + again + number * 2 * SECOND, Kind.OWN, scopes("patient"), "patient", document=f"{number}"
            )


def clinic(network: str) -> Iterator[Disclosure]:
    """B4: 40 staff behind one address see 25 people each in eight hours, four documents a person."""
    for visit in range(25):
        for staff in range(40):
            at = START + visit * 8 * HOUR // 25 + staff * 20 * SECOND
            yield from opens(
                at, Kind.CARE, f"staff {staff}", f"p{staff}-{visit}", 4, network=network, organisation="practice"
            )


def mobile_carrier() -> Iterator[Disclosure]:
    """B5: 800 patients behind one address in an hour, 30 of them on the first day of a delegation."""
    for number in range(800):
        at = START + number * HOUR // 800
        yield from opens(at, Kind.OWN, f"patient {number}", f"patient {number}", 2, network=MOBILE)
        if number % 27 == 0:
            yield from opens(at, Kind.STRANGER, f"patient {number}", f"mother of {number}", 2, network=MOBILE)


def mother_with_five_children() -> Iterator[Disclosure]:
    """B6: herself and five children, 20 documents each, in one evening."""
    for number, person in enumerate(["mother", *(f"child {n}" for n in range(5))]):
        yield from opens(START + number * 3 * MINUTE, Kind.OWN, "mother", person, 20)


def refresh_storm() -> Iterator[Disclosure]:
    """B7: three patients await results and refresh the list every five seconds for eight hours."""
    for second in range(0, 8 * 3_600, 5):
        for patient in ("a", "b", "c"):
            yield listing(START + second * SECOND, Kind.OWN, scopes(patient), patient)


def discharge_release() -> Iterator[Disclosure]:
    """B8: at 17:00 a hospital releases 3,000 summaries; a fifth of the patients and the wards read within the hour."""
    for number in range(600):
        yield from opens(START + number * 5 * SECOND, Kind.OWN, f"patient {number}", f"patient {number}", 1)
        if number % 3 == 0:
            yield from opens(
                START + number * 5 * SECOND, Kind.CARE, f"ward {number % 12}", f"patient {number}", 3,
                network="org:hospital", organisation="hospital",
            )  # fmt: skip


def news_day() -> Iterator[Disclosure]:
    """B9: ten times the usual evening hour: 8,000 patients look at what was taken, 100 of them for a parent, newly."""
    for number in range(8_000):
        at = START + number * HOUR // 8_000
        home = f"2001:db8:{number % 3_000:x}::/64"
        yield from opens(at, Kind.OWN, f"patient {number}", f"patient {number}", 1, network=home)
        if number % 80 == 0:
            yield from opens(at, Kind.STRANGER, f"patient {number}", f"parent of {number}", 1, network=home)


LOOKALIKES = {
    "B1 practice migration": (practice_migration, 50_000),
    "B2 GP sync after an outage": (gp_sync_after_an_outage, 2_000),
    "B3 own 300 documents": (own_papers_for_a_lawyer, None),
    "B4 clinic behind one undeclared address": (lambda: clinic(CLINIC), None),
    "B4 clinic behind its declared network": (lambda: clinic("org:practice"), None),
    "B5 mobile carrier": (mobile_carrier, None),
    "B6 mother with five children": (mother_with_five_children, None),
    "B7 refresh storm": (refresh_storm, None),
    "B8 discharge release": (discharge_release, None),
    "B9 news day": (news_day, None),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_look_alikes_pass(name: str) -> None:
    """Not one disclosure of honest traffic is refused."""
    make, declared = LOOKALIKES[name]
    ledger = Ledger()
    for what in sorted(make(), key=lambda one: one.at):
        answer = ledger.charge(PERMIT, what, declared=declared)
        assert isinstance(answer, Charge), answer.sentence


@pytest.mark.parametrize("name", LOOKALIKES)
def test_look_alikes_pass_besides_a_theft(name: str) -> None:
    """Nor while 400 stolen logins, and 10 stolen clinicians, try everything from the same app and the same addresses.

    Left out are delegations on their first day (B5, B9): they share the strangers' limits, which a theft uses up.
    """
    make, declared = LOOKALIKES[name]
    ledger, tried, refused = Ledger(), 0, 0
    networks = cycle([CLINIC, MOBILE, "org:practice", "org:hospital", "192.0.2.7/32"])
    honest = sorted(make(), key=lambda one: one.at)
    for number, what in enumerate(honest):
        if number % (1 + len(honest) // 4_000) == 0:
            thief = scopes(f"thief {number % 400}", network=next(networks), organisation=["", "practice"][number % 2])
            doctor = scopes(f"stolen {number % 10}", network=next(networks), organisation="practice")
            for hostile in (
                listing(what.at, Kind.STRANGER, thief, f"victim {number}"),
                listing(what.at, Kind.CARE, doctor, f"panel {number}"),
            ):
                tried += 1
                refused += isinstance(ledger.charge(PERMIT, hostile), Spent)
        answer = ledger.charge(PERMIT, what, declared=declared)
        assert isinstance(answer, Charge) or what.kind is Kind.STRANGER, answer.sentence
    assert refused > tried // 10
