"""What a bucket's refusals mean to the operator."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from messenger_api.domain.errors import Unusable

_KEYS = "check S3_ACCESS_KEY and S3_SECRET_KEY"
_REGION = "set S3_REGION to the region of the bucket"
_BUCKET = "make the bucket, or name another in FILES_PATH and FILES_TN_PATH"
_REACH = "check S3_ENDPOINT_URL, the network and the proxy"
_RIGHTS = "give the key the rights that docs/files.md lists"
_CHAIN = "check the S3_ keys, and what boto3 finds in AWS_ variables and ~/.aws"
_CLOCK = "set the clock of this machine"

# Codes of Amazon S3; https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html has them all.
TO_DO = {
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "InvalidToken": _KEYS,
    "ExpiredToken": _KEYS,
    "NoSuchBucket": _BUCKET,
    "AccessDenied": _RIGHTS,
    "AllAccessDisabled": _RIGHTS,
    "403": _RIGHTS,
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "RequestTimeTooSkewed": _CLOCK,
}


def said(error: BotoCoreError | ClientError) -> str:
    """The failure in a line: what was asked and the answer, or that there was none."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        words = (error.operation_name, answer.get("Code", ""), answer.get("Message", ""))
        return ": ".join(word for word in words if word).partition("\n")[0]
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def unusable(place: str, error: BotoCoreError | ClientError, *, missing: str = "") -> Unusable:
    """The fault for the doctor, and what helps. `missing` names the right that the refused call needs."""
    if isinstance(error, ClientError):
        code = error.response["Error"].get("Code", "")
        to_do = TO_DO.get(code, "see the bucket's own log")
        return Unusable(place, said(error), f"{to_do}: {missing}" if missing and to_do is _RIGHTS else to_do)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        to_do = "set S3_ACCESS_KEY and S3_SECRET_KEY, or give this machine a role of its own"
        return Unusable(place, said(error), to_do)
    unreachable = isinstance(error, HTTPClientError | ConnectionError)
    return Unusable(place, said(error), _REACH if unreachable else _CHAIN)
