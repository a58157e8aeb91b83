"""Numbers compared by value without ever becoming one.

A JSON number is a sign, a run of digits and a power of ten. Two tokens mean the same number when these three
agree after the zeros at both ends of the digits have been moved into the power. No digit is dropped and
nothing is multiplied out, so `30.6`, `30.60` and `3.06e1` are equal, `0.1` and `0.1000000000000000055` are
not, and `1e999999999` costs no memory.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from proxy.errors import Fault, Refused
from proxy.json.tokens import Token

_NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")

_SHORT = 20
"""Characters of an exponent that an `int` is made of at once."""


def equal_numbers(left: Token, right: Token) -> bool:
    """Whether two number tokens (RFC 8259 §6) mean exactly the same decimal number; `-0` equals `0`.

    Raises `Refused` with `Fault.JSON` when one of them is no number.
    """
    first, second = bytes(left), bytes(right)
    parts = _parts(first), _parts(second)
    return first == second or parts[0] == parts[1]


def _parts(token: bytes) -> tuple[bytes, bytes, int | Decimal]:
    """Sign, digits without zeros at either end, and the power of ten of the last digit."""
    match = _NUMBER.fullmatch(token)
    if match is None:
        raise Refused(
            Fault.JSON, "body: is not valid JSON.", "A number stands in no form that RFC 8259 §6 knows."
        )
    sign, whole, fraction, power = match.groups(b"")
    digits = (whole + fraction).lstrip(b"0")
    kept = digits.rstrip(b"0")
    if not kept:
        return b"", b"", 0
    shift = len(digits) - len(kept) - len(fraction)
    if len(power) < _SHORT:
        return sign, kept, int(power or b"0") + shift
    # `int` refuses an exponent of more than 4300 digits; a Decimal holds one of any length exactly.
    return sign, kept, Context(prec=len(power) + 25).add(Decimal(power.decode()), shift)
