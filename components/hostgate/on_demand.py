"""Components of a cloud as names of its package, loaded with pulumi and the SDK when they are first asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def on_demand(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for `package` that finds each of `names` in the module of the package that it is mapped to.

    Raises AttributeError for other names, and ImportError for a module that cannot be loaded: for an SDK that is not
    installed with the command that installs it, and for an AttributeError in there, which Python would report as a missing
    name of the package.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 -- it becomes the package's own
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = f"{package}.{names[name]}"
        try:
            components = import_module(module)
        except ModuleNotFoundError as error:
            if (message := sdk_missing(f"{package}.{name}", package.rpartition(".")[2], error)) is None:
                raise
            raise ModuleNotFoundError(message, name=error.name) from None
        except AttributeError as error:
            raise ImportError(f"{module}: {error}") from error
        return getattr(components, name)

    return __getattr__


def sdk_missing(what: str, cloud: str, error: ModuleNotFoundError) -> str | None:
    """What to install for `what`, a thing of `cloud`; None if `error` is about a module of our own."""
    if error.name is None or error.name.partition(".")[0] == "hostgate":
        return None
    from hostgate.requirement import install_command  # asked for in errors only

    return f"{what} needs {error.name}, which is not installed. Install it: {install_command(cloud)}"
