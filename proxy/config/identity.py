"""The key behind caller ids, record names and bucket salts: made once, then only read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from tempfile import mkstemp

from proxy.errors import ConfigError

KEY_BYTES = 32
"""Length of a key that is made here; a key that was brought along may be longer."""


def load_key(path: Path) -> bytes:
    """The key in a file; a new one where there is none.

    A new file appears whole, with mode 0600, and never takes the place of another: processes that start
    together agree on one. Raises ConfigError when the file cannot be read or made, or holds less than a key.
    """
    try:
        if not path.exists():
            _make(path)
        text = path.read_text("ascii").strip()
        key = bytes.fromhex(text)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise ConfigError(
            f"identity.key_file: {path}: {reason}; let this user read it, and make it on first start"
        ) from None
    except ValueError:
        raise ConfigError(_wrong(path)) from None
    if len(key) < KEY_BYTES:
        raise ConfigError(_wrong(path))
    return key


def _wrong(path: Path) -> str:
    return (
        f"identity.key_file: {path}: holds no key of {KEY_BYTES} bytes or more in hexadecimal digits; "
        "bring back the right file, or move it away to have a new key made (caller ids then change)"
    )


def _make(path: Path) -> None:
    # A link refuses to replace an existing name, where a rename would silently do it.
    handle, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(path).hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()
