"""A PoolRefresher made with pulumi's mocks in a process of its own: what it registers, with ARNs as AWS gives them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lambda_lab import ACCOUNT

from sinks.ec2_server import REGION

SOURCE = Path(__file__).resolve().parents[2] / "components"

PROGRAM = """
import json, sys
import pulumi

REGION, ACCOUNT = {region!r}, {account!r}
ARNS = {{
    "aws:cloudwatch/logGroup:LogGroup": "arn:aws:logs:{{region}}:{{account}}:log-group:{{name}}",
    "aws:iam/role:Role": "arn:aws:iam::{{account}}:role/{{name}}",
    "aws:lambda/function:Function": "arn:aws:lambda:{{region}}:{{account}}:function:{{name}}",
    "aws:sqs/queue:Queue": "arn:aws:sqs:{{region}}:{{account}}:{{name}}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "arn:aws:cloudwatch:{{region}}:{{account}}:alarm:{{name}}",
}}
made = []

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        made.append({{"type": args.typ, "name": args.name, "inputs": args.inputs}})
        arn = ARNS.get(args.typ, "").format(region=REGION, account=ACCOUNT, name=args.name)
        return args.name, {{**args.inputs, "name": args.name, "arn": arn}}

    def call(self, args):
        raise AssertionError(args.token)

pulumi.runtime.set_mocks(Mocks(), project="shop", stack="test", preview=False)
from hostgate.aws import PoolRefresher

@pulumi.runtime.test
def program():
    later = lambda value: pulumi.Output.from_input(value)
    refresher = PoolRefresher("eu", **{keywords})
    return pulumi.Output.all(refresher.function_name, refresher.role_arn, refresher.alarm_arn, refresher.queue_arn)

program()
print(json.dumps(made, default=repr))
"""


def made(folder: Path, keywords: str) -> dict[str, Any]:
    """The inputs of what a refresher makes, by name. `keywords` is an expression; `later(x)` makes an Output of `x`."""
    done = ran(folder, keywords)
    assert done.returncode == 0, done.stderr
    return {each["name"]: each["inputs"] for each in json.loads(done.stdout.splitlines()[-1])}


def ran(folder: Path, keywords: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(region=REGION, account=ACCOUNT, keywords=keywords)
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
