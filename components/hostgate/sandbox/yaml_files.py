"""Pulumi's own YAML files, read as leniently as Pulumi reads them: their form is not ours to narrow."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from hostgate.catalog.file_input import read_file_bytes
from hostgate.catalog.problems import InputError
from hostgate.catalog.yaml_reader import SIZE


class Unreadable(ValueError):  # noqa: N818 - what a file is, said to whoever named it
    """The file holds no YAML that can be read. The message says why."""


def read_pulumi_yaml(file: Path) -> Any:
    """The document in `file`; None for an empty one. Raises Unreadable."""
    try:
        return yaml.safe_load(read_file_bytes(file, SIZE, str(file)).decode("utf-8-sig"))
    except InputError as error:
        raise Unreadable(error.problems[0].message) from None
    except RecursionError:
        raise Unreadable("it is nested too deep") from None
    except (ValueError, yaml.YAMLError) as error:
        raise Unreadable(" ".join(str(error).split())) from None


def tokens_in(folder: Path, packages: Iterable[str]) -> tuple[str, ...]:
    """What looks like a resource type or a function of one of the packages, in any YAML file of a program."""
    named = "|".join(map(re.escape, packages))
    pattern = re.compile(rf"(?<![\w-])(?:{named}):[\w/.-]+(?::\w+)?")
    found: dict[str, None] = {}
    for file in sorted(folder.glob("*.y*ml")) if named else ():
        found.update(dict.fromkeys(pattern.findall(file.read_text(encoding="utf-8", errors="replace"))))
    return tuple(found)
