"""Which rules the WAF runs: our own base, Debian's Core Rule Set from its directory, our few additions; and whether they work.

No rule of the Core Rule Set is copied here. Left out of it are the files of exclusions for other people's applications, of
reputation and rates by address, of responses, and the one that switches the engine off for local clients (REQUEST-905). One rule
is changed as it is read: libmodsecurity 3.0.9 leaves a line's end in part headers, and every part with a charset would be blocked.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from strongroom.errors import ConfigError
from strongroom.gateway.modsecurity import INSTALL, Engine, Subject

CRS: Final = Path("/usr/share/modsecurity-crs/rules")
LEAST: Final = 400
"""Rules. Debian's 3.3.4 has some 480 in the files that are loaded."""
_LEFT_OUT: Final = re.compile(r"(?:REQUEST-(?:900|903|905|910|912)|RESPONSE-).*")
_PART_TYPE: Final = r'"@rx ^content-type\s*:\s*(.*)$"'
_PART_TYPE_MENDED: Final = r'"@rx ^content-type\s*:\s*(.*?)\s*$"'

BASE: Final = r"""
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecRequestBodyLimit 20971520
SecRequestBodyLimitAction Reject
SecRequestBodyNoFilesLimit 1048576
SecArgumentsLimit 1000
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
SecAction "id:900990,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version=334"
SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level=1"
SecAction "id:900200,phase:1,nolog,pass,t:none,setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'"
SecAction "id:900220,phase:1,nolog,pass,t:none,setvar:'tx.allowed_request_content_type=|application/x-www-form-urlencoded| \
|multipart/form-data| |multipart/related| |text/xml| |application/xml| |application/soap+xml| |application/json| \
|application/fhir+json| |application/json-patch+json| |application/pdf| |image/jpeg| |image/png| |text/plain| \
|application/octet-stream|'"
"""
"""Before the Core Rule Set."""
OWN: Final = r"""
SecRuleRemoveById 901321
SecRule REQUEST_HEADERS|ARGS|ARGS_NAMES "@rx \$\{(?:jndi|\$\{)" \
  "id:9400101,phase:2,t:none,t:urlDecodeUni,t:lowercase,log,deny,status:403,severity:2"
SecRule ARGS_NAMES "@rx (?:^|\.|\[)\$(?:ne|gt|lt|gte|lte|in|nin|where|regex|exists)\b" \
  "id:9400102,phase:2,t:none,t:lowercase,log,deny,status:403,severity:2"
SecRule FILES|FILES_NAMES|MULTIPART_FILENAME "@rx (?:^|[\\/])\.\.(?:[\\/]|$)" \
  "id:9400103,phase:2,t:none,t:urlDecodeUni,log,deny,status:403,severity:2"
SecRule REQUEST_BODY "@rx <!(?:doctype|entity)[^>]{0,200}(?:system|public)" \
  "id:9400104,phase:2,t:none,t:lowercase,log,deny,status:403,severity:2"
"""
"""After it: removed is the rule that keeps counts by address, which the engine cannot do in threads; added is what it misses."""

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


def load(engine: Engine, crs: Path = CRS, exempt: Iterable[str] = ()) -> None:
    """Load everything into a fresh engine, and try it. Raises ConfigError: then nothing may be served.

    `exempt`: rule and part, as `942100 ARGS:q`; that rule does not look at that part.
    """
    engine.add(BASE, "our base rules")
    files = sorted(path for path in crs.glob("*.conf") if not _LEFT_OUT.fullmatch(path.name)) if crs.is_dir() else []
    for path in files:
        text = path.read_text(encoding="utf-8")
        if _PART_TYPE in text:
            engine.add(text.replace(_PART_TYPE, _PART_TYPE_MENDED), path.name)
        else:
            engine.add_file(path)
    if engine.loaded < LEAST:
        msg = f"WAF rules missing: {engine.loaded} in {crs}, and at least {LEAST} are needed."
        raise ConfigError(msg, advice=f"Install them: {INSTALL}")
    engine.add(OWN, "our own rules")
    for one in exempt:
        rule, _, part = one.partition(" ")
        engine.add(f'SecRuleUpdateTargetById {rule} "!{part}"', f"the exemption {one}")
    wrong = list(tried(engine))
    if wrong:
        raise ConfigError(f"The WAF ({engine.version}) does not do what it must: {'; '.join(wrong)}.", advice=INSTALL)


def tried(engine: Engine) -> Iterator[str]:
    """What is wrong: known attacks that pass, known good requests that do not."""
    for cases, blocked in ((_ATTACKS, True), (_HONEST, False)):
        for number, (method, target, body) in enumerate(cases, 1):
            extra = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))) if body else ()
            found = engine.inspect(Subject(method, target, (*_HEADERS, *extra), "192.0.2.1", body))
            if bool(found.status) != blocked:
                yield f"{'attack' if blocked else 'good request'} {number} is {'let pass' if blocked else 'blocked'}"
