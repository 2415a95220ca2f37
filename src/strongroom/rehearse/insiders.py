"""P1's worse cases: the app itself is the thief, the disks were copied, or tokens are forged.

The scripts below run as the app's own user, with its keys and its socket, in a process of their own. They try everything
such an owner could try, and print what they got as JSON.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from strongroom.envelope.binding import content_context
from strongroom.envelope.sealed import HEADER, Ranges
from strongroom.envelope.small import KEY_SIZE
from strongroom.errors import Untrusted
from strongroom.identity.signing import generate
from strongroom.rehearse.attack import Moment
from strongroom.rehearse.http import OK, Browser
from strongroom.rehearse.playbook import Scene, judged, keep_honest, owners_of
from strongroom.rehearse.stage import Stage
from strongroom.rehearse.timeline import Lane
from strongroom.secret import Secret

HOSTILE_APP = """
import asyncio, json, pathlib, socket, time
from strongroom.identity import keyfile
from strongroom.identity.context import ContextKey, Signer, sign_context
from strongroom.identity.signing import generate
from strongroom.keeper import protocol as p
from strongroom.keeper.client import KeeperClient
from strongroom.secret import Secret

given = json.loads(sys.argv[1])
got = {"released": [], "listed": [], "other": [], "files": [], "requests": 0}
context_key = ContextKey(Secret(keyfile.read_private(pathlib.Path(given["context_key"]))), Signer.LOCAL)
own_key = generate()


def forged(subject):
    now = int(time.time())
    return own_key.sign_compact("at+jwt", {"iss": given["issuer"], "aud": given["audience"], "sub": subject, "iat": now,
        "exp": now + 600, "sid": "s", "client_id": "cli", "amr": ["mfa"], "auth_time": now})


def asking(token):
    return p.Asking(token=token, context=sign_context(context_key, token=token, address="127.0.0.1",
        now=given["ahead"] + int(time.time() * 1000), method="GET", url=given["base"], request="r"))


def requests(token, documents, patients):
    who = asking(token)
    yield p.WhoAmI(asking=who)
    for document in documents:
        yield p.Release(asking=who, document=document)
        yield p.List(asking=who, document=document)
    for patient in patients:
        yield p.List(asking=who, patient=patient)
        yield p.History(asking=who, patient=patient)
        yield p.Deposit(asking=who, patient=patient, category="normal", content_type="text/plain")
        later = given["ahead"] + int(time.time() * 1000) + 86400000
        yield p.Share(asking=who, patient=patient, party="practice-1", until=later)
        yield p.Delegate(asking=who, patient=patient, account="a" * 26, full=True, until=later)
        yield p.BreakGlass(asking=who, patient=patient, reason="emergency")
    yield p.Deposited(ticket="a" * 26, size=1, sealed_size=73)
    yield p.Deliveries(words=(p.Delivered(receipt=1, bytes=1, complete=True),))


async def run():
    client = KeeperClient(pathlib.Path(given["socket"]), timeout=5.0)
    for token in given["tokens"] or ["", "x", forged("person-1"), forged("person-2")]:
        for request in requests(token, given["documents"], given["patients"]):
            got["requests"] += 1
            try:
                reply = await client.ask(request)
            except Exception as error:
                continue
            if isinstance(reply, p.Released):
                got["released"].append(reply.document)
            elif isinstance(reply, p.Listed) and (reply.rows or reply.receipt is not None):
                got["listed"] += [row.document for row in reply.rows]
            elif isinstance(reply, (p.Opened, p.Glass)) or (isinstance(reply, p.Accesses) and reply.rows) or (
                    isinstance(reply, p.Known) and (reply.own or reply.delegated)):
                got["other"].append(type(reply).__name__)

asyncio.run(run())
for place in given["forbidden"]:
    try:
        pathlib.Path(place).read_bytes() if pathlib.Path(place).is_file() else list(pathlib.Path(place).iterdir())
        got["files"].append(place)
    except OSError:
        pass
try:
    with socket.socket(socket.AF_UNIX) as officers:
        officers.connect(given["admin_socket"])
        officers.sendall(b"\\0\\0\\0\\1x")
        if officers.recv(1):
            got["files"].append("officers' socket")
except OSError:
    pass
print(json.dumps(got))
"""
"""Nobody signed in (no tokens given), or with the live tokens of honest users."""


async def hostile_app(
    stage: Stage, live: Sequence[str], stolen_before: frozenset[str], seed: int, say: Callable[[str], None]
) -> Lane:
    """The app's owner asks the keeper for everything: without anybody signed in, or with the tokens of `live` users."""
    scene = Scene(stage, seed, say, Browser(stage.base))
    tokens = [stage.token(subject) for subject in live]
    files = stage.app_files()
    root = files["root"]
    rng = random.Random(seed)
    documents = sorted({document for document, _ in stage.documents})
    given = {
        "socket": str(files["socket"]), "context_key": str(files["context_key"]), "tokens": tokens, "base": stage.base,
        "admin_socket": str(files["admin_socket"]), "audience": stage.base, "issuer": _issuer(stage.token("person-1")), "ahead": 0,
        # With live tokens the probe budget ends it early, so their own documents come first.
        "documents": _own_first(stage, live, documents) if live else rng.sample(documents, min(120, len(documents))),
        "patients": sorted(set(stage.own.values()))[:30],
        "forbidden": [str(root / name) for name in ("keeper", "keeper/keeper.db", "keeper/root.key", "keeper/secrets",
                                                    "signin", "signin/signing.key", "officers", "officers/privacy.key")],
    }  # fmt: skip
    beside = asyncio.create_task(keep_honest(scene, stolen_before | frozenset(live)))
    argument = _written(given)
    script = HOSTILE_APP.replace("json.loads(sys.argv[1])", "json.loads(open(sys.argv[1]).read())")
    try:
        done = await asyncio.to_thread(stage.run_as_app, script, str(argument))
    finally:
        await asyncio.to_thread(argument.unlink)
    scene.over = True
    await beside
    await scene.browser.close()
    if done.returncode != 0:
        say(f"    the hostile app failed: {done.stderr[-400:]}")
    got = json.loads(done.stdout)
    scene.haul.requests = got["requests"]
    for document in got["released"]:
        scene.haul.got(document, scene.now(), foreign=True, listing=False)
    for document in got["listed"]:
        scene.haul.got(document, scene.now(), foreign=True, listing=True)
    scene.moments += [Moment(scene.now(), honest=False, outcome="foreign" if scene.haul.documents else "refused")]
    scene.haul.first_foreign = 0.0 if live else None
    # What it should never get counts as got: then the list is not the haul, and the run fails.
    for thing in [*(got["files"] if stage.border == "uid" else []), *([] if live else got["other"])]:
        say(f"    the app's user got: {thing}")
        scene.haul.got(f"not a document: {thing}", scene.now(), foreign=True, listing=False)
    allowed = frozenset().union(*(stage.readable[subject] for subject in live)) if live else frozenset()
    lane = judged(scene, "hostile-app-live" if live else "hostile-app", [], "max", len(allowed), tokens)
    return _named(lane, "account budgets and policy" if live else "identity", len(live))


FOREIGN = 60
"""Foreign documents that a hostile app tries with each live token; the probe budget ends it after 20."""


def _issuer(token: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["iss"])


def _written(given: dict[str, object]) -> Path:
    """What the script is given, in a file that the app's user can read."""
    path = Path(tempfile.mkstemp(prefix="strongroom-")[1])
    path.write_text(json.dumps(given))
    path.chmod(0o644)
    return path


def _own_first(stage: Stage, live: Sequence[str], documents: Sequence[str]) -> list[str]:
    mine = frozenset().union(*(stage.readable[subject] for subject in live))
    owners = owners_of(stage)
    own = [document for document in documents if owners[document] in mine]
    return own + [document for document in documents if owners[document] not in mine][:FOREIGN]


def _named(lane: Lane, stopped_by: str, logins: int) -> Lane:
    return Lane(replace(lane.run, stopped_by=stopped_by, logins=logins), lane.moments)


async def copied_stores(
    stage: Stage, which: Sequence[str], stolen_before: frozenset[str], seed: int, say: Callable[[str], None]
) -> Lane:
    """A thief of disks has copies of these stores and no root key: search them for anything readable, try to open the rest."""
    scene = Scene(stage, seed, say, Browser(stage.base))
    beside = asyncio.create_task(keep_honest(scene, stolen_before, limit=120))
    folder = Path(tempfile.mkdtemp(prefix="strongroom-copies-"))
    try:
        found = {name: path for name, path in stage.copies(folder).items() if name in which}
        tried, readable = await asyncio.to_thread(_search, found)
    finally:
        shutil.rmtree(folder)
    scene.haul.requests = tried
    for document in readable:
        scene.haul.got(document, scene.now(), foreign=True, listing=False)
    scene.over = True
    await beside
    await scene.browser.close()
    lane = judged(scene, "copied-stores", [], "max", 0, [])
    return _named(lane, f"encryption ({', '.join(which)})", 0)


WORDS = (b"Discharge summary", b"Clinic letter", b"SYNTHETIC", b"%PDF-", b"JFIF\0\1", b"Patient: ", b"http://loinc.org")
"""What any document or its metadata holds in the clear; long enough not to stand in random bytes by chance."""


def _search(copies: dict[str, Path]) -> tuple[int, set[str]]:
    """(attempts, documents that could be read). Every stored blob is tried as a key for every object."""
    objects = [path for path in copies["objects"].rglob("*") if path.is_file()] if "objects" in copies else []
    raw = [path.read_bytes() for name, path in copies.items() if name != "objects"]
    tried, readable = 0, set()
    for content in [*raw, *(path.read_bytes() for path in objects)]:
        tried += 1
        if any(word in content for word in WORDS):
            readable.add(f"plain:{hashlib.sha256(content).hexdigest()[:12]}")
    keys, contexts = _keys(copies), _contexts(copies)
    for path in objects[:40]:
        content = path.read_bytes()
        for key in keys[:200]:
            tried += 1
            try:
                Ranges(Secret(key), contexts.get(path.name, b""), content[:HEADER], len(content))
                readable.add(path.name)
            except Untrusted:
                continue
    return tried, readable


def _contexts(copies: dict[str, Path]) -> dict[str, bytes]:
    """What each object is bound to. Whoever has both databases knows it: it is no secret, and must not need to be."""
    if "keeper_db" not in copies or "catalogue" not in copies:
        return {}
    keeper, catalogue = sqlite3.connect(copies["keeper_db"]), sqlite3.connect(copies["catalogue"])
    versions = {
        (document, version): content_context(patient, document, version, content_type)
        for patient, document, version, content_type in keeper.execute(
            "select d.patient, v.document, v.version, v.content_type from version v join document d on d.id = v.document"
        )
    }
    rows = catalogue.execute("select document, version, blob from entry").fetchall()
    keeper.close()
    catalogue.close()
    return {blob: versions[document, version] for document, version, blob in rows if (document, version) in versions}


def _keys(copies: dict[str, Path]) -> list[bytes]:
    """Everything in the keeper's database that has a key's length somewhere in it."""
    if "keeper_db" not in copies:
        return [bytes(KEY_SIZE)]
    database = sqlite3.connect(copies["keeper_db"])
    rows = database.execute("select wrapped_content, wrapped_metadata from version limit 100").fetchall()
    rows += database.execute("select wrapped, recovery from patient limit 100").fetchall()
    database.close()
    return [
        blob[at : at + KEY_SIZE]
        for row in rows
        for blob in row
        for at in (0, 13, max(0, len(blob) - KEY_SIZE))
        if len(blob) >= KEY_SIZE
    ]


async def app_mints(stage: Stage, stolen_before: frozenset[str], seed: int, say: Callable[[str], None]) -> Lane:
    """Forged tokens: own key under the issuer's key id, no signature, the public key as an HMAC secret, an unknown key."""
    scene = Scene(stage, seed, say, Browser(stage.base))
    beside = asyncio.create_task(keep_honest(scene, stolen_before))
    real = stage.token("person-1")
    owners = owners_of(stage)
    for number, token in enumerate(_forgeries(real)):
        for document in sorted(owners)[:40]:
            answer = await scene.browser.get(f"Binary/{document}", {"Authorization": f"Bearer {token}"}, "127.8.0.1")
            scene.haul.requests += 1
            if answer.status == OK:
                scene.haul.got(document, scene.now(), foreign=True, listing=False)
            scene.note("foreign" if answer.status == OK else "refused")
            if number and scene.haul.requests % 40 == 0:
                break
    scene.over = True
    await beside
    await scene.browser.close()
    lane = judged(scene, "app-mints", [], "max", 0, [])
    return _named(lane, "identity", 0)


def _forgeries(real: str) -> list[str]:
    """Tokens that say what `real` says, with later times, and are not signed by the issuer."""
    header, claims, signature = real.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    now = int(said["iat"]) + 1
    said |= {"iat": now, "exp": now + 600, "auth_time": now}
    kid = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    own = generate()

    def signed(head: dict[str, str], sign: Callable[[bytes], bytes]) -> str:
        body = ".".join(_part(part) for part in (head, said))
        return f"{body}.{base64.urlsafe_b64encode(sign(body.encode())).rstrip(b'=').decode()}"

    return [
        signed({"alg": "EdDSA", "typ": "at+jwt", "kid": kid}, own.sign),
        signed({"alg": "EdDSA", "typ": "at+jwt", "kid": own.kid}, own.sign),
        signed({"alg": "none", "typ": "at+jwt", "kid": kid}, lambda _: b""),
        signed({"alg": "HS256", "typ": "at+jwt", "kid": kid}, lambda body: hmac.digest(kid.encode(), body, "sha256")),
        signed({"alg": "EdDSA", "typ": "at+jwt", "kid": kid, "jwk": json.dumps(own.jwk())}, own.sign),
        f"{header}.{_part(said)}.{signature}",
        re.sub(r"^", "x", real),
    ]


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
