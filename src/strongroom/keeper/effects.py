"""Changes of the keeper's database, as values. Done by the log's writer in the transaction of the entry that tells them.

No function here touches a database: each gives statement and parameters. A statement that must change exactly one row
is guarded by a `where` that finds none when the world moved on meanwhile; `guard` turns that into a failed entry.
"""

from collections.abc import Sequence

from strongroom.audit.effect import Effect
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId

FOREVER = 253_402_300_799_000
"""9999-12-31 in ms: a period without an end."""


def insert_patient(patient: PatientId, wrapped: bytes, recovery: bytes, born: str | None, name: bytes) -> Effect:
    """A new patient with a wrapped key. `name` is sealed."""
    return Effect(
        "insert into patient (id, wrapped, recovery, born, name) values (?, ?, ?, ?, ?)",
        (patient, wrapped, recovery, born, name),
    )


def update_patient(patient: PatientId, born: str | None, name: bytes) -> Effect:
    """A patient's birth date and sealed name, as the feed now has them."""
    return Effect("update patient set born = ?, name = ? where id = ?", (born, name, patient))


def identify(digest: bytes, patient: PatientId) -> Effect:
    """A keyed identifier hash that names a patient."""
    return Effect("insert or ignore into identifier (hash, patient) values (?, ?)", (digest, patient))


def insert_account(  # a row of the table
    account: AccountId,
    login: bytes,
    kind: str,
    patient: PatientId | None,
    name: bytes,
    brought: OrganisationId | None,
) -> Effect:
    """A new login. `brought`: the organisation whose feed brings it; None for one that officers make."""
    return Effect(
        "insert into account (id, login, kind, patient, name, brought) values (?, ?, ?, ?, ?, ?)",
        (account, login, kind, patient, name, brought),
    )


def update_account(account: AccountId, patient: PatientId | None, name: bytes) -> Effect:
    """A login's sealed name, and its patient where it has none yet. Its kind never changes."""
    return Effect("update account set name = ?, patient = coalesce(patient, ?) where id = ?", (name, patient, account))


def bind_login(account: AccountId, patient: PatientId) -> Effect:
    """An officer says whose own login it is. A Conflict where it is no person's, or somebody's already."""
    return Effect(
        "update account set patient = ? where id = ? and kind = 'person' and patient is null",
        (patient, account),
        rows=1,
    )


def unbind_login(account: AccountId, patient: PatientId) -> Effect:
    """An officer says that it is not this patient's login. The feed that brought it cannot say so again."""
    return Effect(
        "update account set patient = null, brought = null where id = ? and patient = ?", (account, patient), rows=1
    )


def put_organisation(organisation: OrganisationId, name: bytes, feed_key: bytes | None) -> Effect:
    """An organisation, and the public key its feeds are signed with."""
    return Effect(
        "insert into organisation (id, name, feed_key) values (?, ?, ?)"
        " on conflict (id) do update set name = excluded.name, feed_key = coalesce(excluded.feed_key, feed_key)",
        (organisation, name, feed_key),
    )


def fed(organisation: OrganisationId, sequence: int, at: int) -> Effect:
    """A feed with this sequence number was taken in; an older one fails."""
    return Effect(
        "update organisation set sequence = ?, imported = ? where id = ? and sequence < ?",
        (sequence, at, organisation, sequence),
        rows=1,
    )


def enrol(patient: PatientId, organisation: OrganisationId, since: int, until: int, *, by_hand: bool) -> Effect:
    """The patient is with this organisation. A feed leaves what an officer set (`by_hand`) as it is."""
    return Effect(
        "insert into enrolment (patient, organisation, since, until, by_hand) values (?, ?, ?, ?, ?)"
        " on conflict (patient, organisation) do update set since = excluded.since, until = excluded.until,"
        " by_hand = excluded.by_hand where enrolment.by_hand <= excluded.by_hand",
        (patient, organisation, since, until, int(by_hand)),
    )


def join(account: AccountId, organisation: OrganisationId, since: int, until: int) -> Effect:
    """The login works for this organisation."""
    return Effect(
        "insert into member (account, organisation, since, until) values (?, ?, ?, ?)"
        " on conflict (account, organisation) do update set since = excluded.since, until = excluded.until",
        (account, organisation, since, until),
    )


_DELEGATE = (
    "insert into delegation (account, patient, level, basis, since, until, by_hand) values (?, ?, ?, ?, ?, ?, ?)"
    " on conflict (account, patient) do update set level = excluded.level, basis = excluded.basis,"
    " since = case when delegation.until > excluded.since and delegation.level = excluded.level"
    " then delegation.since else excluded.since end, until = excluded.until, by_hand = excluded.by_hand"
)


def delegate(account: AccountId, patient: PatientId, level: str, basis: str, since: int, until: int) -> Effect:
    """The patient, or an officer, lets the login act. What goes on keeps its beginning: renewing makes nothing old."""
    return Effect(_DELEGATE, (account, patient, level, basis, since, until, 1))


def end_delegation(account: AccountId, patient: PatientId, at: int) -> Effect:
    """The patient, or an officer, ends it. From then on no feed begins it anew."""
    return Effect(
        "update delegation set until = min(until, ?), by_hand = 1 where account = ? and patient = ?",
        (at, account, patient),
    )


def feed_delegation(account: AccountId, patient: PatientId, basis: str, since: int, until: int, at: int) -> Effect:
    """A feed lets the login act. A Conflict where the patient or an officer gave or ended it, or where a parent, whose
    authority ends with the child's age, would become a carer, whose does not: that relation is ended first.
    """
    guard = " where delegation.by_hand = 0 and (delegation.basis <> 'parent' or ? = 'parent' or delegation.until <= ?)"
    return Effect(_DELEGATE + guard, (account, patient, "full", basis, since, until, 0, basis, at), rows=1)


def end_fed_delegation(account: AccountId, patient: PatientId, at: int) -> Effect:
    """A feed ends what a feed gave. A Conflict where there is no such thing."""
    return Effect(
        "update delegation set until = min(until, ?) where account = ? and patient = ? and by_hand = 0",
        (at, account, patient),
        rows=1,
    )


def share(patient: PatientId, party: str, since: int, until: int) -> Effect:
    """The patient shares the record with a clinician or an organisation."""
    return Effect(
        "insert into share (patient, party, since, until) values (?, ?, ?, ?)"
        " on conflict (patient, party) do update set since = excluded.since, until = excluded.until",
        (patient, party, since, until),
    )


def end_share(patient: PatientId, party: str, at: int) -> Effect:
    """The share is over from `at` on."""
    return Effect("update share set until = min(until, ?) where patient = ? and party = ?", (at, patient, party))


def end_enrolment(patient: PatientId, organisation: OrganisationId, at: int, *, by_hand: bool) -> Effect:
    """The patient left the organisation. `by_hand`: an officer says so, and the organisation's feed cannot undo it."""
    return Effect(
        "update enrolment set until = min(until, ?), by_hand = ? where patient = ? and organisation = ?"
        " and (until > ? or by_hand <= ?)",
        (at, int(by_hand), patient, organisation, at, int(by_hand)),
    )


def end_membership(account: AccountId, organisation: OrganisationId, at: int) -> Effect:
    """The login no longer works for the organisation."""
    return Effect(
        "update member set until = min(until, ?) where account = ? and organisation = ?", (at, account, organisation)
    )


def withhold(patient: PatientId, party: str, category: str, since: int, *, ruled_out: bool) -> Effect:
    """The patient withholds a category (empty: the record) from a party (empty: everybody).

    `ruled_out`: break-glass does not open it either. It is said of this withholding, and changes no other.
    """
    return Effect(
        "insert into withholding (patient, party, category, since, ruled_out) values (?, ?, ?, ?, ?)"
        " on conflict (patient, party, category) do update set ruled_out = excluded.ruled_out",
        (patient, party, category, since, int(ruled_out)),
    )


def lift_withholding(patient: PatientId, party: str, category: str) -> Effect:
    """The patient no longer withholds it."""
    return Effect(
        "delete from withholding where patient = ? and party = ? and category = ?", (patient, party, category)
    )


def open_glass(
    account: AccountId,
    patient: PatientId,
    organisation: OrganisationId | None,
    opened: int,
    until: int,
    *,
    agreed: bool,
) -> Effect:
    """Break-glass is open for this login and this patient."""
    return Effect(
        "insert into glass (account, patient, organisation, opened, until, agreed) values (?, ?, ?, ?, ?, ?)",
        (account, patient, organisation, opened, until, int(agreed)),
    )


def notice(patient: PatientId, at: int, kind: str) -> Effect:
    """Something the patient is to be told, without content."""
    return Effect("insert or ignore into notice (patient, at, kind) values (?, ?, ?)", (patient, at, kind))


def agree(account: AccountId, subject: str, until: int) -> Effect:
    """A second person agreed to what `account` asks about `subject`."""
    return Effect(
        "insert into agreement (account, subject, until) values (?, ?, ?)"
        " on conflict (account, subject) do update set until = excluded.until",
        (account, subject, until),
    )


def grant(account: AccountId, organisation: OrganisationId, purpose: str, cursor: int, size: int, until: int) -> Effect:
    """What a service account may read: whose patients, what for, from when on, and how many documents in 24 h."""
    return Effect(
        "insert into service_grant (account, organisation, purpose, cursor, size, until) values (?, ?, ?, ?, ?, ?)"
        " on conflict (account) do update set organisation = excluded.organisation, purpose = excluded.purpose,"
        " cursor = excluded.cursor, size = excluded.size, until = excluded.until",
        (account, organisation, purpose, cursor, size, until),
    )


def move_cursor(account: AccountId, to: int) -> Effect:
    """The service has read up to `to`; a cursor never goes back by itself."""
    return Effect("update service_grant set cursor = max(cursor, ?) where account = ?", (to, account))


def open_version(  # noqa: PLR0917  # a row of the table
    document: DocumentId,
    version: int,
    content_type: str,
    created: int,
    author: AccountId,
    wrapped_content: bytes,
    wrapped_metadata: bytes,
    under: tuple[PatientId, int],
) -> Effect:
    """A version that is being written; nobody can read it yet. Fails when the key it is wrapped `under` was rotated."""
    return Effect(
        "insert into version (document, version, state, content_type, created, author, wrapped_content,"
        " wrapped_metadata) select ?, ?, 'pending', ?, ?, ?, ?, ? from patient where id = ? and key_version = ?",
        (document, version, content_type, created, author, wrapped_content, wrapped_metadata, *under),
        rows=1,
    )


def insert_document(document: DocumentId, patient: PatientId, category: str, *, decoy: bool = False) -> Effect:
    """A document without an available version yet."""
    return Effect(
        "insert into document (id, patient, category, state, newest, decoy) values (?, ?, ?, ?, ?, ?)",
        (document, patient, category, "available" if decoy else "pending", int(decoy), int(decoy)),
    )


def open_ticket(ticket: str, upon: int, written: tuple[DocumentId, int], account: AccountId, opened: int) -> Effect:
    """The right of one deposit to be finished, as long as `upon` is still the newest version."""
    return Effect(
        "insert into ticket (id, document, version, upon, account, opened) values (?, ?, ?, ?, ?, ?)",
        (ticket, *written, upon, account, opened),
    )


def finish_version(document: DocumentId, version: int, upon: int, size: int, sealed_size: int) -> tuple[Effect, Effect]:
    """The version's bytes are durable: it can be read from the next commit on.

    Fails when `upon` is not the newest version any more, or the document was deleted: no change is lost unseen.
    """
    return (
        Effect(
            "update version set state = 'available', size = ?, sealed_size = ? where document = ? and version = ?"
            " and state = 'pending'",
            (size, sealed_size, document, version),
            rows=1,
        ),
        Effect(
            "update document set state = 'available', newest = ? where id = ? and newest = ?"
            " and state in ('pending', 'available')",
            (version, document, upon),
            rows=1,
        ),
    )


def delete_document(document: DocumentId, at: int) -> Effect:
    """A tombstone; keys and bytes stay until the delay is over."""
    return Effect(
        "update document set state = 'deleted', deleted = ? where id = ? and state = 'available'",
        (at, document),
        rows=1,
    )


def undelete_document(document: DocumentId) -> Effect:
    """A tombstone is taken away, while there are keys."""
    return Effect(
        "update document set state = 'available', deleted = null where id = ? and state = 'deleted'"
        " and deleted is not null and erased is null",
        (document,),
        rows=1,
    )


def erase_document(document: DocumentId, at: int) -> tuple[Effect, Effect]:
    """The keys of every version are overwritten: what is left of the document is ciphertext."""
    return (
        Effect(
            "update document set erased = ? where id = ? and state = 'deleted' and erased is null",
            (at, document),
            rows=1,
        ),
        Effect("update version set wrapped_content = x'', wrapped_metadata = x'' where document = ?", (document,)),
    )


def rotate_patient(
    patient: PatientId,
    version: int,
    key: tuple[bytes, bytes],
    moved: Sequence[tuple[DocumentId, int, bytes, tuple[bytes, bytes]]],
) -> list[Effect]:
    """Another key for a patient, and every version's keys under it. Fails when a version was opened or moved meanwhile.

    `key`: wrapped, to the recovery key. `moved`: document, version, its wrapped content key until now, (wrapped content
    key, wrapped metadata key).
    """
    rotated = Effect(
        "update patient set wrapped = ?, recovery = ?, key_version = key_version + 1 where id = ? and key_version = ?"
        " and (select count(*) from version v join document d on d.id = v.document"
        " where d.patient = patient.id and length(v.wrapped_content) > 0) = ?",
        (*key, patient, version, len(moved)),
        rows=1,
    )
    return [
        rotated,
        *(
            Effect(
                "update version set wrapped_content = ?, wrapped_metadata = ? where document = ? and version = ?"
                " and wrapped_content = ?",
                (*wrapped, document, number, before),
                rows=1,
            )
            for document, number, before, wrapped in moved
        ),
    ]


def reencrypt_version(
    document: DocumentId, version: int, edition: int, before: bytes, keys: tuple[bytes, bytes], keyed: int
) -> Effect:
    """A version's next edition: other keys, and other ciphertext that lies in the store already.

    `before`: its wrapped content key until now; fails when that, or the edition, is another meanwhile. `keyed`: entries
    of the log before this index gave out keys of earlier editions.
    """
    return Effect(
        "update version set wrapped_content = ?, wrapped_metadata = ?, edition = edition + 1, keyed = ?"
        " where document = ? and version = ? and edition = ? and wrapped_content = ? and length(wrapped_content) > 0",
        (*keys, keyed, document, version, edition, before),
        rows=1,
    )


def rewrap_patient(patient: PatientId, old: bytes, new: bytes) -> Effect:
    """The same key under another root key; nothing happens when it was rotated or destroyed meanwhile."""
    return Effect("update patient set wrapped = ? where id = ? and wrapped = ?", (new, patient, old))


def ask_destruction(patient: PatientId, asked: int, due: int) -> Effect:
    """The patient's key is to be destroyed at `due`. Fails when that was asked already, or it is destroyed."""
    return Effect(
        "insert into destruction (patient, asked, due) select id, ?, ? from patient where id = ?"
        " and length(recovery) > 0 and not exists (select 1 from destruction x where x.patient = patient.id"
        " and x.cancelled is null and x.done is null)",
        (asked, due, patient),
        rows=1,
    )


def cancel_destruction(patient: PatientId, at: int) -> Effect:
    """It is not to be destroyed after all."""
    return Effect(
        "update destruction set cancelled = ? where patient = ? and cancelled is null and done is null",
        (at, patient),
        rows=1,
    )


def destroy_patient(patient: PatientId, life: bytes, at: int) -> list[Effect]:
    """Everything that opens a patient's documents is overwritten, and nobody stands in any relation to the patient."""
    return [
        Effect(
            "update destruction set done = ?, life = ? where patient = ? and cancelled is null and done is null",
            (at, life, patient),
            rows=1,
        ),
        Effect("update patient set wrapped = zeroblob(length(wrapped)), recovery = x'', name = x'' where id = ?",
               (patient,), rows=1),
        Effect("update version set wrapped_content = x'', wrapped_metadata = x'' where document in"
               " (select id from document where patient = ?)", (patient,)),
        Effect("update document set state = 'deleted', deleted = coalesce(deleted, ?), erased = coalesce(erased, ?)"
               " where patient = ?", (at, at, patient)),
        *(Effect(f"delete from {table} where patient = ?", (patient,))  # noqa: S608  # one of the tables named below
          for table in _RELATIONS),
        Effect("update account set patient = null where patient = ?", (patient,)),
    ]  # fmt: skip


_RELATIONS = ("identifier", "enrolment", "delegation", "share", "withholding", "glass")


def relabel(document: DocumentId, category: str) -> Effect:
    """Another category."""
    return Effect("update document set category = ? where id = ?", (category, document), rows=1)


def revoke_session(session: SessionId, at: int) -> Effect:
    """No token of this session is believed any more, after a restart neither."""
    return Effect(
        "insert into revoked (session, at) values (?, ?) on conflict (session) do update set at = excluded.at",
        (session, at),
    )


def drop_key(issuer: str, thumbprint: str, at: int) -> Effect:
    """A key of this issuer holds no more, whatever a key set says."""
    return Effect(
        "insert or ignore into dropped_key (issuer, thumbprint, at) values (?, ?, ?)", (issuer, thumbprint, at)
    )


def keep_state(name: str, value: bytes) -> Effect:
    """A snapshot beside the log, in the same transaction as the entry that made it true."""
    return Effect(
        "insert into state (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
        (name, value),
    )
