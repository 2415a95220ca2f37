"""The Core Rule Set is read from its folder, and changed in four places: each is looked for in the rules that are installed."""

import re
from pathlib import Path

import pytest

from strongroom.errors import ConfigError
from strongroom.gateway import crs, rules
from strongroom.gateway.modsecurity import Engine, Subject

RULE = """# tag:'comment'
SecRule ARGS "@pmFromFile words.data" \\
    "id:1,\\
    tag:'gone',\\
    tag:'kept',\\
    ver:'OWASP_CRS/4.25.1',\\
    chain"
    SecRule ARGS "@rx a" \\
        "tag:'gone'"
SecRule ARGS "@rx b" \\
    "id:901181,\\
    chain"
    SecRule XML://@* "@rx c"
SecRule ARGS "@rx d" "id:2,ctl:ruleRemoveTargetByTag=kept;ARGS"
"""


def test_what_is_changed_as_it_is_read(tmp_path: Path) -> None:
    """Tags that nothing names go, the rule that does not parse goes with what is chained to it, files are found."""
    (tmp_path / "REQUEST-911-A.conf").write_text(RULE)
    for name in ("REQUEST-905-B.conf", "REQUEST-900-C.conf", "RESPONSE-950-D.conf"):
        (tmp_path / name).write_text("SecRule")
    found = crs.read(tmp_path)
    assert (found.setup, [file.name for file in found.files]) == ("4251", ["REQUEST-911-A.conf"])
    text = found.files[0].text
    assert f"@pmFromFile {tmp_path}/words.data" in text
    assert re.findall("tag:'([^']*)'", text) == ["kept"]
    assert [number in text for number in ("id:1,", "901181", "@*", "id:2,")] == [True, False, False, True]
    assert re.findall("tag:'([^']*)'", crs.read(tmp_path, ["ctl:ruleRemoveByTag=gone"]).files[0].text) == [
        "gone",
        "kept",
        "gone",
    ]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A folder with a space in it; a file that is no text. No folder is no files."""
    with pytest.raises(ConfigError, match="space"):
        crs.read(tmp_path / "a b")
    assert crs.read(tmp_path / "none").files == ()
    (tmp_path / "REQUEST-911-A.conf").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        crs.read(tmp_path)


def test_the_changes_still_fit_what_is_installed() -> None:
    """If Debian's rules change there, this fails, and somebody looks whether a change is still right."""
    found = crs.read(crs.FOLDER, (rules.BASE,))
    text = "".join(file.text for file in found.files)
    assert found.version[0] in {3, 4}
    assert text.count(crs._PART_TYPE_MENDED) == 1
    assert "<<" not in text
    raw = "".join(path.read_text() for path in crs.FOLDER.glob("REQUEST-9[1-4]*.conf"))
    assert raw.count("tag:'attack-") > 100
    assert set(re.findall("tag:'([^']*)'", text)) == {"OWASP_CRS"}
    for corrected in ("901321", "920120", "922120"):
        assert f"id:{corrected}" in text


def test_rules_above_the_level_are_left_out() -> None:
    """And no other ones: as the rules themselves say by their tags."""
    levels: dict[str, int] = {}
    for path in crs.FOLDER.glob("REQUEST-9[1-4]*.conf"):
        for rule in re.findall(r"(?ms)^SecRule.*?[^\\]$", path.read_text()):
            number, said = re.search(r"id:([0-9]+)", rule), re.search("tag:'paranoia-level/([1-4])'", rule)
            if number and said:
                levels[number[1]] = int(said[1])
    whole = "".join(file.text for file in crs.read(crs.FOLDER).files)
    assert len(levels) > 200
    for level in (1, 2, 3, 4):
        kept = "".join(crs.reached(file.text, level) for file in crs.read(crs.FOLDER).files)
        for name, own in levels.items():
            if f"id:{name}," in whole:
                assert (f"id:{name}," in kept) == (own <= level), name
        assert kept.count("SecMarker") == whole.count("SecMarker")
    assert crs.reached(whole, 4) == whole


def test_what_the_engine_says_is_the_same_without_them() -> None:
    """Of requests that many rules match, and of those that none does."""
    found = crs.read(crs.FOLDER, (rules.BASE,))
    whole, short = Engine(), Engine()
    for name, text in rules.texts(found):
        short.add(text, name)
        file = next((one for one in found.files if one.name == name), None)
        whole.add(text if file is None else file.text, name)
    assert short.loaded < whole.loaded - 100
    headers = ((b"host", b"p"), (b"user-agent", b"M"), (b"accept", b"*/*"))
    matched = 0
    for _, target, body in (*rules._ATTACKS, *rules._HONEST):
        for more in (
            (),
            ((b"cookie", b"a=1' OR 1=1--"),),
            ((b"user-agent", b"sqlmap"), (b"range", b"bytes=1-2,3-4,5-6,7-8,9-10,11-12")),
        ):
            subject = Subject("POST" if body else "GET", target, (*headers, *more), "192.0.2.1", body)
            said = short.inspect(subject)
            assert said == whole.inspect(subject)
            matched += len(said.hits)
    assert matched > 20
