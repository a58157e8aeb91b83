"""The program that an exported test is; `export` fills it in."""

from __future__ import annotations

PROGRAM = '''\
"""<says>.

This test fails while the divergence exists, and passes once it is mended. It asks an address where callers of v2 are
answered by v2.1, such as a crossfade whose route stands at stage v2.1:

    CROSSFADE_BASE_URL=http://localhost:8080 CROSSFADE_CREDENTIALS=user:password pytest <this file>

It makes a record of its own, with made-up values: run it where that does no harm.
"""

import base64
import json
import os
import urllib.error
import urllib.request
import uuid

import pytest

<facts>
TRIES = 20  # some divergences show in some answers only


def ask(method, path, body):
    headers = {"Content-Type": "application/json"} if body else {}
    credentials = os.environ.get("CROSSFADE_CREDENTIALS", "")
    if credentials:
        headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
    address = os.environ["CROSSFADE_BASE_URL"].rstrip("/") + path
    request = urllib.request.Request(address, body.encode() or None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None


def places(document, steps):
    """The documents at the end of the steps; `*` is every element of an array."""
    if not steps:
        return [document]
    step, *rest = steps
    if step == "*":
        inside = document if isinstance(document, list) else []
    else:
        inside = [document[step]] if isinstance(document, dict) and step in document else []
    return [found for one in inside for found in places(one, rest)]


def type_of(value):
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def wrong(document):
    """What is wrong with an answer; empty when nothing is, `None` when the place is not in it."""
    *outer, last = POINTER.split("/")[1:]
    parents = places(document, outer)
    if not parents:
        return None
    if KIND == "extra" and KNOWN:
        extra = [name for parent in parents for name in parent if name not in KNOWN]
        return f"{len(extra)} members that v2 does not have" if extra else ""
    found = [places(parent, [last]) for parent in parents]
    if KIND == "extra":
        return "it is there, and v2 has nothing there" if any(found) else ""
    if KIND == "missing":
        return "" if all(found) else "it is missing"
    types = {type_of(value) for values in found for value in values}
    return None if not types else f"it is {sorted(types)}, and {TYPE} in v2" if types != {TYPE} else ""


def answers():
    """One answer to each form of the call, about a record of its own."""
    key = uuid.uuid4().hex[:16]
    status, made = ask(*[part.replace("<key>", key) for part in MAKE])
    if ASK[:2] == MAKE[:2]:
        yield status, made
        return
    assert status < 300, f"no record could be made: status {status}"
    method, path, body = [part.replace("<key>", key) for part in ASK]
    if REF:
        start, _, end = path.partition("{")
        path = start + made[REF] + end.partition("}")[2]
    for form in FORMS:
        yield ask(method, path + form, body)


def test_<group>():
    seen = []
    for _ in range(TRIES):
        for status, answer in answers():
            assert status == STATUS, f"the answer has status {status} instead of {STATUS}"
            seen.append(wrong(answer))
            assert not seen[-1], f"{POINTER}: {seen[-1]}"
    if set(seen) == {None}:
        pytest.skip(f"no answer has anything at {POINTER}")
'''
