"""What a change of AWS settings means, whatever the call is named: a store made public, given to a foreign account, auditors
shut out, logging cut, a key disabled.

    made-public       anybody may read (or more) without being of any account
    foreign-account   an account other than the owner's may
    auditors-denied   a policy denies reading the settings by which auditors see what is open
    logging-cut       what happens is no longer written down, or less of it
    key-disabled      what is encrypted under a key can no longer be read, or can be destroyed
    guard-lowered     a lock that keeps a store from becoming public was taken off

A policy whose conditions bind it to an organisation, network, VPC or account of one's own is not public. What cannot be read
means nothing here: this answers "does it say so", not "is it safe". Pure; bounded by the size of a record.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

_BINDING: Final = (
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:sourcevpc", "aws:sourcevpce",
    "aws:sourceip", "aws:sourcearn", "aws:sourceaccount", "aws:principalarn", "aws:sourceorgid", "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn", "aws:vpcsourceip", "kms:calleraccount", "aws:userid",
)  # fmt: skip
"""Condition keys that tie an allowance to somebody. "0.0.0.0/0" for an address ties nobody."""
_POSITIVE: Final = (
    "stringequals",
    "stringlike",
    "arnequals",
    "arnlike",
    "ipaddress",
    "stringequalsignorecase",
    "foranyvalue:",
)
_EVERYBODY: Final = frozenset({"*", "0.0.0.0/0", "::/0"})
_READING: Final = frozenset(
    {"s3:getbucketpolicystatus", "s3:getbucketpublicaccessblock", "s3:getbucketpolicy", "s3:getbucketacl",
     "s3:getbucketlogging", "s3:getaccountpublicaccessblock"}
)  # fmt: skip
"""What auditors' programs ask to see whether a bucket is open (wiz-sec/open-cvdb issue 177 tells of one that was fooled)."""
_GROUPS: Final = ("acs.amazonaws.com/groups/global/allusers", "acs.amazonaws.com/groups/global/authenticatedusers")
_CUTTING: Final = frozenset(
    {"StopLogging", "DeleteTrail", "DeleteFlowLogs", "DeleteResolverQueryLogConfig", "DisassociateResolverQueryLogConfig",
     "DeleteEventDataStore", "StopEventDataStoreIngestion", "DeleteLogGroup", "DeleteLogStream", "DeleteDetector",
     "DisassociateFromMasterAccount", "DeleteConfigurationRecorder", "StopConfigurationRecorder", "DeleteDeliveryChannel"}
)  # fmt: skip
_KEYS: Final = frozenset({"DisableKey", "ScheduleKeyDeletion", "DeleteImportedKeyMaterial", "DeleteCustomKeyStore"})
_POLICY_FIELDS: Final = (
    "bucketPolicy", "policy", "policyDocument", "assumeRolePolicyDocument", "policyText", "repositoryPolicyText",
)  # fmt: skip


def meanings(record: dict[str, Any]) -> list[str]:
    """The meanings of a CloudTrail record, sorted. A call that failed changed nothing and means nothing."""
    if record.get("errorCode") or record.get("readOnly") is True:
        return []
    name = record.get("eventName")
    asked = record.get("requestParameters")
    if not isinstance(name, str) or not isinstance(asked, dict):
        return []
    return sorted(set(_meanings(_bare(name), asked, _owner(record))))


def _meanings(name: str, asked: dict[str, Any], owner: str) -> Iterator[str]:
    if name in _CUTTING or (name == "PutEventSelectors" and _sees_less(asked)) or _no_target(name, asked):
        yield "logging-cut"
    if name in _KEYS:
        yield "key-disabled"
    if name in {"DeletePublicAccessBlock", "DeleteAccountPublicAccessBlock"} or _unblocked(name, asked):
        yield "guard-lowered"
    if name in {"DisableSnapshotBlockPublicAccess", "DisableImageBlockPublicAccess"}:
        yield "guard-lowered"
    for field in _POLICY_FIELDS:
        if field in asked and name.startswith(("Put", "Create", "Set", "Update", "Add", "Attach")):
            yield from _of_policy(asked[field], owner)
    yield from _of_acl(asked)
    yield from _of_sharing(name, asked, owner)
    yield from _of_lending(name, asked, owner)


def _of_policy(policy: object, owner: str) -> Iterator[str]:
    """What a resource policy gives away. A policy of an identity names no principal and gives nothing away here."""
    document = _decoded(policy)
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or ("Principal" not in statement and "NotPrincipal" not in statement):
            continue
        actions = {action.lower() for action in _texts(statement.get("Action"))}
        if statement.get("Effect") == "Deny":
            if (actions & _READING or "s3:getbucket*" in actions) and not statement.get("Condition"):
                yield "auditors-denied"
        elif statement.get("Effect") == "Allow":
            yield from _given_to(statement, owner)


def _given_to(statement: dict[str, Any], owner: str) -> Iterator[str]:
    if "NotPrincipal" in statement:
        yield "made-public"  # Allow with NotPrincipal means everybody but
        return
    principal = statement["Principal"]
    named = _texts(principal.get("AWS")) if isinstance(principal, dict) else _texts(principal)
    if "*" in named and not _bound(statement.get("Condition")):
        yield "made-public"
    accounts = {account for who in named if (account := _account(who))}
    if owner and accounts - {owner}:
        yield "foreign-account"


def _bound(condition: object) -> bool:
    """Whether a condition ties the allowance to somebody."""
    if not isinstance(condition, dict):
        return False
    for operator, tests in condition.items():
        if not isinstance(tests, dict) or not str(operator).lower().startswith(_POSITIVE):
            continue
        for key, values in tests.items():
            if str(key).lower() in _BINDING and _texts(values) and not _EVERYBODY & set(_texts(values)):
                return True
    return False


def _of_acl(asked: dict[str, Any]) -> Iterator[str]:
    """Canned access lists, and grants to AWS' two groups that mean everybody."""
    canned = asked.get("x-amz-acl")
    if any(value.startswith("public-read") or value == "authenticated-read" for value in _texts(canned)):
        yield "made-public"
    granted = asked.get("AccessControlPolicy")
    grants = [value for name, value in asked.items() if name.startswith("x-amz-grant-")]
    if any(group in _flat([granted, grants]).lower() for group in _GROUPS):
        yield "made-public"


def _of_sharing(name: str, asked: dict[str, Any], owner: str) -> Iterator[str]:
    """Snapshots and images given to others."""
    if name in {"ModifySnapshotAttribute", "ModifyImageAttribute"}:
        permission = asked.get("createVolumePermission") or asked.get("launchPermission")
        added = _flat(permission.get("add")) if isinstance(permission, dict) else ""
        if '"group":"all"' in added:
            yield "made-public"
        if '"userId":' in added and f'"userId":"{owner}"' not in added:
            yield "foreign-account"
    if name in {"ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute"}:
        given = set(_texts(asked.get("valuesToAdd")))
        if "all" in given:
            yield "made-public"
        if given - {"all", owner}:
            yield "foreign-account"


def _of_lending(name: str, asked: dict[str, Any], owner: str) -> Iterator[str]:
    """Functions that others may call, and stores that are copied to others."""
    if name == "AddPermission" and isinstance(asked.get("principal"), str):
        who = asked["principal"]
        bound = asked.get("sourceAccount") or asked.get("sourceArn") or asked.get("principalOrgID")
        if who == "*" and not bound:
            yield "made-public"
        if owner and _account(who) not in {"", owner}:
            yield "foreign-account"
    if name == "PutBucketReplication":
        config = _flat(asked.get("ReplicationConfiguration"))
        accounts = set(_quoted_after(config, '"Account":'))
        if owner and accounts - {owner}:
            yield "foreign-account"


def _sees_less(asked: dict[str, Any]) -> bool:
    """Whether event selectors leave management events or writes out."""
    selectors = asked.get("eventSelectors")
    if not isinstance(selectors, list):
        return False
    seen = [s for s in selectors if isinstance(s, dict) and s.get("includeManagementEvents", True) is True]
    return not any(selector.get("readWriteType", "All") == "All" for selector in seen)


def _no_target(name: str, asked: dict[str, Any]) -> bool:
    """Whether a bucket's own access log was switched off: a logging status that names no target."""
    return name == "PutBucketLogging" and "LoggingEnabled" not in _flat(asked.get("BucketLoggingStatus"))


def _unblocked(name: str, asked: dict[str, Any]) -> bool:
    if name not in {"PutBucketPublicAccessBlock", "PutPublicAccessBlock", "PutAccountPublicAccessBlock"}:
        return False
    settings = asked.get("PublicAccessBlockConfiguration")
    return isinstance(settings, dict) and any(settings.get(key) is False for key in settings)


def _bare(name: str) -> str:
    """Lambda's calls carry the date of their interface: AddPermission20150331v2."""
    return name.rstrip("v0123456789") if name[-1:].isdigit() and "20" in name else name


def _owner(record: dict[str, Any]) -> str:
    identity = record.get("userIdentity")
    own = record.get("recipientAccountId") or (identity.get("accountId") if isinstance(identity, dict) else None)
    return own if isinstance(own, str) else ""


def _account(who: str) -> str:
    """The account of an ARN or of twelve digits; empty for a service or for everybody."""
    if len(who) == 12 and who.isdigit():  # noqa: PLR2004  # an account's digits
        return who
    parts = who.split(":")
    return parts[4] if len(parts) > 4 and parts[0] == "arn" and parts[4].isdigit() else ""  # noqa: PLR2004  # of an ARN


def _decoded(policy: object) -> object:
    """A policy given as text, or as the object it was."""
    if not isinstance(policy, str):
        return policy
    try:
        return msgspec.json.decode(policy)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _flat(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _quoted_after(text: str, mark: str) -> Iterator[str]:
    for rest in text.split(mark)[1:]:
        if rest.startswith('"'):
            yield rest[1:].partition('"')[0]
