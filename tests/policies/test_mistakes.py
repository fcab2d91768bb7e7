"""A name that one named catalog records as mistaken and another one lists is a mistake to the pack as well."""

from pathlib import Path

import pytest

from hostgate.policies.catalogs import read_catalogs
from hostgate.policies.contents import judged
from hostgate.policies.effects import Effect, NameKind, Names

IMAGES = "chainguard/images@2024-03-28"
OURS = """\
catalog: acme/ours
entries:
  - {id: mine, host: HOST, match: MATCH, port: 443, protocol: https, purpose: Ours}
"""


@pytest.mark.parametrize("order", [1, -1], ids=["ours last", "ours first"])
@pytest.mark.parametrize(
    ("match", "host", "rule"),
    [
        ("exact", "rc.cloudflarestorage.com", "host-mistaken"),
        ("exact", "a1.rc.cloudflarestorage.com", "host-mistaken"),
        ("subtree", "cloudflarestorage.com", "host-mistaken"),
        ("one-label", "cloudflarestorage.com", "host-mistaken"),
        ("subtree", "r2.cloudflarestorage.com", None),
        ("exact", "mirror.acme.example", None),
    ],
)
def test_what_a_second_catalog_lists_is_still_a_mistake(
    match: NameKind, host: str, rule: str | None, order: int, tmp_path: Path
) -> None:
    (tmp_path / "ours.yaml").write_text(OURS.replace("HOST", host).replace("MATCH", match))
    known = read_catalogs([IMAGES, "./ours.yaml"][::order], tmp_path)
    names = Names(match, host)

    effect = Effect(where="rule", action="allow", layer="tls", ports=((443, 443),), names=names)
    broken, said, _ = judged(effect, names, known)

    assert broken == rule, said
