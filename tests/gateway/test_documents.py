"""Our own rules for portals of documents: what each must stop, and what looks like it and must be left."""

import re
from urllib.parse import quote

import pytest

from strongroom.gateway import crs, rules
from strongroom.gateway.modsecurity import Engine, Subject
from tests.gateway.test_multipart import B, body

HEADERS = ((b"host", b"portal.example"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"*/*"))


def get(target: str, *headers: tuple[str, str]) -> Subject:
    """A request without a body."""
    return Subject(
        "GET", target.encode(), (*HEADERS, *((name.encode(), value.encode()) for name, value in headers)), "192.0.2.1"
    )


def asks(value: str) -> Subject:
    """A search for that."""
    return get(f"/letters?q={quote(value, safe='')}")


def posts(text: str, kind: bytes = b"application/json") -> Subject:
    """A body."""
    raw = text.encode()
    return Subject(
        "POST",
        b"/letters",
        (*HEADERS, (b"content-type", kind), (b"content-length", b"%d" % len(raw))),
        "192.0.2.1",
        raw,
    )


def sends(name: str) -> Subject:
    """A file of that name."""
    raw = body((f'Content-Disposition: form-data; name="file"; filename="{name}"'.encode(), b""))
    kind = b"multipart/form-data; boundary=" + B
    return Subject(
        "POST",
        b"/letters",
        (*HEADERS, (b"content-type", kind), (b"content-length", b"%d" % len(raw))),
        "192.0.2.1",
        raw,
    )


STOPS: dict[int, list[Subject]] = {
    9400101: [
        get("/letters", ("x-own", "${jndi:ldap://x/a}")),
        asks("${${lower:j}ndi:dns://x}"),
        posts('{"title": "${jndi:rmi://x}"}'),
        get("/letters", ("referer", "${env:AWS_SECRET}")),
    ],
    9400102: [
        posts('{"user": {"$ne": null}}'),
        get("/letters?user[$gt]="),
        posts('{"$where": "1"}'),
        posts('{"a": [{"$regex": ".*"}]}'),
    ],
    9400103: [
        sends("../scan.pdf"),
        sends("a/../../scan.pdf"),
        sends("/etc/cron.d/x"),
        sends("C:/Windows/x.pdf"),
        sends("..%2fscan.pdf"),
    ],
    9400104: [posts('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', b"text/xml")],
    9400105: [
        sends("scan.php"),
        sends("scan.pdf.PHP"),
        sends("scan.phtml "),
        sends("scan.aspx."),
        sends(".htaccess"),
        sends("web.config"),
        sends("letter.svg"),
        sends("letter.xhtml"),
        sends("photo.jpg.exe"),
        sends("a.jsp"),
    ],
    9400106: [sends("scan\u202efdp.docx"), sends("sc\u200ban.pdf"), sends("\u2067scan.pdf")],
    9400107: [
        posts('{"callback": "http://169.254.169.254/latest/meta-data"}'),
        asks("http://metadata.google.internal/"),
        asks("gopher://127.0.0.1:6379/_"),
        posts('{"picture": "http://a@169.254.170.2/v2"}'),
        asks("jar:http://x!/"),
        asks("see dict://x"),
    ],
    9400108: [
        get("/fhir/DocumentReference?_include=*"),
        get("/fhir/Patient?_revinclude=*"),
        get("/fhir/Patient?_include:iterate=Patient:*"),
    ],
    9400109: [
        get("/letters?id=*"),
        posts('{"patientId": "%"}'),
        posts('{"document_ids": ".*"}'),
        get("/letters?ids=%25%25"),
    ],
    9400110: [
        asks("{{7*7}}"),
        asks("${7 * 7}"),
        asks("{{x.__class__}}"),
        posts('{"title": "#{7*7}"}'),
        sends("{{config.__init__}}.pdf"),
    ],
    9400111: [
        posts('{"__proto__": {"admin": true}}'),
        get("/letters?constructor[prototype][a]=1"),
        get("/letters?a[__proto__][b]=1"),
    ],
    9400112: [get("/letters/%3Csvg%20onload=alert(1)%3E"), get("/letters/a%3C!--"), get("/letters/%3c/script%3e")],
    9400113: [
        get("/letters/1", ("range", "bytes=0-1,2-3,4-5,6-7,8-9,10-11")),
        get("/letters/1", ("request-range", "bytes=" + "0-1," * 9 + "0-1")),
    ],
}
LEAVES: dict[int, list[Subject]] = {
    9400101: [asks("$100 {approx}"), posts('{"title": "Dear {name}, ${amount} is due"}'), asks("env: dry")],
    9400102: [posts('{"price$in": 3, "not": 1, "in": 2}'), get("/letters?where=ward%203"), posts('{"text": "$ne"}')],
    9400103: [
        sends("scan..pdf"),
        sends("Befund 12.3.2026.pdf"),
        sends("a...b.pdf"),
        sends("100% sure.pdf"),
        sends("c: knee.pdf"),
    ],
    9400104: [
        posts("<a>the system is public</a>", b"text/xml"),
        posts("<ClinicalDocument><title>x</title></ClinicalDocument>", b"application/xml"),
    ],
    9400105: [
        sends("php-course.pdf"),
        sends("letter.com.pdf"),
        sends("scan.exe.pdf"),
        sends("shell.jpg"),
        sends("Dr. Hinz.pdf"),
        sends("index.html.pdf"),
        sends("photo.HEIC"),
        sends("plan.docx"),
        sends("webconfig.txt"),
    ],
    9400106: [
        sends("Gr\u00fc\u00dfe aus K\u00f6ln.pdf"),
        sends("\u05de\u05db\u05ea\u05d1.pdf"),
        sends("\u4e2d\u6587.pdf"),
        sends("a \u2013 b.pdf"),
    ],
    9400107: [
        asks("https://www.hospital.example/info"),
        posts('{"text": "See the file: letter.pdf, or mailto:ann@example.org"}'),
        posts('{"text": "Jar: opened 169.254 times"}'),
        asks("expect: nothing"),
        posts('{"link": "http://10.1.2.3/viewer"}'),
    ],
    9400108: [get("/fhir/DocumentReference?_include=DocumentReference:patient"), get("/letters?q=*"), asks("a:*")],
    9400109: [
        get("/letters?id=4711"),
        posts('{"patientId": "a*"}'),
        get("/letters?valid=true"),
        get("/letters?q=*"),
        posts('{"paid": "all"}'),
    ],
    9400110: [
        asks("{{name}}"),
        posts('{"text": "Dose: {2 * 3} mg, 5*3 ml"}'),
        asks("#{1}"),
        posts('{"text": "100 % {sic} 2*3"}'),
        asks("Dr. Class"),
    ],
    9400111: [posts('{"constructor": "Meyer", "prototype": "B"}'), posts('{"text": "__proto__"}')],
    9400112: [get("/letters/a%20b"), get("/letters?q=%3C5%20mg"), get("/letters/%3C5mg.pdf")],
    9400113: [get("/letters/1", ("range", "bytes=0-99, 200-299, -500")), get("/letters/1", ("range", "bytes=0-"))],
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Our own rules alone, so that each answers for itself."""
    found = Engine()
    found.add(rules.BASE, "our base rules")
    found.add(rules.DOCUMENTS.read_text(), "ours")
    return found


@pytest.fixture(scope="module")
def all_rules() -> Engine:
    """With the Core Rule Set."""
    found = Engine()
    rules.load(found)
    return found


def test_each_rule_has_both() -> None:
    """What it stops and what it leaves; and a sentence."""
    numbers = [int(number) for number in re.findall(r"\bid:([0-9]+)", rules.DOCUMENTS.read_text())]
    assert numbers == sorted(set(numbers))
    assert set(numbers) == set(STOPS) == set(LEAVES)
    assert rules.DOCUMENTS.read_text().count("msg:'") == len(numbers)


@pytest.mark.parametrize(
    ("rule", "subject"), [(rule, subject) for rule, subjects in STOPS.items() for subject in subjects]
)
def test_an_attack_is_stopped_by_its_rule(engine: Engine, rule: int, subject: Subject) -> None:
    """With 403, and the rule's own number."""
    found = engine.inspect(subject)
    assert (found.status, [hit.rule for hit in found.hits]) == (403, [rule])


@pytest.mark.parametrize("subject", [subject for subjects in LEAVES.values() for subject in subjects])
def test_a_look_alike_is_left(engine: Engine, subject: Subject) -> None:
    """By all of our rules, with nothing matched."""
    assert engine.inspect(subject).hits == ()


def test_honest_file_names_pass_all_rules(all_rules: Engine) -> None:
    """Those of people and of scanners, which the Core Rule Set alone blocks."""
    for name in (
        "O'Brien.pdf",
        "Scan: knee.pdf",
        "M\u00fcller & S\u00f6hne (2).pdf",
        "a, b.pdf",
        "Brief vom 12.3.2026 - Kopie.docx",
    ):
        found = all_rules.inspect(sends(name))
        assert (name, found.status, found.hits) == (name, 0, ())


def test_a_part_with_a_charset_passes_unless_it_hides_something(all_rules: Engine) -> None:
    """utf-8 does; utf-7 does not."""
    for charset, status in (("utf-8", 0), ("utf-7", 403)):
        raw = body(
            (
                f'Content-Disposition: form-data; name="title"\r\nContent-Type: text/plain; charset={charset}'.encode(),
                b"x",
            )
        )
        kind = b"multipart/form-data; boundary=" + B
        headers = (*HEADERS, (b"content-type", kind), (b"content-length", b"%d" % len(raw)))
        assert all_rules.inspect(Subject("POST", b"/letters", headers, "192.0.2.1", raw)).status == status


def test_arguments_beyond_what_the_engine_reads_are_refused(all_rules: Engine) -> None:
    """It would drop the rest without a word, and an attack would stand in the rest."""
    form = "&".join(f"a{number}=1" for number in range(1_300)) + "&q=1'+UNION+SELECT+password+FROM+users--"
    found = all_rules.inspect(posts(form, b"application/x-www-form-urlencoded"))
    assert (found.status, [hit.rule for hit in found.hits]) == (400, [9400006])


def test_a_part_of_a_request_can_be_left_to_itself() -> None:
    """`*`: no rule of the Core Rule Set looks at it, as at passwords; others are looked at as before."""
    engine = Engine()
    rules.load(engine, crs.FOLDER, ["* ARGS:json.password"])
    attack = "1' UNION SELECT 1 FROM users--"
    assert engine.inspect(posts(f'{{"password": "{attack}"}}')).status == 0
    assert engine.inspect(posts(f'{{"title": "{attack}"}}')).status == 403
