"""The tables of the keeper's own database, and the patient and document that are nobody's."""

import sqlite3
from pathlib import Path

from strongroom.ids import DocumentId, PatientId

VERSION = 3
"""Of the tables, kept in the file (`pragma user_version`): a store of another version is refused when it is opened."""

SCHEMA = """
create table organisation (
  id text primary key, name blob not null, feed_key blob, sequence integer not null default 0,
  imported integer not null default 0) without rowid;
create table account (
  id text primary key, login blob not null unique, kind text not null, disabled integer not null default 0,
  patient text, name blob not null, brought text) without rowid;
create table patient (
  id text primary key, wrapped blob not null, recovery blob not null, key_version integer not null default 1,
  born text, name blob not null) without rowid;
create table identifier (hash blob primary key, patient text not null) without rowid;
create table member (
  account text not null, organisation text not null, since integer not null, until integer not null,
  primary key (account, organisation)) without rowid;
create table enrolment (
  patient text not null, organisation text not null, since integer not null, until integer not null,
  by_hand integer not null default 0, primary key (patient, organisation)) without rowid;
create index enrolment_organisation on enrolment (organisation);
create table delegation (
  account text not null, patient text not null, level text not null, basis text not null, since integer not null,
  until integer not null, by_hand integer not null default 0, primary key (account, patient)) without rowid;
create table share (
  patient text not null, party text not null, since integer not null, until integer not null,
  primary key (patient, party)) without rowid;
create table withholding (
  patient text not null, party text not null, category text not null, since integer not null,
  ruled_out integer not null default 0, primary key (patient, party, category)) without rowid;
create table glass (
  account text not null, patient text not null, opened integer not null, organisation text, until integer not null,
  agreed integer not null default 0, primary key (account, patient, opened)) without rowid;
create index glass_organisation on glass (organisation, opened);
create table agreement (account text not null, subject text not null, until integer not null,
  primary key (account, subject)) without rowid;
create table service_grant (
  account text primary key, organisation text not null, purpose text not null, cursor integer not null,
  size integer not null, until integer not null) without rowid;
create table document (
  id text primary key, patient text not null, category text not null, state text not null,
  newest integer not null, decoy integer not null default 0, deleted integer, erased integer) without rowid;
create index document_patient on document (patient, id, category, state, newest, decoy);
create index document_tombstone on document (deleted) where deleted is not null and erased is null;
create table version (
  document text not null, version integer not null, state text not null, content_type text not null,
  size integer not null default 0, sealed_size integer not null default 0, created integer not null,
  author text, wrapped_content blob not null, wrapped_metadata blob not null, edition integer not null default 0,
  keyed integer not null default 0, primary key (document, version)) without rowid;
create table ticket (
  id text primary key, document text not null, version integer not null, upon integer not null,
  account text not null, opened integer not null) without rowid;
create table notice (
  patient text not null, at integer not null, kind text not null, told integer, primary key (patient, at, kind)
  ) without rowid;
create table destruction (
  patient text not null, asked integer not null, due integer not null, cancelled integer, done integer, life blob,
  primary key (patient, asked)) without rowid;
create table dropped_key (issuer text not null, thumbprint text not null, at integer not null,
  primary key (issuer, thumbprint)) without rowid;
create table revoked (session text primary key, at integer not null) without rowid;
create table state (name text primary key, value blob not null) without rowid;
"""

NOBODY = PatientId("nobody")
NOTHING = DocumentId("nothing")
"""A document that is never anybody's, so that an unknown id costs the same look-ups as a foreign one."""


def create_tables(path: Path) -> None:
    """Lay the keeper's tables into a database that does not have them yet. Raises sqlite3.OperationalError if it has."""
    with sqlite3.connect(path) as connection:
        connection.executescript(f"{SCHEMA} pragma user_version = {VERSION};")
        # As much is known of nobody as of anybody: a missing birth date or relation would be quicker to look up. But the
        # version stays pending, so that it is not released even when a broken policy permits it.
        connection.execute(
            "insert into patient (id, wrapped, recovery, born, name) values (?, zeroblob(60), x'', '1970-01-01', x'')",
            (NOBODY,),
        )
        connection.execute(
            "insert into enrolment (patient, organisation, since, until) values (?, 'nowhere', 0, 253402300799000)",
            (NOBODY,),
        )
        connection.execute(
            "insert into document (id, patient, category, state, newest, erased)"
            " values (?, ?, 'normal', 'deleted', 1, 0)",
            (NOTHING, NOBODY),
        )
        connection.execute(
            "insert into version (document, version, state, content_type, created, author, wrapped_content,"
            " wrapped_metadata) values (?, 1, 'pending', 'text/plain', 0, ?, zeroblob(60), zeroblob(60))",
            (NOTHING, NOBODY),
        )
    connection.close()
