"""Catalog references: `vendor/product@revision`, `vendor/product@latest`, or the path of a file.

Shipped catalogs live beside the package in a checkout and inside it in a wheel; both places are looked at, and having
neither is an error. A revision must be named: what a plan opens may not change because somebody published a page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hostgate.catalog.file_input import user_path
from hostgate.catalog.problems import InputError, Problem, did_you_mean
from hostgate.catalog.read import Catalog, read_catalog

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class CatalogRevision:
    """A catalog at a revision. `revision` is None for a plain file; `floating` says that `latest` was asked for."""

    catalog: Catalog
    revision: str | None
    floating: bool = False

    def __str__(self) -> str:
        return self.catalog.id if self.revision is None else f"{self.catalog.id}@{self.revision}"


def catalog_folder() -> Path:
    """The folder of shipped catalogs. Raises InputError if the installation has none."""
    for folder in (_PACKAGE / "_catalog", _PACKAGE.parents[1] / "catalog"):
        if folder.is_dir():
            return folder
    raise InputError(
        [Problem(rule="no-catalogs", message="This installation has no catalog folder. Install it again.")]
    )


def shipped_catalogs() -> dict[str, Path]:
    """Name (`vendor/product`) and file of every shipped catalog, sorted."""
    folder = catalog_folder()
    return {str(path.relative_to(folder).with_suffix("")): path for path in sorted(folder.glob("*/*.yaml"))}


def is_path(ref: str) -> bool:
    """Whether `ref` names a file of the user's own rather than a shipped catalog."""
    name = ref.rpartition("@")[0] or ref
    return ref.endswith((".yaml", ".yml")) or name.endswith((".yaml", ".yml")) or ref.startswith((".", "/", "~"))


def resolve(ref: str, base: Path | None = None) -> CatalogRevision:
    """The catalog and revision that `ref` names; a relative path starts at `base` (the current folder).

    Raises InputError: unknown catalog, no revision named, unknown revision, or a file with errors.
    """
    if not ref.strip():
        raise _error("catalog-reference", "Found an empty reference. Allowed: vendor/product@revision, or a path.")
    if is_path(ref):
        return _from_path(ref, base or Path.cwd())
    name, at, revision = ref.partition("@")
    shipped = shipped_catalogs()
    if name not in shipped:
        raise _error(
            "unknown-catalog",
            f"Found the catalog {name!r}.{did_you_mean(name, shipped)} Shipped: {', '.join(shipped)}. "
            "A file of your own is named by its path and ends in .yaml.",
        )
    catalog = read_catalog(shipped[name], f"catalog/{name}.yaml")
    if not at or not revision:
        raise _error(
            "no-revision",
            f"Found {ref!r} without a revision. Pin one: {name}@{catalog.latest} is the newest "
            f"(or {name}@latest, which moves when the catalog does).",
        )
    return _pin(catalog, revision, ref)


def resolve_file(ref: str, base: Path | None = None) -> Catalog:
    """The whole catalog that `ref` names, whatever revision it names or does not. Raises InputError."""
    name, _, revision = ref.partition("@")
    if revision:
        return resolve(ref, base).catalog
    if is_path(ref):
        return read_catalog((base or Path.cwd()) / user_path(name), name)
    shipped = shipped_catalogs()
    if name in shipped:
        return read_catalog(shipped[name], f"catalog/{name}.yaml")
    return resolve(ref, base).catalog


def split_path(ref: str) -> tuple[str, str]:
    """The path and the revision that `PATH@REVISION` names; the revision is empty where none is named."""
    name, at, revision = ref.rpartition("@")
    return (name, revision) if at and name.endswith((".yaml", ".yml")) else (ref, "")


def pin(catalog: Catalog, revision: str, ref: str) -> CatalogRevision:
    """`catalog` at `revision`, or at its newest if that is empty. Raises InputError."""
    if catalog.revisions:
        return _pin(catalog, revision or "latest", ref)
    if revision:
        raise _error(
            "unknown-revision", f"Found {ref!r}, but the file has no revisions. Name it without @.", catalog.file
        )
    return CatalogRevision(catalog, None)


def _from_path(ref: str, base: Path) -> CatalogRevision:
    name, revision = split_path(ref)
    return pin(read_catalog(base / user_path(name), name), revision, ref)


def _pin(catalog: Catalog, revision: str, ref: str) -> CatalogRevision:
    if revision == "latest":
        if catalog.latest is None:
            raise _error("unknown-revision", f"Found {ref!r}, but the catalog has no revisions.", catalog.file)
        return CatalogRevision(catalog, catalog.latest, floating=True)
    known = [known.id for known in catalog.revisions]
    if revision not in known:
        raise _error(
            "unknown-revision",
            f"Found the revision {revision!r} of {ref.rpartition('@')[0]}. Allowed: {', '.join(known)}, latest.",
        )
    return CatalogRevision(catalog, revision)


def each_shipped() -> Iterator[Catalog]:
    """Every shipped catalog, read and checked."""
    for name, path in shipped_catalogs().items():
        yield read_catalog(path, f"catalog/{name}.yaml")


def _error(rule: str, message: str, file: str | None = None) -> InputError:
    return InputError([Problem(rule=rule, message=message, file=file)])
