"""A small honest file in every format that hunts read, written by us by the format's own documentation. Fuzzing begins with them,
and the tests hold every reader's promises on them.
"""

import struct
from collections.abc import Mapping
from typing import Final

import msgspec

from strongroom.tlog.entry import Entry, Op, encode
from strongroom.tlog.tile import render_bundle


def _json(*entries: object) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


def _zeek(path: str, *columns: tuple[str, str]) -> bytes:
    names, cells = ("\t".join(part) for part in zip(*columns, strict=True))
    return (
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
        f"#path\t{path}\n#fields\t{names}\n{cells}\n#close\t2025-12-29-10-00-00\n"
    ).encode()


_IDS: Final = (("id.orig_h", "203.0.113.9"), ("id.orig_p", "50000"), ("id.resp_h", "192.0.2.10"), ("id.resp_p", "443"))


def flowset(number: int, content: bytes) -> bytes:
    """A set of NetFlow v9 or IPFIX."""
    return struct.pack(">HH", number, 4 + len(content)) + content


_FLOW: Final = bytes((10, 0, 1, 5, 203, 0, 113, 9)) + struct.pack(">HHB", 443, 50_000, 6)
_TEMPLATE: Final = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1))
"""Addresses, ports and protocol: numbers and lengths of information elements, and the values of one flow."""


def _netflow_5() -> bytes:
    header = struct.pack(">HHIIIIBBH", 5, 1, 60_000, 1_766_998_860, 250_000_000, 1, 0, 0, 0)
    return header + bytes((10, 0, 1, 5, 203, 0, 113, 9, 0, 0, 0, 0)) + struct.pack(
        ">HHIIIIHHBBBBHHBBH", 1, 2, 20, 24_928, 0, 60_000, 443, 50_000, 0, 0x18, 6, 0, 0, 0, 0, 0, 0
    )  # fmt: skip


def _netflow_9() -> bytes:
    template = (*_TEMPLATE, (1, 4), (2, 4), (22, 4), (21, 4))
    told = struct.pack(">HH", 256, len(template)) + b"".join(struct.pack(">HH", *field) for field in template)
    options = struct.pack(">HHH", 257, 4, 4) + struct.pack(">HHHH", 1, 4, 34, 4)
    flow = _FLOW + struct.pack(">IIII", 24_928, 20, 0, 60_000)
    sets = flowset(0, told) + flowset(1, options) + flowset(257, bytes(8)) + flowset(256, flow + bytes(3))
    return struct.pack(">HHIIII", 9, 4, 60_000, 1_766_998_860, 1, 7) + sets


def _ipfix() -> bytes:
    told = struct.pack(">HH", 256, len(_TEMPLATE) + 6) + b"".join(struct.pack(">HH", *field) for field in _TEMPLATE)
    told += struct.pack(">HHHHHHHH", 1, 8, 2, 4, 152, 8, 153, 8)
    told += struct.pack(">HHI", 0x8001, 8, 29_305) + struct.pack(
        ">HH", 82, 65_535
    )  # bytes back, and a name of any length
    flow = _FLOW + struct.pack(">QIQQQ", 24_928, 20, 1_766_998_800_250, 1_766_998_860_250, 980) + b"\x04eth0"
    sets = flowset(2, told) + flowset(256, flow)
    return struct.pack(">HHIII", 10, 16 + len(sets), 1_766_998_861, 1, 7) + sets


_AZURE: Final = {
    "time": "2025-12-29T09:00:00.2500000Z", "resourceId": "/subscriptions/1/resourceGroups/g/providers/p", "schemaVersion": "1.0",
}  # fmt: skip
_FIRST: Final = (("ts", "1766998800.250000"), ("uid", "CHhAvVGS1DHFjwGM9"))

FILES: Final[Mapping[str, bytes]] = {
    "access": b'203.0.113.9 - ann [29/Dec/2025:22:00:00 +1300] "GET /documents/4711?x=1 HTTP/1.1" 200 2520 "-" "Mozilla/5.0"\n',
    "access-json": _json({
        "time": "2025-12-29T09:00:00Z", "remote_addr": "203.0.113.9", "request_uri": "/documents/4711", "status": 200,
        "request": {"method": "GET", "headers": {"User-Agent": ["x"]}},
    }),
    "alb": (
        b"https 2025-12-29T09:00:00.186641Z app/p/5 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 -1 200 200 0 57 "
        b'"GET https://www.example.com:443/d/4711?x=a HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn "Root=1" "w" "-" 1 - "-"\n'
    ),
    "s3-access": (
        b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be b [29/Dec/2025:09:00:00 +0000] 192.0.2.3 - 3E5 "
        b'REST.GET.OBJECT a%2520b.pdf "GET /a.pdf HTTP/1.1" 200 - 1 1 1 1 "-" "-" - x= - - - b.s3.amazonaws.com - - -\n'
    ),
    "cloudtrail": _json({"Records": [
        {"eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventTime": "2025-12-29T09:00:00Z"},
    ]}),
    "cloudtrail-lines": _json(
        {"eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventTime": "2025-12-29T09:00:00Z"}
    ),
    "cloudtrail-table": (
        b"Event name,Event time,Event source,Source IP address\nGetObject,2025-12-29T09:00:00Z,s3.amazonaws.com,192.0.2.3\n"
    ),
    "vpc-flow": (
        b"version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end flow-direction action log-status\n"
        b"5 eni-1235b8ca 10.0.1.5 203.0.113.9 443 50000 6 20 24928 1766998800 1766998860 egress ACCEPT OK\n"
        b"5 eni-1235b8ca - - - - - - - 1766998860 1766998920 - - NODATA\n"
    ),
    "zeek-conn": _zeek(
        "conn", *_FIRST, *_IDS, ("proto", "tcp"), ("duration", "1.500000"), ("resp_bytes", "2076543210"), ("conn_state", "SF"),
        ("local_orig", "F"), ("local_resp", "T"), ("orig_pkts", "9"), ("orig_ip_bytes", "980"), ("resp_pkts", "12"),
        ("resp_ip_bytes", "9104"),
    ),
    "zeek-http": _zeek(
        "http", *_FIRST, *_IDS, ("trans_depth", "1"), ("method", "GET"), ("host", "portal.example"), ("uri", "/documents/4711?x=1"),
        ("user_agent", "a\\x09b"), ("response_body_len", "252000"), ("status_code", "200"), ("username", "-"),
        ("proxied", "X-FORWARDED-FOR -> 198.51.100.7"),
    ),
    "zeek-files": _zeek(
        "files", _FIRST[0], ("fuid", "FwSVkw2xz3avAxsa"), ("uid", _FIRST[1][1]), *_IDS, ("source", "HTTP"),
        ("mime_type", "application/pdf"), ("filename", "letter-00417.pdf"), ("is_orig", "F"), ("seen_bytes", "252000"),
    ),
    "w3c": (
        b"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
        b"cs(User-Agent) cs-uri-query\n2025-12-29\t09:00:00\tAKL50-C1\t2390282\t192.0.2.202\tGET\tx.cloudfront.net\t"
        b"/documents/4711\t200\t-\tMozilla/5.0%2520(X11)\tid=9\n"
    ),
    "aws-waf": _json({
        "timestamp": 1_766_998_800_250, "formatVersion": 1, "terminatingRuleId": "BlockBots", "action": "BLOCK",
        "httpRequest": {
            "clientIp": "203.0.113.9", "headers": [{"name": "User-Agent", "value": "curl/8"}], "uri": "/documents/4711",
            "args": "x=1", "httpMethod": "GET", "requestId": "r-1",
        },
    }),
    "azure-storage": _json({
        **_AZURE, "operationName": "GetBlob", "category": "StorageRead", "statusCode": 200, "statusText": "Success",
        "callerIpAddress": "203.0.113.9:11111", "correlationId": "c-1",
        "identity": {"type": "OAuth", "requester": {"objectId": "o-1", "upn": "ann@example.org", "tenantId": "t"}},
        "uri": "https://letters.blob.core.windows.net/2025/letter-00417.pdf",
        "properties": {
            "accountName": "letters", "objectKey": "/letters/2025/letter-00417.pdf", "userAgentHeader": "AzCopy/10",
            "serviceType": "blob", "responseBodySize": 252_000,
        },
    }),
    "azure-monitor": _json({
        "time": "2025-12-29T09:00:00.2500000Z", "operationName": "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE",
        "category": "Administrative", "resultType": "Success", "callerIpAddress": "203.0.113.9", "correlationId": "c-1",
        "resourceId": "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.STORAGE/"
        "STORAGEACCOUNTS/LETTERS",
        "identity": {"claims": {"name": "Ann", "appid": "a-1"}},
        "properties": {"eventDataId": "e-1", "requestbody": '{"properties":{"allowBlobPublicAccess":true}}'},
    }),
    "azure-web": _json({"records": [
        {**_AZURE, "category": "FrontDoorAccessLog", "operationName": "Microsoft.Cdn/Profiles/AccessLog/Write", "properties": {
            "trackingReference": "t-1", "httpMethod": "GET", "requestUri": "https://portal.example:443/documents/4711?x=1",
            "responseBytes": "252000", "userAgent": "Mozilla/5.0", "clientIp": "203.0.113.9", "httpStatusCode": "200",
        }},
        {**_AZURE, "category": "ApplicationGatewayFirewallLog", "properties": {
            "clientIp": "203.0.113.9", "requestUri": "/documents/4711?x=1", "ruleId": "942130", "action": "Blocked",
        }},
    ]}),
    "azure-flow": _json({"records": [
        {"time": "2025-12-29T09:00:00.25Z", "category": "NetworkSecurityGroupFlowEvent", "properties": {"Version": 2, "flows": [
            {"rule": "DefaultRule_AllowInternetOutBound", "flows": [{"mac": "000D3AF87856", "flowTuples": [
                "1766998800,10.0.0.4,203.0.113.9,443,50000,T,O,A,B,,,,",
                "1766998860,10.0.0.4,203.0.113.9,443,50000,T,O,A,E,20,24928,9,980",
            ]}]},
        ]}},
        {"time": "2025-12-29T09:00:00.25Z", "category": "FlowLogFlowEvent", "flowLogVersion": 4, "flowRecords": {"flows": [
            {"aclID": "a", "flowGroups": [{"rule": "r", "flowTuples": [
                "1766998800599,203.0.113.9,10.0.0.4,50000,443,6,I,D,NX,0,0,0,0",
            ]}]},
        ]}},
    ]}),
    "azure-traffic": (
        b"TimeGenerated,FlowStartTime_t,FlowEndTime_t,SrcIP_s,DestIP_s,VMIP_s,PublicIPs_s,DestPort_d,L4Protocol_s,FlowDirection_s,"
        b"AllowedOutFlows_d,AllowedInFlows_d,DeniedInFlows_d,DeniedOutFlows_d,InboundBytes_d,OutboundBytes_d\n"
        b"2025-12-29T10:00:00Z,2025-12-29T09:00:00Z,2025-12-29T09:45:00Z,,,10.0.0.4,203.0.113.9|1|0|1|980|24928,443,T,O,"
        b"1,0,0,0,980,24928\n"
    ),
    "gcp": _json({
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "storage.googleapis.com",
            "methodName": "storage.objects.get", "resourceName": "projects/_/buckets/letters/objects/2025/letter-00417.pdf",
            "authenticationInfo": {"principalEmail": "ann@example.org"}, "status": {},
            "requestMetadata": {"callerIp": "203.0.113.9", "callerSuppliedUserAgent": "gsutil/5"},
        },
        "insertId": "i-1", "timestamp": "2025-12-29T09:00:00.250123456Z",
        "resource": {"type": "gcs_bucket", "labels": {"project_id": "portal", "bucket_name": "letters"}},
    }),
    "gcs-usage": (
        b'"time_micros","c_ip","c_ip_type","cs_method","cs_uri","sc_status","sc_bytes","cs_user_agent","s_request_id","cs_operation",'
        b'"cs_bucket","cs_object"\n"1766998800250000","203.0.113.9","1","GET","/letters/letter-00417.pdf","200","252000",'
        b'"Mozilla/5.0","r-1","GET_Object","letters","letter-00417.pdf"\n'
    ),
    "cloudflare": _json(
        {"EdgeStartTimestamp": 1_766_998_800_250_000_000, "ClientIP": "203.0.113.9", "ClientRequestMethod": "GET",
         "ClientRequestURI": "/documents/4711?x=1", "EdgeResponseStatus": 200, "EdgeResponseBytes": 252_000, "RayID": "r-1",
         "ClientRequestUserAgent": "Mozilla/5.0"},
        {"Datetime": "2025-12-29T09:00:00Z", "Action": "block", "ClientIP": "203.0.113.9", "ClientRequestMethod": "GET",
         "ClientRequestPath": "/documents/4711", "ClientRequestQuery": "?x=1", "EdgeResponseStatus": 403, "RuleID": "q-1",
         "RayID": "r-2"},
    ),
    "modsecurity": _json({"transaction": {
        "client_ip": "203.0.113.9", "time_stamp": "Mon Dec 29 09:00:00 2025", "client_port": 50_000, "unique_id": "u-1",
        "request": {"method": "GET", "http_version": 1.1, "uri": "/documents/4711?x=1", "headers": {"User-Agent": "sqlmap"}},
        "response": {"http_code": 403, "headers": {}},
        "messages": [{"message": "SQL Injection", "details": {"ruleId": "942100", "tags": []}}],
    }}),
    "m365": _json({
        "CreationTime": "2025-12-29T09:00:00", "Id": "m-1", "Operation": "FileDownloaded", "OrganizationId": "o", "RecordType": 6,
        "UserType": 0, "Workload": "SharePoint", "ClientIP": "203.0.113.9", "UserId": "ann@example.org", "UserAgent": "Mozilla/5.0",
        "ObjectId": "https://x.sharepoint.com/sites/letters/letter-00417.pdf", "SiteUrl": "https://x.sharepoint.com/sites/letters/",
        "SourceFileName": "letter-00417.pdf", "FileSizeBytes": 252_000,
    }),
    "m365-table": (
        b'RecordId,CreationDate,RecordType,Operation,UserId,AuditData\nm-1,2025-12-29T09:00:00.0000000Z,6,FileAccessed,'
        b'ann@example.org,"{""CreationTime"":""2025-12-29T09:00:00"",""Id"":""m-1"",""Operation"":""FileAccessed"",'
        b'""Workload"":""OneDrive"",""UserId"":""ann@example.org"",""ClientIP"":""203.0.113.9""}"\n'
    ),
    "haproxy": (
        b"Dec 29 09:00:00 lb haproxy[14389]: 203.0.113.9:33317 [29/Dec/2025:09:00:00.250] http-in portal/srv1 10/0/30/69/109 200 "
        b'252000 - - ---- 1/1/1/1/0 0/0 {portal.example} "GET /documents/4711?x=1 HTTP/1.1"\n'
    ),
    "envoy": (
        b'[2025-12-29T09:00:00.250Z] "GET /documents/4711?x=1 HTTP/1.1" 200 - 0 252000 24 23 "203.0.113.9" "curl/8" "r-1" '
        b'"portal.example" "10.0.0.1:80"\n'
    ),
    "ocsf": _json(
        {
            "class_uid": 4002, "activity_id": 3, "time": 1_766_998_800_250, "metadata": {"version": "1.8.0", "uid": "h-1"},
            "src_endpoint": {"ip": "203.0.113.9", "port": 50_000}, "actor": {"user": {"name": "ann", "type": "User"}},
            "http_request": {
                "http_method": "GET", "url": {"path": "/documents/4711", "query_string": "x=1"}, "user_agent": "Mozilla/5.0",
            },
            "http_response": {"code": 200}, "traffic": {"bytes_in": 252_000, "bytes_out": 300},
        },
        {
            "class_uid": 4001, "activity_id": 6, "time": 1_766_998_800_250, "end_time": 1_766_998_860_250, "action_id": 1,
            "src_endpoint": {"ip": "10.0.1.5", "port": 443}, "dst_endpoint": {"ip": "203.0.113.9", "port": 50_000},
            "connection_info": {"protocol_num": 6, "direction_id": 2}, "traffic": {"bytes_out": 24_928, "packets_out": 20},
        },
    ),
    "nextcloud": _json({
        "reqId": "U1rsiIxFtovEqTt77CJN", "level": 1, "time": "2025-12-29T09:00:00+00:00", "remoteAddr": "203.0.113.9",
        "user": "ann", "app": "admin_audit", "method": "GET", "url": "/remote.php/dav/letter.pdf", "userAgent": "Mozilla/5.0",
        "message": 'File accessed: "/letters/letter-00417.pdf"', "version": "30.0.0",
    }),
    "strongroom": render_bundle([
        encode(Entry(t=1_766_998_800_000, op=Op.STARTED, policy="ff")),
        encode(Entry(
            t=1_766_998_800_250, op=Op.RELEASED, actor="AAAAAAAAAAAAAAAAAAAAAA", patient="BBBBBBBBBBBBBBBBBBBBBB",
            document="CCCCCCCCCCCCCCCC", version=1, charged=1, bytes=252_000,
        )),
    ]),
    "nfdump": (
        b"2025-12-29 09:00:00.250,2025-12-29 09:01:00.250,   10.0.1.5,   203.0.113.9,   443, 50000,6    ,  20, 24928,   9,  980\n"
    ),
    "netflow": _netflow_5() + _netflow_9() + _ipfix(),
    "fhir-audit": _json({
        "resourceType": "AuditEvent", "id": "e-1", "type": {"code": "rest"}, "subtype": [{"code": "read"}], "action": "R",
        "recorded": "2025-12-29T22:00:00.250+13:00", "outcome": "0",
        "agent": [
            {"type": {"coding": [{"code": "110152"}]}, "who": {"display": "store.example"}, "requestor": False},
            {"who": {"reference": "Practitioner/ann"}, "requestor": True, "network": {"address": "203.0.113.9", "type": "2"}},
        ],
        "source": {"observer": {"reference": "Device/store"}},
        "entity": [
            {"what": {"reference": "DocumentReference/4711"}, "role": {"code": "3"}},
            {"what": {"reference": "Patient/p-9"}, "role": {"code": "1"}},
        ],
    }),
}  # fmt: skip
"""Format's name -> a file that holds at least one event, and nothing that cannot be read."""
