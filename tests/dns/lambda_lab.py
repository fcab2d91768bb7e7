"""What a refresher on a schedule meets: S3 and EC2 over HTTP on loopback that write down each call, and Lambda's context."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.s3.models import s3_backends

from sinks.ec2_server import REGION, PrefixListServer

BUCKET, KEY = "pools", "egress/pool.txt"
ACCOUNT = "123456789012"
Call = tuple[str, str]
"""An action of IAM and the ARN of what it is about, `*` where the service knows none."""


@dataclass
class Context:
    """An invocation. `left`: milliseconds until the function's time is up."""

    function_name: str = "refresher"
    left: int = 300_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


class RecordingServer(PrefixListServer):
    """S3 and EC2 in one. `calls`: what was asked for, as the service authorizes it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.status = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def answered(status: str, *rest: Any) -> Any:
            self.status = status
            return start_response(status, *rest)

        before = len(self.asked)
        answer = list(super().__call__(environ, answered))
        self.calls += self._authorized(environ, *self.asked[before:])
        return answer

    def _authorized(self, environ: dict[str, Any], action: str) -> list[Call]:
        if action:
            listed = environ["wsgi.input"].getvalue().decode().partition("PrefixListId=")[2].partition("&")[0]
            about = f"arn:aws:ec2:{REGION}:{ACCOUNT}:prefix-list/{listed}" if listed else "*"
            return [(f"ec2:{action}", about)]
        assert not environ["QUERY_STRING"], environ["QUERY_STRING"]
        bucket, _, key = environ["PATH_INFO"].strip("/").partition("/")
        method = {"GET": "s3:GetObject", "PUT": "s3:PutObject"}[environ["REQUEST_METHOD"]]
        found = [(method, f"arn:aws:s3:::{bucket}/{key}")]
        if self.status.startswith("404"):  # which S3 says to those alone that may list the bucket
            found.append(("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
        return found


@contextmanager
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    """Both, with an empty bucket, as the environment's own."""
    s3_backends.reset()
    with RecordingServer() as server:
        for name, value in {**server.environment, "AWS_ALLOW_HTTP": "true"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        client.close()
        yield server
