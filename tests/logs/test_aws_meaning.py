"""What changes of AWS settings mean. The table has the pairs that a name alone cannot tell apart."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.aws_meaning import meanings

OWN, OTHER = "111111111111", "222222222222"
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


def mean(name: str, asked: Any, **more: Any) -> str:
    """The meanings of a call in one's own account."""
    return " ".join(meanings({"eventName": name, "requestParameters": asked, "recipientAccountId": OWN, **more}))


def policy(**change: Any) -> str:
    """The meanings of a bucket policy of one statement."""
    statement = {key: value for key, value in {**EVERYBODY, **change}.items() if value is not None}
    return mean("PutBucketPolicy", {"bucketName": "b", "bucketPolicy": {"Statement": [statement]}})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "made-public"),
        ({"Principal": {"AWS": "*"}}, "made-public"),
        ({"Principal": {"AWS": [f"arn:aws:iam::{OWN}:root", "*"]}}, "made-public"),
        ({"Principal": None, "NotPrincipal": {"AWS": f"arn:aws:iam::{OWN}:root"}}, "made-public"),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, "made-public"),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, "made-public"),
        ({"Condition": {"StringLike": {"aws:UserAgent": "x"}}}, "made-public"),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/0"]}}}, "made-public"),
        ({"Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}, "made-public"),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}, ""),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, ""),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::1:distribution/X"}}}, ""),
        ({"Principal": {"Service": "cloudfront.amazonaws.com"}}, ""),
        ({"Principal": {"AWS": f"arn:aws:iam::{OWN}:role/portal"}}, ""),
        ({"Principal": {"AWS": OWN}}, ""),
        ({"Principal": {"AWS": OTHER}}, "foreign-account"),
        ({"Principal": {"AWS": f"arn:aws:iam::{OTHER}:user/x"}}, "foreign-account"),
        ({"Effect": "Deny"}, ""),
        ({"Effect": "Deny", "Action": ["s3:GetBucketPolicyStatus"]}, "auditors-denied"),
        ({"Effect": "Deny", "Action": "s3:GetBucket*"}, "auditors-denied"),
        ({"Effect": "Deny", "Action": "s3:PutObject"}, ""),
        ({"Effect": "Deny", "Action": "s3:GetBucketAcl", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, ""),
    ],
)
def test_policies(change: dict[str, Any], expected: str) -> None:
    """Whom a policy lets in, and whom it keeps from looking, by what it says."""
    assert policy(**change) == expected


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("PutBucketAcl", {"x-amz-acl": ["public-read"]}, "made-public"),
        ("PutObjectAcl", {"x-amz-acl": "public-read-write"}, "made-public"),
        ("PutBucketAcl", {"x-amz-acl": "private"}, ""),
        ("PutBucketAcl", {"AccessControlPolicy": {"AccessControlList": {"Grant": [{"Grantee": {
            "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}}]}}}, "made-public"),
        ("PutBucketAcl", {"AccessControlPolicy": {"AccessControlList": {"Grant": [{"Grantee": {
            "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}}]}}}, ""),
        ("ModifyImageAttribute", {"launchPermission": {"add": {"items": [{"userId": OTHER}]}}}, "foreign-account"),
        ("ModifyImageAttribute", {"launchPermission": {"add": {"items": [{"userId": OWN}]}}}, ""),
        ("ModifySnapshotAttribute", {"createVolumePermission": {"add": {"items": [{"group": "all"}]}}}, "made-public"),
        ("ModifySnapshotAttribute", {"createVolumePermission": {"remove": {"items": [{"group": "all"}]}}}, ""),
        ("ModifyDBSnapshotAttribute", {"valuesToAdd": ["all"]}, "made-public"),
        ("ModifyDBClusterSnapshotAttribute", {"valuesToAdd": [OTHER]}, "foreign-account"),
        ("AddPermission20150331v2", {"principal": "*"}, "made-public"),
        ("AddPermission20150331v2", {"principal": "*", "sourceArn": "arn:aws:s3:::b"}, ""),
        ("AddPermission20150331v2", {"principal": "s3.amazonaws.com"}, ""),
        ("AddPermission", {"principal": OTHER}, "foreign-account"),
        ("UpdateAssumeRolePolicy", {"policyDocument": json.dumps({"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}}]})}, "foreign-account"),
        ("CreatePolicy", {"policyDocument": json.dumps({"Statement": [{"Effect": "Allow", "Action": "*"}]})}, ""),
        ("PutBucketReplication", {"ReplicationConfiguration": {"Rule": {"Destination": {
            "Bucket": "arn:aws:s3:::x", "Account": OTHER}}}}, "foreign-account"),
        ("PutBucketReplication", {"ReplicationConfiguration": {"Rule": {"Destination": {"Account": OWN}}}}, ""),
        ("StopLogging", {"name": "t"}, "logging-cut"),
        ("StartLogging", {"name": "t"}, ""),
        ("PutEventSelectors", {"eventSelectors": [{"readWriteType": "ReadOnly"}]}, "logging-cut"),
        ("PutEventSelectors", {"eventSelectors": [{"includeManagementEvents": False}]}, "logging-cut"),
        ("PutEventSelectors", {"eventSelectors": [{"readWriteType": "All"}]}, ""),
        ("PutEventSelectors", {"advancedEventSelectors": []}, ""),
        ("PutBucketLogging", {"BucketLoggingStatus": {}}, "logging-cut"),
        ("PutBucketLogging", {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "l"}}}, ""),
        ("DisableKey", {"keyId": "k"}, "key-disabled"),
        ("EnableKey", {"keyId": "k"}, ""),
        ("DeletePublicAccessBlock", {"bucketName": "b"}, "guard-lowered"),
        ("PutBucketPublicAccessBlock", {"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}}, "guard-lowered"),
        ("PutBucketPublicAccessBlock", {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}, ""),
        ("DisableSnapshotBlockPublicAccess", {}, "guard-lowered"),
    ],
)  # fmt: skip
def test_other_calls(name: str, asked: dict[str, Any], expected: str) -> None:
    """Access lists, shares, functions, replication, logs, keys and locks: the open form, and its honest neighbour."""
    assert mean(name, asked) == expected


def test_a_call_that_failed_means_nothing() -> None:
    """Nor does one that only reads."""
    assert not mean("StopLogging", {"name": "t"}, errorCode="AccessDenied")
    assert not mean("StopLogging", {"name": "t"}, readOnly=True)


def test_no_parameters_mean_nothing() -> None:
    """Null, a number and a missing name are answered."""
    assert not meanings({"eventName": "StopLogging", "requestParameters": None})
    assert not meanings({"eventName": None, "requestParameters": {}})
    assert not mean("PutBucketPolicy", {"bucketPolicy": "{"})
    assert not mean("PutBucketPolicy", {"bucketPolicy": "[" * 100_000})


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["*", "Allow", "Deny", OTHER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["Statement", "Principal", "AWS", "Effect", "Condition", "Action", "add", "items"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip
NAMES = ["PutBucketPolicy", "ModifyImageAttribute", "PutEventSelectors", "PutBucketLogging", "AddPermission", "v2", ""]


@given(
    st.sampled_from(NAMES),
    st.dictionaries(
        st.sampled_from(
            ["bucketPolicy", "launchPermission", "eventSelectors", "principal", "x-amz-acl", "BucketLoggingStatus"]
        ),
        JSON,
    ),
)
def test_nothing_raises(name: str, asked: dict[str, Any]) -> None:
    """Whatever a record says."""
    mean(name, asked)
