"""What is official, as OCSF has it."""

from strongroom.sigma.attack import attacks


def test_each_technique_stands_once_with_its_version_and_its_defences() -> None:
    """A part of one below its whole; what is not official is left out."""
    found = attacks([["attack.t1562.008", "attack.t9999"], ["attack.t1562.008", "d3fend.d3-rapa", "d3fend.d3-none"]])
    assert found == [
        {
            "version": "18.1",
            "technique": {"uid": "T1562"},
            "sub_technique": {"uid": "T1562.008"},
            "mitigation": {
                "name": "D3FEND",
                "countermeasures": [{"version": "1.2.0", "d3f_technique": {"uid": "D3-RAPA"}}],
            },
        }
    ]
    assert attacks([["attack.t1119"]]) == [{"version": "18.1", "technique": {"uid": "T1119"}}]
    assert attacks([]) == []
