"""The keeper's own database: who is who, what belongs to whom, and every wrapped key. Reads (tables: `schema`).

Trust: whoever copies this file learns how random ids hang together, and no name, title, login or key: logins are keyed
hashes, names are sealed, keys are wrapped under a root key that is not in it. Whoever can write it can lie about
relations; every honest change of a relation is an entry in the log.

Writes are `Effect`s (`effects.py`), done by the log's writer in the transaction of the entry that records them.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from strongroom.clock import Millis
from strongroom.errors import ConfigError, Unavailable
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.keeper.rows import (
    AccountRow,
    DelegationRow,
    DestructionRow,
    DocumentRow,
    GrantRow,
    SubjectRow,
    TicketRow,
    VersionRow,
)
from strongroom.keeper.schema import NOBODY, NOTHING, VERSION

Soon = Callable[[Callable[[], None]], object]
"""`call_soon` of a loop."""
NONE: frozenset[str] = frozenset()
RULED_OUT = "!"
"""Stands behind a withheld category that break-glass may not open either. No category has it in its name."""

_CARING = "case a.kind when 'clinician' then"
"""Before what only a clinician's decision looks at: for patients, who are most of those who ask, it is not looked up."""

_SUBJECT = f"""
  p.id, p.wrapped, p.key_version, p.born,
  g.level, g.basis, g.since, g.until,
  {_CARING} (select m.organisation from enrolment e join member m on m.organisation = e.organisation and m.account = a.id
     where e.patient = p.id and e.since <= ?1 and ?1 < e.until and m.since <= ?1 and ?1 < m.until limit 1) end,
  {_CARING} exists (select 1 from share s where s.patient = p.id and s.since <= ?1 and ?1 < s.until
     and (s.party = a.id or s.party in
       (select organisation from member m where m.account = a.id and m.since <= ?1 and ?1 < m.until))) end,
  {_CARING} (select group_concat(w.category || iif(w.ruled_out = 1, '{RULED_OUT}', '')) from withholding w
     where w.patient = p.id
     and (w.party in ('', a.id) or w.party in (select organisation from member m where m.account = a.id))) end,
  {_CARING} (select max(b.until) from glass b where b.account = a.id and b.patient = p.id and b.opened <= ?1) end,
  r.organisation, r.purpose, r.cursor, r.size, r.until,
  case a.kind when 'service' then exists (select 1 from enrolment e where e.patient = p.id
     and e.organisation = r.organisation and e.since <= ?1 and ?1 < e.until) end,
  case when a.kind <> 'person' then
     (select 1 from agreement n where n.account = a.id and n.subject = p.id and ?1 < n.until) end,
  {_CARING} (select min(m.organisation) from member m where m.account = a.id and m.since <= ?1 and ?1 < m.until) end
"""  # noqa: S608  # made of the constants above

_ASKER = "a.id, a.kind, a.disabled, a.patient"

_VERSION = (
    "v.document, v.version, v.state, v.content_type, v.size, v.sealed_size, v.created, v.author, v.wrapped_content,"
    " v.wrapped_metadata, v.edition, v.keyed"
)

_JOINS = """
  left join delegation g on g.account = a.id and g.patient = p.id
  left join service_grant r on r.account = a.id
"""

DOCUMENT_FACTS = f"""
select {_ASKER}, {_SUBJECT}, d.id, d.category, d.state, d.newest, d.decoy, {_VERSION}
from (select ?2 as login) q left join account a on a.login = q.login
join document d on d.id = coalesce((select id from document where id = ?3), '{NOTHING}')
join patient p on p.id = d.patient {_JOINS}
left join version v on v.document = d.id and v.version = coalesce(?4, d.newest)
"""  # noqa: S608  # made of the constants above

PATIENT_FACTS = f"""
select {_ASKER}, {_SUBJECT}
from (select ?2 as login) q left join account a on a.login = q.login
join patient p on p.id = coalesce((select id from patient where id = ?3), '{NOBODY}') {_JOINS}
"""  # noqa: S608  # made of the constants above


class Catalog:
    """Reads of the keeper's database, on a connection of their own. Every answer is of the last committed state.

    Raises Unavailable when the database is locked, full or gone.
    """

    def __init__(self, path: Path) -> None:
        """Raises ConfigError when the tables are of another version than this program's."""
        self._soon: Soon | None = None
        self._sharing = False
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.5, check_same_thread=False)
        self._db.execute("pragma query_only = on")
        # No memory map: SQLite gives it up at each commit of the log's writer, and every page would be a fault again.
        self._db.execute("pragma cache_size = -65536")  # 64 MB: of 50 million documents, the index pages of the trees
        [(found,)] = self._all("pragma user_version", ())
        if found != VERSION:
            self._db.close()
            msg = f"The store's tables are of version {found}; this program reads {VERSION}."
            raise ConfigError(msg, advice="Start the version of Strongroom that made the store, or restore a backup.")

    def close(self) -> None:
        """Close the connection."""
        self._end()
        self._db.close()

    def of_document(self, login: bytes, document: str, now: int) -> tuple[AccountRow, SubjectRow, DocumentRow]:
        """The facts about one login and one document; an unknown document is `NOTHING` of `NOBODY`."""
        return self.of_version(login, document, None, now)[:3]

    def of_version(
        self, login: bytes, document: str, version: int | None, now: int
    ) -> tuple[AccountRow, SubjectRow, DocumentRow, VersionRow | None]:
        """The same with one version of the document, the newest where `version` is None; None: there is no such one."""
        row = self._one(DOCUMENT_FACTS, (now, login, document, version))
        found = DocumentRow(row[24], row[25], row[26], row[27], bool(row[28]))
        return _account(row), _subject(row), found, None if row[29] is None else VersionRow(*row[29:])

    def of_patient(self, login: bytes, patient: str, now: int) -> tuple[AccountRow, SubjectRow]:
        """The facts about one login and one patient; an unknown patient is `NOBODY`."""
        row = self._one(PATIENT_FACTS, (now, login, patient))
        return _account(row), _subject(row)

    def page(self, patient: PatientId, after: str, limit: int) -> list[tuple[DocumentRow, VersionRow | None]]:
        """Documents of a patient with ids greater than `after`, ordered, with their newest versions; decoys are in no list."""
        rows = self._all(
            f"select d.id, d.category, d.state, d.newest, d.decoy, {_VERSION} from document d"  # noqa: S608  # columns
            " left join version v on v.document = d.id and v.version = d.newest"
            " where d.patient = ? and d.id > ? and d.decoy = 0 order by d.id limit ?",
            (patient, after, limit),
        )
        return [
            (
                DocumentRow(row[0], row[1], row[2], row[3], bool(row[4])),
                None if row[5] is None else VersionRow(*row[5:]),
            )
            for row in rows
        ]

    def version(self, document: DocumentId, version: int) -> VersionRow | None:
        """One version of one document."""
        rows = self._all("select * from version where document = ? and version = ?", (document, version))
        return _version(rows[0]) if rows else None

    def last_version(self, document: DocumentId) -> int:
        """The highest version number ever opened for the document, pending ones included; 0 if there is none."""
        return int(self._all("select coalesce(max(version), 0) from version where document = ?", (document,))[0][0])

    def account(self, login: bytes) -> AccountRow:
        """A login by its keyed hash."""
        rows = self._all("select id, kind, disabled, patient from account where login = ?", (login,))
        return _account(rows[0]) if rows else AccountRow(None, None, disabled=False, patient=None)

    def delegated(self, account: AccountId, now: int) -> list[tuple[PatientId, str, DelegationRow]]:
        """(patient, born, delegation) of everybody this login was ever asked to act for and whose period is live."""
        rows = self._all(
            "select g.patient, coalesce(p.born, ''), g.level, g.basis, g.since, g.until from delegation g"
            " join patient p on p.id = g.patient where g.account = ? and g.since <= ? and ? < g.until",
            (account, now, now),
        )
        return [(row[0], row[1], DelegationRow(*row[2:])) for row in rows]

    def openings(self, account: AccountId, organisation: OrganisationId | None, since: int) -> tuple[int, int]:
        """Break-glass openings after `since` by this account and by its organisation, agreed ones left out."""
        mine = self._all(
            "select count(*) from glass where account = ? and opened > ? and agreed = 0", (account, since)
        )[0][0]
        theirs = self._all(
            "select count(*) from glass where organisation = ? and opened > ? and agreed = 0", (organisation, since)
        )[0][0]
        return int(mine), int(theirs)

    def ticket(self, ticket: str) -> TicketRow | None:
        """An opened deposit."""
        rows = self._all("select document, version, upon, account, opened from ticket where id = ?", (ticket,))
        return TicketRow(*rows[0]) if rows else None

    def patient_of(self, document: DocumentId) -> PatientId | None:
        """Whose document it is."""
        rows = self._all("select patient from document where id = ?", (document,))
        return PatientId(rows[0][0]) if rows else None

    def erasable(self, before: int, limit: int) -> list[tuple[DocumentId, PatientId]]:
        """Documents that were deleted at `before` or earlier and still have keys, the oldest tombstones first."""
        return self._all(
            "select id, patient from document where deleted <= ? and deleted is not null and erased is null"
            " order by deleted limit ?",
            (before, limit),
        )

    def destructions(self, since: int) -> list[DestructionRow]:
        """Patients whose key is to be destroyed, or was asked to be after `since`; the first asked for comes first."""
        rows = self._all(
            "select patient, asked, due, cancelled, done, life from destruction"
            " where asked > ? or (cancelled is null and done is null) order by asked, patient",
            (since,),
        )
        return [DestructionRow(*row) for row in rows]

    def destroyed_lives(self) -> list[bytes]:
        """The life keys that are to exist no longer."""
        return [bytes(row[0]) for row in self._all("select life from destruction where done is not null", ())]

    def key_of(self, patient: PatientId) -> tuple[bytes, int] | None:
        """(wrapped key, version of the key) of a patient whose key is not destroyed."""
        rows = self._all("select wrapped, key_version from patient where id = ? and length(recovery) > 0", (patient,))
        return (bytes(rows[0][0]), int(rows[0][1])) if rows else None

    def keys_after(self, patient: PatientId, limit: int) -> list[tuple[PatientId, bytes, int]]:
        """(patient, wrapped key, version of the key), in the order of ids greater than `patient`."""
        return self._all(
            "select id, wrapped, key_version from patient where id > ? and length(recovery) > 0 order by id limit ?",
            (patient, limit),
        )

    def count_keys(self, until: PatientId) -> tuple[int, int]:
        """How many patients have keys: with ids up to `until`, and in all."""
        rows = self._all(
            "select count(*) filter (where id <= ?), count(*) from patient where length(recovery) > 0", (until,)
        )
        return int(rows[0][0]), int(rows[0][1])

    def versions_of(self, patient: PatientId) -> list[tuple[DocumentId, int, bytes, bytes]]:
        """(document, version, wrapped content key, wrapped metadata key) of every version that has keys."""
        return self._all(
            "select v.document, v.version, v.wrapped_content, v.wrapped_metadata from version v"
            " join document d on d.id = v.document where d.patient = ? and length(v.wrapped_content) > 0",
            (patient,),
        )

    def categories(self, patient: PatientId) -> list[tuple[DocumentId, str]]:
        """Every document the patient ever had, with its category."""
        return self._all("select id, category from document where patient = ?", (patient,))

    def documents_of(self, patients: Sequence[PatientId]) -> list[tuple[PatientId, list[DocumentId]]]:
        """Every document that each of these patients ever had, deleted ones and decoys included. Without who has none."""
        sql = (
            "select patient, group_concat(id, ' ') from document"  # no id has a blank in it (`ids.py`)
            " where patient in (select value from json_each(?)) group by patient"
        )
        return [(patient, held.split(" ")) for patient, held in self._all(sql, (json.dumps(patients),))]

    def revoked(self) -> list[tuple[SessionId, Millis]]:
        """Sessions that were revoked, in the order in which they were."""
        rows = self._all("select session, at from revoked order by at", ())
        return [(SessionId(row[0]), Millis(row[1])) for row in rows]

    def dropped_keys(self, issuer: str) -> list[str]:
        """Thumbprints of this issuer's keys that officers dropped."""
        return [str(row[0]) for row in self._all("select thumbprint from dropped_key where issuer = ?", (issuer,))]

    def name_of(self, kind: str, ident: str) -> bytes | None:
        """The sealed name of an account, patient or organisation."""
        table = {"account": "account", "patient": "patient", "organisation": "organisation"}[kind]
        rows = self._all(f"select name from {table} where id = ?", (ident,))  # noqa: S608  # from the table above
        return bytes(rows[0][0]) if rows else None

    def account_shown(self, shown: str, months: tuple[str, str]) -> AccountId | None:
        """Whom the log calls this in one of these months (2026-01)."""
        sql = "select real from log_name where kind = 'account' and shown = ? and month in (?, ?)"
        rows = self._all(sql, (shown, *months))
        return AccountId(rows[0][0]) if rows and rows[0][0] is not None else None

    def kind_of(self, account: AccountId) -> str | None:
        """Person, clinician or service."""
        rows = self._all("select kind from account where id = ?", (account,))
        return str(rows[0][0]) if rows else None

    def is_party(self, party: str) -> bool:
        """Whether a record can be shared with this: an organisation, or a clinician's login."""
        sql = "select 1 from organisation where id = ? union all select 1 from account where id = ? and kind = 'clinician'"
        return bool(self._all(sql, (party, party)))

    def own_patient(self, account: AccountId) -> PatientId | None:
        """The patient whose own login this is."""
        rows = self._all("select patient from account where id = ?", (account,))
        return rows[0][0] if rows else None

    def patient_by_identifier(self, digest: bytes) -> PatientId | None:
        """The patient with this keyed identifier hash."""
        rows = self._all("select patient from identifier where hash = ?", (digest,))
        return PatientId(rows[0][0]) if rows else None

    def brought_by(self, account: AccountId) -> OrganisationId | None:
        """The organisation whose feed brought this login; None for one that officers made."""
        rows = self._all("select brought from account where id = ?", (account,))
        return rows[0][0] if rows else None

    def is_reachable(self, patient: PatientId, organisation: OrganisationId, now: int) -> bool:
        """Whether a feed of this organisation may speak of the patient: who is with it, or whom it let go by itself and
        whom nobody else has taken up since. Whom an officer took away stays away.
        """
        rows = self._all(
            "select 1 from enrolment e where e.patient = ? and e.organisation = ? and (? < e.until or e.by_hand = 0"
            " and not exists (select 1 from enrolment o where o.patient = e.patient and o.organisation <> e.organisation"
            " and o.since <= ? and ? < o.until))",
            (patient, organisation, now, now, now),
        )
        return bool(rows)

    def feed_state(self, organisation: OrganisationId) -> tuple[bytes | None, int] | None:
        """(public key of its feeds, sequence of the last one taken in) of an organisation."""
        rows = self._all("select feed_key, sequence from organisation where id = ?", (organisation,))
        return (rows[0][0], int(rows[0][1])) if rows else None

    def state(self, name: str) -> bytes | None:
        """A snapshot kept beside the log."""
        rows = self._all("select value from state where name = ?", (name,))
        return bytes(rows[0][0]) if rows else None

    def rows(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """Officers' listings: any read-only statement. Never built from anything a client sent."""
        return self._all(sql, parameters)

    def share(self, soon: Soon) -> None:
        """From here on all facts that one round of a loop looks up are of one state: `soon` calls back in the next round.

        To begin and end a read takes locks on a file, which cost as much as half of the facts. Nobody is told of a change
        before the round after its commit, so what they were told of, they find.
        """
        self._soon = soon

    def _begin(self) -> None:
        if self._soon is not None and not self._sharing:
            self._db.execute("begin")
            self._sharing = True
            self._soon(self._end)

    def _end(self) -> None:
        if self._sharing:
            self._sharing = False
            self._db.execute("commit")  # lists that another thread is just reading go on

    def _one(self, sql: str, parameters: tuple[object, ...]) -> tuple:  # type: ignore[type-arg]  # columns by position
        try:
            self._begin()
            row = self._db.execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            raise _away(error) from error
        if row is None:
            msg = "The keeper's database lacks its sentinel rows."
            raise Unavailable(msg, advice="Restore it from a backup.")
        return row  # type: ignore[no-any-return]  # sqlite3 rows are untyped

    def _all(self, sql: str, parameters: tuple[object, ...]) -> list[tuple]:  # type: ignore[type-arg]  # as above
        try:
            return self._db.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise _away(error) from error


def _away(error: sqlite3.Error) -> Unavailable:
    return Unavailable(
        f"The keeper's database cannot be read ({getattr(error, 'sqlite_errorname', type(error).__name__)}).",
        advice="Look at disk space and permissions of the keeper's directory; it is tried again with each request.",
    )


def _account(row: tuple) -> AccountRow:  # type: ignore[type-arg]  # sqlite3 rows are untyped
    return AccountRow(row[0], row[1], bool(row[2]), row[3])


def _subject(row: tuple) -> SubjectRow:  # type: ignore[type-arg]  # sqlite3 rows are untyped
    withheld, ruled_out = (NONE, NONE) if row[14] is None else _withheld(row[14])
    return SubjectRow(
        patient=row[4],
        wrapped=row[5],
        key_version=row[6],
        born=row[7],
        ruled_out=ruled_out,
        delegation=DelegationRow(row[8], row[9], row[10], row[11]) if row[8] is not None else None,
        practice=row[12],
        shared=bool(row[13]),
        withheld=withheld,
        glass_until=row[15],
        grant=GrantRow(row[16], row[17], row[18], row[19], row[20]) if row[16] is not None else None,
        granted_patient=bool(row[21]),
        agreed=bool(row[22]),
        home=row[23],
    )


def _withheld(categories: str) -> tuple[frozenset[str], frozenset[str]]:
    """What is withheld, and what of it break-glass may not open either."""
    found = categories.split(",")
    return (
        frozenset([one.removesuffix(RULED_OUT) for one in found]),
        frozenset([one[:-1] for one in found if one.endswith(RULED_OUT)]),
    )


def _version(row: tuple) -> VersionRow:  # type: ignore[type-arg]  # sqlite3 rows are untyped
    return VersionRow(*row)
