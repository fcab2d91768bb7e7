"""How the APIs of AWS spell the names of the provider's inputs."""

import re

_ACRONYM = re.compile(r"^(?:ip|tls)(?=[A-Z])|^tcp(?=Flags)|Tls(?=[A-Z])")


def as_aws(name: str) -> str:
    """The name with a capital in front, and its acronyms whole: `tlsInspectionConfigurationArn`, `ipSets`."""
    spelled = _ACRONYM.sub(lambda found: found[0].upper(), name)
    return spelled[:1].upper() + spelled[1:]
