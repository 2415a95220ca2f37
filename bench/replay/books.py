"""One request, as each of the books of a portal has it: application, web server, two object stores, network.

    audit.csv         the application's: who, whose, what; no line where it asked no one's leave (P9)
    access.log        the web server's: combined, the login as its user
    cloudtrail.json   object store one, ids that are odd: data events, a record a line; the reader is the application's role
    azure.json        object store two, ids that are even: StorageRead
    flow.log          VPC flow logs, version 2: ten minutes of a client and the web server, of the web server and a store

What an application exports by itself (P7) has one line of the web server's, of the whole.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self, TextIO

from bench.replay.ask import ZONE, Ask
from bench.replay.town import health

AUDIT: Final = "audit.csv"
HEADING: Final = "when,account,action,document,patient,address,status,bytes,agent\n"
_FLOWS: Final = 600
"""Seconds that a flow record is of."""
_APPS: Final = 4
_WEB: Final = "10.0.0.10"
_STORES: Final = ("52.95.128.10", "20.60.72.4")
_BUCKET, _ACCOUNT = "portal-documents", "portaldocuments"
_PAGES: Final = ("/", "/login", "/robots.txt", "/support/console")


class Books:
    """All books in a directory, written as requests come, by time. A context manager."""

    def __init__(self, folder: Path) -> None:
        """The directory is there and empty."""
        self._folder, self._stack = folder, ExitStack()
        self.records = 0

    def __enter__(self) -> Self:
        names = (AUDIT, "access.log", "cloudtrail.json", "azure.json", "flow.log")
        self._audit, self._access, self._trail, self._azure, self._flow = map(self._open, names)
        self._audit.write(HEADING)
        self._second, self._clf, self._iso = -1, "", ""
        self._until = 0
        self._flows: dict[tuple[str, str], list[int]] = {}
        self._export: list[Ask] = []
        return self

    def __exit__(self, *_: object) -> None:
        self._account_flows()
        self._stack.close()

    def _open(self, name: str) -> TextIO:
        return self._stack.enter_context((self._folder / name).open("w", encoding="ascii", buffering=1 << 20))

    def write(self, asks: Iterable[Ask]) -> None:
        """Requests, by time."""
        for one in asks:
            second = one.time // 1000
            if second != self._second:
                self._second = second
                self._clf = datetime.fromtimestamp(second, ZONE).strftime("%d/%b/%Y:%H:%M:%S +1300")
                self._iso = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
                if second >= self._until:
                    self._account_flows()
                    self._until = second // _FLOWS * _FLOWS + _FLOWS
            self._one(one)

    def _one(self, one: Ask) -> None:
        whose = "" if one.person is None else health(one.person)
        if one.who and one.kind != "page":
            told = one.document or ""
            self._audit.write(
                f"{self._iso}.{one.time % 1000:03d}Z,{one.who},{'list' if one.kind == 'list' else 'read'},{told},{whose},"
                f'{one.address},{one.status},{one.size},"{one.agent}"\n'
            )
            self.records += 1
        if one.kind != "export":
            self._access.write(
                f'{one.address} - {one.who or "-"} [{self._clf}] "GET {_path(one, whose)} HTTP/1.1" '
                f'{one.status} {one.size} "-" "{one.agent}"\n'
            )
            self.records += 1
        self._add(_WEB, one.address, one.size)
        if one.document and one.status == 200:
            self._stored(one)

    def _stored(self, one: Ask) -> None:
        app = one.document // 2 % _APPS
        text = _trail if one.document % 2 else _blob
        (self._trail if one.document % 2 else self._azure).write(text(one, self._iso, app, self.records))
        self._add(_STORES[one.document % 2 == 0], f"10.0.1.{10 + app}", one.size)
        self.records += 1

    def _add(self, from_: str, to: str, size: int) -> None:
        flow = self._flows.get((from_, to))
        if flow is None:
            self._flows[from_, to] = [self._second, self._second, size, 1]
        else:
            flow[1] = self._second
            flow[2] += size
            flow[3] += 1

    def _account_flows(self) -> None:
        """Both directions of each; packets of 1,400 bytes, and half as many answers that say they came."""
        for at, ((from_, to), (first, last, size, asks)) in enumerate(self._flows.items()):
            port, packets = 20_000 + at % 40_000, size // 1_400 + asks
            head = "2 123456789010 eni-0a1b2c3d4e5f60718"
            self._flow.write(
                f"{head} {from_} {to} 443 {port} 6 {packets} {size + packets * 40} {first} {last + 1} ACCEPT OK\n"
                f"{head} {to} {from_} {port} 443 6 {packets // 2 + asks} {packets * 20 + asks * 500} {first} {last + 1} "
                "ACCEPT OK\n"
            )
            self.records += 2
        self._flows.clear()


def _path(one: Ask, whose: str) -> str:
    if one.kind == "read":
        return f"/portal/documents/{one.document}/content"
    if one.kind == "list":
        return f"/portal/patients/{whose}/documents"
    if one.kind == "forgotten":
        return f"/legacy/getdoc?id={one.document}"
    return (
        _PAGES[one.document]
        if one.document < len(_PAGES)
        else f"/old/{'abcdefghij'[one.document % 10] * 4}{one.document}.php"
    )


def _trail(one: Ask, iso: str, app: int, number: int) -> str:
    role = f"arn:aws:sts::123456789010:assumed-role/portal-app/i-0{app}5e8c0de1f2a3b4c"
    return (
        f'{{"eventVersion":"1.10","userIdentity":{{"type":"AssumedRole","principalId":"AROAPORTALAPP:i-0{app}5e8c0de1f2a3b4c",'
        f'"arn":"{role}","accountId":"123456789010","accessKeyId":"ASIAPORTALAPP000{app}"}},"eventTime":"{iso}Z",'
        f'"eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"ap-southeast-2",'
        f'"sourceIPAddress":"10.0.1.{10 + app}",'
        f'"userAgent":"[aws-sdk-java/2.29]","requestParameters":{{"bucketName":"{_BUCKET}","key":"{one.document}"}},'
        f'"additionalEventData":{{"bytesTransferredIn":0,"bytesTransferredOut":{one.size}}},"eventID":"e-{number:020d}",'
        f'"readOnly":true,"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"123456789010"}}\n'
    )


def _blob(one: Ask, iso: str, app: int, number: int) -> str:
    key = f"/{_ACCOUNT}/documents/{one.document}"
    return (
        f'{{"time":"{iso}.{one.time % 1000:03d}0000Z","resourceId":"/subscriptions/0b6a0c7e-0000-4000-8000-000000000001/'
        f'resourceGroups/portal/providers/Microsoft.Storage/storageAccounts/{_ACCOUNT}/blobServices/default",'
        f'"category":"StorageRead","operationName":"GetBlob","operationVersion":"2024-11-04","schemaVersion":"1.0",'
        f'"statusCode":200,"statusText":"Success","durationMs":9,"callerIpAddress":"10.0.1.{10 + app}:443",'
        f'"correlationId":"{number:08x}-0000-4000-8000-000000000000","identity":{{"type":"OAuth","requester":'
        f'{{"appId":"6f1d0000-0000-4000-8000-00000000000{app}","objectId":"9c2e0000-0000-4000-8000-00000000000{app}"}}}},'
        f'"location":"australiaeast","properties":{{"accountName":"{_ACCOUNT}","userAgentHeader":"azsdk-java/12.29",'
        f'"serviceType":"blob","objectKey":"{key}","responseBodySize":{one.size}}},"uri":"https://{_ACCOUNT}.blob.core.windows.net'
        f'/documents/{one.document}","protocol":"HTTPS","resourceType":"Microsoft.Storage/storageAccounts/blobServices"}}\n'
    )
