"""What holds for every test: signals are as a person's shell has them."""

from __future__ import annotations

import signal

# A runner that starts its jobs in the background hands SIGINT and SIGQUIT on as ignored (POSIX sh, asynchronous
# lists), and so would every process that a test starts: Ctrl-C would go unheard. What is handled here, children get reset.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)
