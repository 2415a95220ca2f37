"""Which rules the WAF runs: our own base, the Core Rule Set (`crs`), our rules for portals of documents; and whether they work."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from strongroom.errors import ConfigError
from strongroom.gateway import crs
from strongroom.gateway.modsecurity import INSTALL, Engine, Subject

LEAST: Final = 250
"""Rules. Of Debian's 3.3.4 some 320 are loaded, those of higher paranoia levels left out."""
DOCUMENTS: Final = Path(__file__).with_name("documents.conf")
"""Our rules for portals of documents."""
TYPES: Final = (
    "application/x-www-form-urlencoded", "multipart/form-data", "text/xml", "application/xml", "application/soap+xml",
    "application/json", "application/fhir+json", "application/json-patch+json", "application/pdf", "image/jpeg", "image/png",
    "text/plain", "application/octet-stream",
)  # fmt: skip
"""Of bodies that the Core Rule Set lets pass without a word; others are added to them where routes describe them."""

BASE: Final = r"""
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecRequestBodyLimit 20971520
SecRequestBodyLimitAction Reject
SecRequestBodyNoFilesLimit 1048576
SecArgumentsLimit 1200
SecRequestBodyJsonDepthLimit 64
SecPcreMatchLimit 100000
SecPcreMatchLimitRecursion 100000
SecAuditEngine Off
SecStatusEngine Off
SecArgumentSeparator &
SecCookieFormat 0
SecDefaultAction "phase:1,log,auditlog,pass"
SecDefaultAction "phase:2,log,auditlog,pass"
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\+|/)|text/)xml" \
  "id:9400001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.+-]+\+)?json" \
  "id:9400002,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:9400003,phase:2,t:none,log,deny,status:400,severity:2"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:9400004,phase:2,t:none,log,deny,status:400,severity:2"
SecRule TX:/^MSC_/ "!@streq 0" "id:9400005,phase:2,t:none,log,deny,status:500,severity:2"
SecRule &ARGS "@ge 1200" "id:9400006,phase:2,t:none,log,deny,status:400,severity:2"
SecRule REQUEST_HEADERS:Content-Type \
  "@rx ^(?:multipart/|application/(?:pdf|octet-stream)|image/|[a-z]+/(?:[a-z0-9.+-]+\+)?(?:json|xml)\b)" \
  "id:9400007,phase:1,t:none,t:lowercase,pass,nolog,ctl:ruleRemoveTargetByTag=OWASP_CRS;REQUEST_BODY"
"""
"""Before the Core Rule Set. Beyond SecArgumentsLimit the engine drops arguments, and the rule on their number refuses.
What multipart, JSON and XML hold is looked at field by field and not once more as one text: so it is on the engine that the Core
Rule Set is written for."""
SETUP: Final = """
SecAction "id:900990,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version={version}"
SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level={level},setvar:tx.blocking_paranoia_level={level}"
SecAction "id:900200,phase:1,nolog,pass,t:none,setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'"
SecAction "id:900220,phase:1,nolog,pass,t:none,setvar:'tx.allowed_request_content_type={types}'"
"""
"""What the Core Rule Set is told."""
CORRECTIONS: Final = """
SecRuleRemoveById 901321
SecRuleRemoveById 920120
SecRuleRemoveById 922120
SecRuleRemoveById 922130
"""
"""Behind it. 901321 keeps counts by address, which the engine cannot do in threads. The others block what some readers of multipart
read otherwise, and with it O'Brien.pdf, `Scan: knee.pdf` and clients that write Content-Transfer-Encoding: binary; `multipart` lets
pass only what has one reading."""

_HEADERS: Final = ((b"host", b"portal.example"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"*/*"))
_ATTACKS: Final = (
    ("GET", b"/letters?q=1%27%20OR%201=1--%20-", b""),
    ("GET", b"/letters?q=%3Cscript%3Ealert(1)%3C/script%3E", b""),
    ("GET", b"/letters?file=../../../../etc/passwd", b""),
    ("GET", b"/letters?q=;cat%20/etc/passwd", b""),
    ("GET", b"/letters?q=$%7Bjndi:ldap://x/a%7D", b""),
    ("POST", b"/letters", b'{"title": "x\' UNION SELECT password FROM users--"}'),
)
_HONEST: Final = (
    ("GET", b"/letters/4711", b""),
    ("GET", b"/letters?q=O%27Neill", b""),
    ("GET", b"/letters?q=Gr%C3%BC%C3%9Fe%20aus%20K%C3%B6ln", b""),
    ("HEAD", b"/letters/0f8fad5b-d9cb-469f-a165-70867728950e", b""),
    (
        "POST",
        b"/letters",
        b'{"title": "Discharge summary", "text": "BP 120/80. Please select one from the list below."}',
    ),
    ("DELETE", b"/letters/4711", b""),
)


def load(
    engine: Engine,
    folder: Path = crs.FOLDER,
    exempt: Iterable[str] = (),
    types: Iterable[str] = (),
    level: int = 1,
    more: str = "",
) -> crs.RuleSet:
    """Load everything into a fresh engine, and try it. Raises ConfigError: then nothing may be served.

    `exempt`: rule and part, as `942100 ARGS:q`: that rule does not look at that part; or `* ARGS:q`, and no rule of the Core Rule
    Set does. `types`: of bodies that routes describe. `level`: the paranoia level. `more`: further rules before the Core Rule Set,
    for those who try it; then nothing is tried here. Tried is what the rules do before anything is exempt.
    """
    found = crs.read(folder, (BASE,))
    for name, text in texts(found, types, level, more):
        engine.add(text, name)
    if not found.files or engine.loaded < LEAST:
        msg = f"WAF rules missing: {engine.loaded} in {folder}, and at least {LEAST} are needed."
        raise ConfigError(msg, advice=f"Install them: {INSTALL}")
    wrong = [] if more else list(tried(engine))
    if wrong:
        raise ConfigError(f"The WAF ({engine.version}) does not do what it must: {'; '.join(wrong)}.", advice=INSTALL)
    for one in exempt:
        rule, _, part = one.partition(" ")
        by = 'SecRuleUpdateTargetByTag "OWASP_CRS"' if rule == "*" else f"SecRuleUpdateTargetById {rule}"
        engine.add(f'{by} "!{part}"', f"the exemption {one}")
    return found


def texts(found: crs.RuleSet, types: Iterable[str] = (), level: int = 1, more: str = "") -> Iterator[tuple[str, str]]:
    """All that is loaded, in order: its name, and the rules."""
    allowed = " ".join(f"|{one}|" for one in dict.fromkeys((*TYPES, *types)))
    yield "our base rules", BASE
    yield "our settings", SETUP.format(version=found.setup, level=level, types=allowed) + more
    yield from ((file.name, crs.reached(file.text, level)) for file in found.files)
    yield "our corrections", CORRECTIONS
    yield DOCUMENTS.name, DOCUMENTS.read_text(encoding="utf-8")


def tried(engine: Engine) -> Iterator[str]:
    """What is wrong: known attacks that pass, known good requests that do not."""
    for cases, blocked in ((_ATTACKS, True), (_HONEST, False)):
        for number, (method, target, body) in enumerate(cases, 1):
            extra = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))) if body else ()
            found = engine.inspect(Subject(method, target, (*_HEADERS, *extra), "192.0.2.1", body))
            if bool(found.status) != blocked:
                yield f"{'attack' if blocked else 'good request'} {number} is {'let pass' if blocked else 'blocked'}"
