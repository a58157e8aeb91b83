"""The words of the mapping files, as strict frozen structs: what may stand in a TOML file under `mappings/`.

A member that is not listed here is an error when the file is loaded. Every rule, table entry and step has an `id`, one
sentence (`says`) and an evidence `grade` (F§0); where it loses something it also has a `loss` code and a `reason`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from proxy.errors import MappingError

Grade: TypeAlias = Literal["A", "B", "C", "D"]
Setting: TypeAlias = str | int


def chosen(compat: Mapping[str, Setting], name: str, where: str) -> Setting:
    """The value of a switch that the declaration `where` reads; raises `MappingError` when there is no such switch."""
    if name not in compat:
        raise MappingError(
            f"{where}: there is no switch '{name}' under [compat]; there are {', '.join(compat)}"
        )
    return compat[name]


def holds(compat: Mapping[str, Setting], when: Mapping[str, Setting], where: str) -> bool:
    """Whether every switch has the value that the declaration `where` asks for."""
    return all(chosen(compat, name, where) == value for name, value in when.items())


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    pass


class Claim(_Strict, frozen=True, kw_only=True):
    """What every declaration says about itself."""

    id: str
    says: str
    grade: Grade
    when: dict[str, Setting] = {}
    """`[compat]` switches that must have these values, else the declaration is not there."""
    case: str = ""
    """A case of the endpoint in which it holds (`expanded`), or does not (`!expanded`); empty means always."""
    loss: str = ""
    reason: str = ""
    quiet: bool = False
    """A loss that takes nothing a v2 caller could miss: it is counted, not logged each time."""


class Rule(Claim, frozen=True, kw_only=True):
    """One output place (or several that are treated alike) and the operation that makes it."""

    on: list[str]
    at: Literal["request", "answer", "both", "query"]
    """Which document it is about; `both` stands for the request and, the other way round, the answer."""
    place: list[str]
    """v2's pointers into the document, `*` for array places; or names of query parameters."""
    do: Literal[
        "rename", "constant", "default",  # both
        "drop", "drop-links", "drop-null", "drop-unset", "optional",  # request bodies
        "keep-only", "collection", "link", "frozen",  # answers
        "refuse",  # request bodies and queries
        "clamp", "one-of",  # queries
    ]  # fmt: skip
    native: str = ""
    """`rename`: v2.1's pointer for the place."""
    value: str | bool | None = None
    """`constant`: what v2 carries and v2.1 does not. `default`: what v2.1 gets where v2 gives nothing."""
    sources: list[str] = []
    members: list[str] = []
    """`default`: `sources` beside it, the first of which serves instead of `value`. Else: `members` that stay."""
    suffix: str = ""
    cut: str = ""
    """`link`: what follows the record's own link, cut of this end; `{ref}` is a member beside it."""
    maximum: int = 0
    """`clamp`: the largest number that passes. `default`: the longest text that is made up, in UTF-16 units."""
    message: str = ""
    """What a caller reads when the operation refuses; in v2's own short manner."""
    prefer: str = ""
    """`one-of`: the parameter that wins; empty refuses."""


class Case(_Strict, frozen=True):
    """A named condition on the caller's query."""

    query: str
    equals: str


class Refusal(_Strict, frozen=True):
    """An endpoint that v2 may answer but that must not be carried to v2.1."""

    when: dict[str, Setting]
    fault: str
    message: str
    detail: str


class Endpoint(_Strict, frozen=True, kw_only=True):
    """One v2 operation and its counterpart; rules and steps name it by `id`."""

    id: str
    says: str
    grade: Grade
    v2: str
    v2_1: str
    cases: dict[str, Case] = {}
    status: dict[str, Setting] = {}
    """v2.1 status to v2 status: a number, or the name of the switch that holds it. Others pass.

    A status that stands here may reach the caller even if the v2 contract does not know it.
    """
    refuse: Refusal | None = None
    undocumented: bool = False
    """The v2 contract does not know this operation (it is declared only to be decided about)."""


class Step(Claim, frozen=True, kw_only=True):
    """A further upstream call.

    `join` reads more (`call`) and puts it into the answer at `place`. `look-up` finds a record when the first answer has the
    status `after`: the one whose timestamp `nearest` is at most `within` seconds away; then it writes the first body to it
    (`then`), and a success is answered as v2.1's `status`. `split` writes `members` of the request to a part of the record,
    as at most so many flat `pairs`, once the record stands: `create` makes the part, `then` replaces what `call` found there.
    `gather` reads them from there (`call`), for the answer or for each element of the list at `place`. Only records have
    such a part whose members have the words in `only` (v2's); others are refused with `message`. `confirm` ends a call with
    `status` and `message` where the answer, or before a write that to `call`, names another record at `place` than the path.
    """

    on: str
    kind: Literal["join", "look-up", "split", "gather", "confirm"]
    call: str = ""
    place: str = ""
    members: list[str] = []
    only: dict[str, list[str]] = {}
    create: str = ""
    pairs: int = 0
    message: str = ""
    after: int = 0
    nearest: str = ""
    within: int = 0
    then: str = ""
    status: int = 0


class Record(_Strict, frozen=True):
    """Where the name of the record stands: path parameter, body member, query parameter, stamp member.

    `parent` is the path parameter that names the record which this one belongs to. Where it stands in the path it is the
    key, so that all calls about one parent stay together. A record without a name of its own in bodies or queries has none.
    `created` is the member of an answer that says when the record was made, and `link` the one with its own address;
    both are for the evidence alone, which can say less without them.
    """

    path: str
    stamp: str
    body: str = ""
    query: str = ""
    parent: str = ""
    created: str = ""
    link: str = "href"


class Resource(_Strict, frozen=True, kw_only=True):
    """One resource file."""

    name: str
    says: str
    record: Record
    endpoint: list[Endpoint]
    rule: list[Rule] = []
    step: list[Step] = []


class Entry(Claim, frozen=True, kw_only=True):
    """One value of a value table: `v2` and `v2-1` name each other; `direction` limits it to one way."""

    v2: str
    v2_1: str
    direction: Literal["both", "back"] = "both"


class Table(_Strict, frozen=True, kw_only=True):
    """The values of one codec type that differ between the versions; all others pass as they are."""

    type: str
    says: str
    entry: list[Entry]


class Values(_Strict, frozen=True):
    """`values.toml`: all value tables."""

    table: list[Table]


class Codec(Claim, frozen=True, kw_only=True):
    """What a built-in codec does with the leaves of its type, for the guide and for explain."""

    type: str


class Switch(_Strict, frozen=True):
    """One key of `[compat]`: the values it may have, the default, and which rules read it."""

    values: list[Setting]
    default: Setting
    says: str


class ErrorMember(_Strict, frozen=True, kw_only=True):
    """One member of v2's error body, in order; `value` says what fills it."""

    name: str
    value: Literal["status", "message", "detail", "link"]
    source: list[str] = []
    """The v2.1 members that may hold it; the first that is there wins."""
    when: dict[str, list[Setting]] = {}


class ErrorTemplate(_Strict, frozen=True):
    """v2's error body, for translated errors and for our own."""

    link: str
    member: list[ErrorMember]


class Side(_Strict, frozen=True):
    """One version: its contract file and the path prefix under which it is served."""

    contract: str
    prefix: str


class Api(_Strict, frozen=True, kw_only=True):
    """`api.toml`: what all resources share."""

    v2: Side
    v2_1: Side
    resources: list[str]
    family: list[str]
    """Path beginnings of the calls that the mappings are about, covered by an endpoint or not."""
    values: str
    codec: list[Codec]
    error: ErrorTemplate
    compat: dict[str, Switch]
