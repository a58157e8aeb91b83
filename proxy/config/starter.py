"""The file to start from."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from proxy.config.values import WebAddress
from proxy.errors import ConfigError

_STARTER = """\
# crossfade: which version of the API answers which calls.
# Every key is explained in docs/configuration.md; `crossfade config show --origin` prints what is in effect.

[server]                                   # the callers' side
host = "127.0.0.1"                         # "0.0.0.0" to be reached from other machines
port = 8080
public_url = "http://localhost:8080"       # the address callers use; links in answers point at it

[admin]                                    # the operators' side: health, metrics, dashboard
host = "127.0.0.1"                         # anything but loopback needs token_file
port = 8081

[identity]
key_file = "identity.key"                  # made on first start; replicas share one; keep it

[upstream.v2]
base_url = "{base_url}"
[upstream.v2_1]
base_url = "{base_url}"

# Stages: v2 -> shadow -> canary (with percent) -> live -> v2.1. The first entry that matches decides.
# Everything starts at "v2": crossfade is transparent and nothing is compared.
# Next, compare reads with v2.1 while v2 keeps answering; put this in front of the last entry:
#
# [[route]]
# reads = true
# stage = "shadow"

[[route]]
stage = "v2"

[shadow]
sample = 0.1                               # share of calls that are compared
max_calls_per_second = 5                   # extra calls with one caller's credentials

[log]
divergences = "-"                          # standard output
requests = "off"
"""


def write_starter(path: Path, base_url: str) -> None:
    """Write the file. Raises ConfigError when there is one already, or when the address is none."""
    try:
        address = TypeAdapter(WebAddress).validate_python(base_url)
    except ValidationError as problem:
        raise ConfigError(f"--base-url: {problem.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    text = _STARTER.replace("{base_url}", address)
    tomllib.loads(text)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path}: exists and is left alone; name another file with --config") from None
    except OSError as problem:
        raise ConfigError(
            f"{path}: {problem.strerror}; name a file that can be written with --config"
        ) from None
