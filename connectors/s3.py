"""The one place that opens S3 and what speaks its protocol, such as MinIO; nothing is asked of a server yet."""

from typing import Protocol
from urllib.parse import urlsplit

from pyarrow import fs
from pydantic import SecretStr

S3 = "s3://"
CONNECT_SECONDS, ANSWER_SECONDS, ATTEMPTS = 5.0, 10.0, 3


class S3Access(Protocol):
    """The settings of a section that may keep its files in S3."""

    s3_endpoint: str
    s3_region: str
    s3_access_key: str
    s3_secret_key: SecretStr


def open_s3(settings: S3Access) -> fs.FileSystem:
    """The file system of what the settings lead to."""
    options: dict[str, object] = {
        "connect_timeout": CONNECT_SECONDS,
        "request_timeout": ANSWER_SECONDS,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        "allow_delayed_open": True,  # a small file in one request
    }
    if settings.s3_endpoint:
        endpoint = urlsplit(settings.s3_endpoint)
        options |= {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme}
    if settings.s3_region or settings.s3_endpoint:
        options["region"] = settings.s3_region or "us-east-1"  # what servers that know no regions want to hear
    if settings.s3_access_key:
        options |= {"access_key": settings.s3_access_key, "secret_key": settings.s3_secret_key.get_secret_value()}
    return fs.S3FileSystem(**options)
