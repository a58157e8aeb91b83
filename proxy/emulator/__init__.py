"""A small stand-in for the platform, for the demo and the tests; a deployment never loads it.

`Platform` is the store with its rules, `make_app` puts HTTP on top, `serve.run` listens. It is written from
the documented facts and knows nothing of the mapping, so that the two can disagree.
"""

from proxy.emulator.app import Emulator, make_app
from proxy.emulator.misbehave import Misbehaviour, Mischief, parse_misbehaviour
from proxy.emulator.platform import Platform
from proxy.emulator.recorded import Recorded
from proxy.emulator.switches import SwitchError, Switches, parse_switches

__all__ = [
    "Emulator",
    "Misbehaviour",
    "Mischief",
    "Platform",
    "Recorded",
    "SwitchError",
    "Switches",
    "make_app",
    "parse_misbehaviour",
    "parse_switches",
]
