"""Where the engine of the sandbox finds the host of a program's language: where the CLI does, and no provider with it."""

from pathlib import Path

import pytest

from hostgate.sandbox.engine import _project_file, _runtime, _without_path
from hostgate.sandbox.preview_problems import PreviewError


class Machine:
    """A CLI with its Python host, a folder of PATH beside it, and the user's own Pulumi home."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.beside, self.other, self.users, self.home = (folder / name for name in ("bin", "other", "users", "home"))
        self.cli = self.put(self.beside, "pulumi")
        self.put(self.beside, "pulumi-language-python")
        self.put(self.beside, "pulumi-resource-pulumi-python")
        self.other.mkdir()
        monkeypatch.setenv("PATH", f"{self.beside}:{self.other}")
        monkeypatch.setenv("PULUMI_HOME", str(self.users))

    def put(self, folder: Path, name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
        return folder / name

    def hidden(self, language: str) -> bool:
        """Whether the engine goes without the plugins on PATH, for a program in `language`."""
        return _without_path(self.cli, self.home, {"python", language})


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_host_beside_the_cli_needs_no_path_and_providers_there_stay_out_of_sight(machine: Machine) -> None:
    machine.put(machine.beside, "pulumi-language-yaml")
    machine.put(machine.other, "pulumi-resource-aws")
    assert machine.hidden("yaml")
    assert machine.hidden("python")


def test_a_host_that_the_cli_does_not_look_for_beside_itself_is_found_there_by_path(machine: Machine) -> None:
    machine.put(machine.beside, "pulumi-language-hcl")
    assert not machine.hidden("hcl")


@pytest.mark.parametrize("language", ["yaml", "nodejs", "hcl"])
def test_a_host_in_another_folder_of_path_is_found(machine: Machine, language: str) -> None:
    machine.put(machine.other, f"pulumi-language-{language}")
    assert not machine.hidden(language)


@pytest.mark.parametrize("provider", ["aws", "kubernetes"])
def test_a_real_provider_on_the_path_that_a_host_needs_is_refused_with_both_names(
    machine: Machine, provider: str
) -> None:
    host = machine.put(machine.other, "pulumi-language-yaml")
    real = machine.put(machine.other, f"pulumi-resource-{provider}")
    with pytest.raises(PreviewError) as refused:
        machine.hidden("yaml")
    assert str(real) in str(refused.value)
    assert str(host) in str(refused.value)
    assert "take the provider off PATH, or put the host beside the pulumi CLI" in str(refused.value)


def test_a_host_that_the_cli_has_downloaded_is_lent_to_the_sandbox(machine: Machine) -> None:
    kept = machine.put(machine.users / "plugins" / "language-hcl-v0.16.0", "pulumi-language-hcl")
    for _ in range(2):
        assert machine.hidden("hcl")
        link = machine.home / "plugins" / "language-hcl-v0.16.0" / "pulumi-language-hcl"
        assert link.resolve() == kept.resolve()


def test_a_host_that_is_nowhere_is_named_with_what_to_do(machine: Machine) -> None:
    with pytest.raises(PreviewError) as refused:
        machine.hidden("go")
    said = str(refused.value)
    assert "The language host pulumi-language-go is not beside" in said
    assert "put it on PATH; it comes with the pulumi CLI, or by `pulumi plugin install language go`" in said


@pytest.mark.parametrize(
    ("text", "runtime"),
    [("runtime: yaml", "yaml"), ("runtime: {name: nodejs, options: {packagemanager: npm}}", "nodejs"), ("", "python")],
)
def test_the_language_is_what_the_project_file_says_in_either_form(tmp_path: Path, text: str, runtime: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: shop\n{text}\n")
    name, document = _project_file(tmp_path)
    assert (name, _runtime(document)) == ("shop", runtime)
