"""An endpoint, compiled: everything that one v2 operation needs to be answered by v2.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from proxy.errors import Fault
from proxy.json import render, token_of
from proxy.mapping.check import Checker
from proxy.mapping.codecs import Codec
from proxy.mapping.contract import Schema
from proxy.mapping.flat import Flat
from proxy.mapping.model import Record
from proxy.mapping.nodes import Node
from proxy.mapping.query import Pairs, QueryPlan
from proxy.types import Answer


@dataclass(frozen=True)
class Refusal:
    """Why an endpoint is never carried to v2.1."""

    fault: Fault
    message: str
    detail: str
    rule: str


@dataclass(frozen=True)
class Join:
    """A further read whose answer goes into the first one."""

    rule: str
    method: str
    template: str
    member: str


@dataclass(frozen=True)
class LookUp:
    """A search for the record that the first call ran into, then a write on it."""

    rule: str
    after: int
    method: str
    template: str
    key: str
    member: str
    items: str
    ref: str
    nearest: str
    within: int
    then_method: str
    then_template: str
    status: int


@dataclass(frozen=True)
class Part:
    """Members of a record that v2.1 keeps in a part of their own, as flat pairs.

    A record has such a part only with these words of v2.1 in these of its members.
    """

    flat: Flat
    only: Sequence[tuple[str, frozenset[str]]]


@dataclass(frozen=True)
class Split(Part):
    """Writing the part once the record stands: calls as method and path template.

    Without `read` there cannot be a part yet. `own` are members of the part that the platform sets.
    """

    read: tuple[str, str] | None
    replace: tuple[str, str]
    create: tuple[str, str]
    own: frozenset[str]
    pairs: int
    message: str


@dataclass(frozen=True)
class Gather(Part):
    """Reading the part of each record in an answer; `way` leads to their list, and is empty for the answer itself."""

    method: str
    template: str
    way: tuple[str, ...]


@dataclass(frozen=True)
class Confirm:
    """Holding the record that v2.1 has against the one that the caller's path names by `parameter`.

    `member` of the answer names v2.1's, or before a write of what `read` (method and path template) answers.
    """

    rule: str
    parameter: str
    member: str
    read: tuple[str, str] | None
    status: int
    message: str

    def answer(self, parameters: Mapping[str, bytes]) -> Answer:
        """An answer of v2.1 that confirms the record of this path, for those who send nothing."""
        name = unquote(parameters[self.parameter].decode("latin-1"))
        return Answer(200, [], render({self.member: token_of(name)}))


@dataclass(frozen=True)
class Frozen:
    """A member that v2.1 never changes, whatever a caller sends."""

    rule: str
    member: str
    codec: Codec

    def same(self, sent: bytes, kept: bytes) -> bool:
        """Whether what v2.1 kept is what was sent, as far as v2.1 tells."""
        return self.codec.same(sent, kept) or self.codec.explains(sent, kept, self.codec.back(kept))


@dataclass(frozen=True)
class Plans:
    """What is done in one case of an endpoint (plain, expanded …)."""

    query: QueryPlan
    request: Node | None
    answer: Node | None
    join: Join | None
    look_up: LookUp | None
    split: Split | None
    gather: Gather | None
    confirm: Confirm | None
    frozen: Sequence[Frozen]

    @property
    def ahead(self) -> int:
        """How many calls go before the one that carries what the caller asks."""
        return int(self.confirm is not None and self.confirm.read is not None)


@dataclass(frozen=True)
class Endpoint:
    """One v2 operation with its v2.1 counterpart.

    `is_write` is true for everything but GET. `cases` holds, for each declared case, the query parameter and the value
    that select it. `status` turns v2.1's statuses into v2's where they differ, and names those that may reach a caller
    although the v2 contract does not know them.
    """

    id: str
    is_write: bool
    v2_method: str
    v2_path: str
    v2_1_method: str
    v2_1_path: str
    plans: Mapping[str, Plans]
    cases: Sequence[tuple[bytes, bytes, str]]
    status: Mapping[int, int]
    refusal: Refusal | None
    check: Checker | None
    """Holds a request body against the v2 contract; `None` when the operation has no body."""
    native_check: Checker | None
    """Holds a translated request body against the v2.1 contract; `None` when the v2.1 operation has no body."""
    answers: Mapping[int, Checker]
    """Hold a v2 answer of that status against the v2 contract."""
    schemas: Mapping[int, Schema]
    statuses: frozenset[int]
    """Every status that the v2 contract knows for the operation, those without a body too."""
    record: Record

    def case(self, pairs: Pairs) -> Plans:
        """The plans for this query."""
        for name, value, case in self.cases:
            if (name, value) in pairs:
                return self.plans[case]
        return self.plans[""]

    def covers(self, pairs: Pairs) -> bool:
        """Whether the mapping knows every parameter of the query, and every value of those that select a case."""
        known = self.plans[""].query.parameters
        return all(name in known and self._selects(name, value) for name, value in pairs)

    def _selects(self, name: bytes, value: bytes | None) -> bool:
        values = [one for parameter, one, _ in self.cases if parameter == name]
        return not values or value in values
