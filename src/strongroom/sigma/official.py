"""Which ids of ATT&CK and D3FEND are official, in the versions that findings state.

Ids alone, so that a rule with a mistaken one is found without a network. Withdrawn techniques are not among them. ATT&CK and
D3FEND are trademarks of The MITRE Corporation, which publishes them.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

ATTACK: Final = "18.1"
"""Version of ATT&CK, Enterprise."""
D3FEND: Final = "1.2.0"
"""Version of D3FEND's ontology."""

_TECHNIQUES: Final = """
1001:1-3 1003:1-8 1005 1006 1007 1008 1010 1011:1 1012 1014 1016:1-2 1018 1020:1 1021:1-8 1025 1027:1-17 1029 1030
1033 1036:1-12 1037:1-5 1039 1040 1041 1046 1047 1048:1-3 1049 1052:1 1053:2-3,5-7 1055:1-5,8-9,11-15 1056:1-4 1057
1059:1-13 1068 1069:1-3 1070:1-10 1071:1-5 1072 1074:1-2 1078:1-4 1080 1082 1083 1087:1-4 1090:1-4 1091 1092 1095
1098:1-7 1102:1-3 1104 1105 1106 1110:1-4 1111 1112 1113 1114:1-3 1115 1119 1120 1123 1124 1125 1127:1-3 1129 1132:1-2
1133 1134:1-5 1135 1136:1-3 1137:1-6 1140 1176:1-2 1185 1187 1189 1190 1195:1-3 1197 1199 1200 1201 1202 1203 1204:1-5
1205:1-2 1207 1210 1211 1212 1213:1-6 1216:1-2 1217 1218:1-5,7-15 1219:1-3 1220 1221 1222:1-2 1480:1-2 1482 1484:1-2
1485:1 1486 1489 1490 1491:1-2 1495 1496:1-4 1497:1-3 1498:1-2 1499:1-4 1505:1-6 1518:1-2 1525 1526 1528 1529 1530
1531 1534 1535 1537 1538 1539 1542:1-5 1543:1-5 1546:1-18 1547:1-10,12-15 1548:1-6 1550:1-4 1552:1-8 1553:1-6 1554
1555:1-6 1556:1-9 1557:1-4 1558:1-5 1559:1-3 1560:1-3 1561:1-2 1562:1-4,6-13 1563:1-2 1564:1-14 1565:1-3 1566:1-4
1567:1-4 1568:1-3 1569:1-3 1570 1571 1572 1573:1-2 1574:1,4-14 1578:1-5 1580 1583:1-8 1584:1-8 1585:1-3 1586:1-3
1587:1-4 1588:1-7 1589:1-3 1590:1-6 1591:1-4 1592:1-4 1593:1-3 1594 1595:1-3 1596:1-5 1597:1-2 1598:1-4 1599:1
1600:1-2 1601:1-2 1602:1-2 1606:1-2 1608:1-6 1609 1610 1611 1612 1613 1614:1 1615 1619 1620 1621 1622 1647 1648 1649
1650 1651 1652 1653 1654 1656 1657 1659 1665 1666 1667 1668 1669 1671 1672 1673 1674 1675 1677 1678 1679 1680 1681
"""
"""Techniques, without their T; behind a colon the numbers of the sub-techniques that there are."""

_DEFENCES: Final = """
AA ABPI ACA ACH AH AI AL ALLM AM AMED ANAA ANCI ANET APA APLM ARMA AVE AZET BA BAN BDI BSE CA CAA CBAN CCSA CE CERO CF
CFC CFP CH CHN CI CIA CM CNE CNR CNS CP CQ CR CRO CS CSPP CTS CV DA DAM DCE DE DEM DENCR DF DI DKE DKF DKP DLIC DNR
DNRA DNSAL DNSCE DNSDL DNSTA DO DP DPLM DPR DQSA DRT DST DTP DUC EAL EBWSAM EDL EF EFA EHB EHPV EI ER ET FA FAPA FBA
FC FCA FCDC FCOA FCR FE FEMC FEV FFV FH FHRA FIM FISV FMBV FMCV FMVV FRDDL FRIDL FV HBPI HBWP HCI HD HDDL HDL HR HS
IAA IBCA ID IDA IHN IOPR IPCTA IPRA IRA IRV ISVA ITF JFAPA KBPI LAM LAMED LFAM LFP LLM MA MAN MBSV MBT MENCR MFA MH
NAM NI NM NNI NPC NRAM NTA NTCD NTF NTPM NTSA NVA OAM ODM OE OM OMM OPR ORA OSM OTF OTP PA PAM PAN PBWSAM PCA PCSV PE
PFV PH PHDURA PLA PLLM PLM PM PMAD PR PS PSA PSEP PSMD PT PV PWA RA RAM RAPA RC RD RDI RE RF RFAM RFS RIC RKD RN RNA
RO RPA RRID RS RTA RTSD RUAA SAOR SBV SCA SCF SCH SCP SDA SDM SEA SFA SFCV SFV SHN SICA SJA SMRA SPP SRA SSC ST SU
SVCDM SWI SYSDM SYSM SYSVA TAAN TB TBA TBI TL UA UAP UBA UDTA UGLPA ULA URA USICA VI VTV WSAA WSAM
"""
"""Of D3FEND, without their D3-."""

TACTICS: Final = frozenset(
    {
        "reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
        "defense-evasion", "credential-access", "discovery", "lateral-movement", "collection", "command-and-control",
        "exfiltration", "impact",
    }
)  # fmt: skip
"""As Sigma's tags name them."""


def _spread(words: str) -> Iterator[str]:
    for word in words.split():
        main, _, subs = word.partition(":")
        yield f"T{main}"
        for sub in filter(None, subs.split(",")):
            first, _, last = sub.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield f"T{main}.{number:03d}"


TECHNIQUES: Final = frozenset(_spread(_TECHNIQUES))
DEFENCES: Final = frozenset(f"D3-{word}" for word in _DEFENCES.split())

_TECHNIQUE: Final = re.compile(r"attack\.(t[0-9]{4}(?:\.[0-9]{3})?)", re.IGNORECASE)
_DEFENCE: Final = re.compile(r"d3fend\.(d3-[a-z0-9-]+)", re.IGNORECASE)


def attacks(tags: Iterable[str]) -> list[str]:
    """The official techniques among a rule's tags, in their order: T1213, T1562.008."""
    return _named(_TECHNIQUE, TECHNIQUES, tags)


def defences(tags: Iterable[str]) -> list[str]:
    """The official defences among a rule's tags: D3-RAPA."""
    return _named(_DEFENCE, DEFENCES, tags)


def _named(form: re.Pattern[str], official: frozenset[str], tags: Iterable[str]) -> list[str]:
    found = (form.fullmatch(tag) for tag in tags)
    return list(dict.fromkeys(one[1].upper() for one in found if one and one[1].upper() in official))


def unofficial(tags: Iterable[str]) -> list[str]:
    """Tags that name ATT&CK or D3FEND and no technique, tactic, group, software, mitigation or defence of these versions.

    Groups, software and mitigations are let pass by their form: no rule here needs their list.
    """
    wrong = []
    for tag in tags:
        space, _, name = tag.lower().partition(".")
        if space == "attack":
            known = name.upper() in TECHNIQUES or name in TACTICS or re.fullmatch(r"[gsm][0-9]{4}", name)
            if not known:
                wrong.append(tag)
        elif space == "d3fend" and name.startswith("d3-") and name.upper() not in DEFENCES:
            wrong.append(tag)
    return wrong
