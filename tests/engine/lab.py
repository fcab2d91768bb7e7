"""A small Pulumi project, and a sandbox in which the real engine deploys it again and again."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.moments import Plans, Update, flows_about, layer, violations
from hostgate.sandbox.engine import prepare, pulumi_cli
from hostgate.sandbox.state import State, state_of
from hostgate.stack import read_stack, values_of_file

LIMIT = 300
"""Seconds for one call of the CLI; it takes three to six, and many times that where the machine has other work."""

real_engine = pytest.mark.skipif(
    pulumi_cli() is None,
    reason="the pulumi CLI with its Python host is not on PATH; updates on the real engine are not tested",
)

AWS = {"mechanism": "rules", "from": ["10.0.0.0/8"]}
GCP = {"mechanism": "fqdn", "networks": ["projects/acme/global/networks/main"]}
AZURE = {"mechanism": "application-rules", "resourceGroup": "rg-hub", "location": "westeurope", "from": ["10.0.0.0/8"]}

PROGRAM = "from hostgate.program import run\n\nrun()\n"


@dataclass
class Ended:
    """How a call of the CLI ended, and what it did to the clouds."""

    code: int
    output: str
    update: Update
    wrong: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.code == 0


class Lab:
    """One project and its sandbox. Several labs share the clouds if they share `sandbox`."""

    def __init__(self, project: Path, sandbox: Path, program: str = PROGRAM, name: str = "hostgate") -> None:
        self.project, self.sandbox = project, sandbox
        project.mkdir(parents=True, exist_ok=True)
        runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
        self._write("Pulumi.yaml", {"name": name, "runtime": runtime})
        self.configure({})
        (project / "__main__.py").write_text(program)
        self.in_force: Plans = {}

    @classmethod
    def over(cls, project: Path, sandbox: Path) -> "Lab":
        """The lab of a project that is there already, as it is."""
        made = cls.__new__(cls)
        made.project, made.sandbox, made.in_force = project, sandbox, {}
        return made

    @property
    def state(self) -> State:
        return state_of(self.sandbox)

    def configure(self, clouds: Mapping[str, Any], *catalogs: str) -> None:
        """Write the stack file: options by cloud, and catalogs."""
        config: dict[str, Any] = {"aws:region": "eu-central-1", "gcp:project": "acme"}
        if catalogs:
            config["hostgate:catalogs"] = list(catalogs)
        self._write("Pulumi.dev.yaml", {"config": {**config, **{f"hostgate:{key}": clouds[key] for key in clouds}}})

    def hosts(self, *hosts: str) -> str:
        """Write a catalog of these hosts, `id=host:port` or `host`; the reference to it."""
        entries = []
        for each in hosts:
            id_, _, rest = each.rpartition("=")
            host, _, port = rest.partition(":")
            told = {"id": id_ or host.replace(".", "-"), "host": host, "port": int(port or 443), "protocol": "https"}
            entries.append({**told, "purpose": "Tests", "phase": "build"})
        self._write("ours.yaml", {"catalog": "acme/ours", "title": "Hosts of the tests", "entries": entries})
        return "./ours.yaml"

    def plans(self) -> Plans:
        """The plans of what the stack file asks for now, by layer; none for a program of another kind."""
        values = values_of_file(self.project, "dev")
        if not values:
            return {}
        wanted = read_stack(values, self.project)
        return {layer(plan.target): plan for plan in wanted.plans(date.today())}

    def pulumi(self, *words: str) -> Ended:
        """Run a command of the CLI, without judging what it does."""
        before, number = self.state.objects(), (self.state.journal() or [None])[-1]
        done = prepare(self.project, "dev", self.sandbox).run(*words, capture=True, limit=LIMIT)
        calls = self.state.journal(after=number.number if number else 0)
        return Ended(done.returncode, done.stdout + done.stderr, Update(before, calls, {}, {}))

    def up(self, *words: str) -> Ended:
        """`pulumi up`; judge every moment of it against the plans before and after. `in_force` is then the new one."""
        wanted = self.plans()
        ended = self.pulumi("up", "--yes", "--skip-preview", *words)
        update = Update(ended.update.before, ended.update.calls, self.in_force, wanted)
        flows = flows_about([*self.in_force.values(), *wanted.values()])
        wrong = violations(update, flows, complete=ended.ok)
        if ended.ok:
            self.in_force = wanted
        return Ended(ended.code, ended.output, update, wrong)

    def preview(self) -> list[tuple[str, str]]:
        """Operation and URN of every step that `pulumi preview` would take."""
        ended = self.pulumi("preview", "--json")
        assert ended.ok, ended.output
        steps: Sequence[Any] = json.loads(ended.output[ended.output.index("{") :]).get("steps", [])
        return [(step["op"], step["urn"]) for step in steps]

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        plain = json.loads(json.dumps(dict(document)))  # what stands in it twice would be an alias, which is refused
        (self.project / name).write_text(yaml.safe_dump(plain, sort_keys=False))


def well(ended: Ended) -> Ended:
    """The run, if it ended well and every moment of it was as it must be."""
    assert ended.ok, ended.output
    assert not ended.wrong, "\n".join(ended.wrong[:10])
    return ended
