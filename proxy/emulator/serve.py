"""Running the emulator: one uvicorn, until it is told to stop."""

from __future__ import annotations

from collections.abc import Mapping

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxy.emulator.app import ABORT, make_app
from proxy.emulator.credentials import Accounts
from proxy.emulator.misbehave import Misbehaviour, Mischief
from proxy.emulator.platform import Platform
from proxy.emulator.switches import Switches, Version


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which also lets an app end a connection in mid-answer."""

    def on_message_begin(self) -> None:
        """Add the extension to every request's scope."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self._abort}  # type: ignore[dict-item]  # a function, where ASGI expects notes

    def _abort(self) -> None:
        self.cycle.disconnected = True  # uvicorn would otherwise make up a 500, or complain
        self.transport.close()


def run(  # noqa: PLR0913 - one keyword for each option of the command
    host: str,
    port: int,
    switches: Switches | None = None,
    *,
    base_url: str | None = None,
    accounts: Accounts = "any",
    misbehaviour: Mapping[Version, Misbehaviour] | None = None,
) -> None:
    """Serve the emulator until SIGINT or SIGTERM; `base_url` is the host in hrefs, else where it listens."""
    app = make_app(
        Platform(switches or Switches()),
        base_url=base_url or f"http://{host}:{port}",
        accounts=accounts,
        mischief=Mischief(misbehaviour),
    )
    uvicorn.run(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
    )
