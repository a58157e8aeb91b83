"""From rules to a plan: rules and codecs are gathered by place, then each place becomes a node.

The tree of places follows the contract. A rule that makes a whole place (a drop, a link) takes it over with everything
below; two rules for one output place are a mistake in the mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from proxy.errors import MappingError
from proxy.mapping.codecs import Codec
from proxy.mapping.contract import Schema
from proxy.mapping.model import Rule
from proxy.mapping.nodes import Drop, Elements, Leaf, Node, Object
from proxy.mapping.operations import Blank, Blanks, DropLinks, Link

_BLANKS = ("drop-null", "drop-unset")


@dataclass
class _Place:
    """One place while the tree is being gathered."""

    pointer: str
    schema: Schema | None = None
    rule: Rule | None = None
    children: dict[str, _Place] = field(default_factory=dict)

    def at(self, pointer: str) -> _Place:
        """The place below this one with the given pointer, made when it is new."""
        place = self
        for segment in pointer.split("/")[1:]:
            place = place.children.setdefault(segment, _Place(f"{place.pointer}/{segment}"))
        return place


@dataclass(frozen=True)
class Planner:
    """Makes the plan for one direction of one endpoint.

    `codec` looks a leaf type up and answers `None` where it has nothing to do in this direction. `own` is the member that
    holds a record's own link.
    """

    codec: Callable[[str, bool], Codec | None]
    own: str

    def answer(self, rules: Sequence[Rule], schemas: Sequence[Schema]) -> Node | None:
        """The plan that turns a v2.1 answer into v2's; `None` when nothing is to be done."""
        root = _gather(rules, schemas)
        return self._node(root, forward=False)

    def request(self, rules: Sequence[Rule], schema: Schema) -> Node | None:
        """The plan that turns a v2 request body into v2.1's; `None` when nothing is to be done."""
        blanks: dict[str, str] = {rule.do: rule.id for rule in rules if rule.do in _BLANKS}
        root = _gather([rule for rule in rules if rule.do not in (*_BLANKS, "optional")], [schema])
        plain = {name: self._node(place, forward=True) for name, place in root.children.items()}
        whole = self._body({name: node for name, node in plain.items() if node}, schema)
        if not blanks:
            return whole
        full: dict[str, Node] = {}
        for name, node in plain.items():
            if isinstance(node, Drop | DropLinks):
                full[name] = node
            else:
                full[name] = self._blank(root.children[name], name, blanks, schema, node)
        return Blanks(Object("", tuple(full.items()), frozenset(schema.members)), whole)

    def _body(self, members: Mapping[str, Node], schema: Schema) -> Node | None:
        return Object("", tuple(members.items()), frozenset(schema.members)) if members else None

    def _blank(
        self, place: _Place, name: str, blanks: Mapping[str, str], schema: Schema, inner: Node | None
    ) -> Node:
        timed = place.schema is not None and place.schema.codec == "timestamp"
        unset = blanks.get("drop-unset", "") if timed else ""
        return Blank(place.pointer, blanks.get("drop-null", ""), unset, name in schema.required, inner)

    def _node(self, place: _Place, *, forward: bool) -> Node | None:
        rule = place.rule
        if rule is not None and rule.do in {"drop", "drop-links", "link"}:
            return self._taken_over(place, rule)
        if place.schema is not None and place.schema.codec:
            codec = self.codec(place.schema.codec, forward)
            return Leaf(place.pointer, codec, forward) if codec else None
        if "*" in place.children:
            each = self._node(place.children["*"], forward=forward)
            if rule is not None:
                return Elements(place.pointer, self._reduced(place.children["*"], rule, each), rule.id)
            return Elements(place.pointer, each) if each else None
        return self._object(place, forward=forward)

    def _object(self, place: _Place, *, forward: bool) -> Node | None:
        made = [(name, self._node(child, forward=forward)) for name, child in place.children.items()]
        members = tuple((name, node) for name, node in made if node is not None)
        if place.rule is not None and place.rule.do == "keep-only":
            keep = frozenset(place.rule.members)
            kept = tuple((name, node) for name, node in members if name in keep)
            return Object(place.pointer, kept, frozenset(place.children), keep, place.rule.id)
        if not members:
            return None
        makers = [name for name, node in members if isinstance(node, Elements) and node.creates]
        creates = bool(makers and place.pointer)
        settled = f'{{"{makers[0]}":[]}}'.encode() if creates and len(members) == 1 else b""
        known = frozenset(place.children)
        return Object(place.pointer, members, known, creates=creates, settled=settled)

    def _reduced(self, element: _Place, rule: Rule, each: Node | None) -> Node | None:
        """The element of a collection that keeps only some members."""
        if not rule.members:
            return each
        members = each.members if isinstance(each, Object) else ()
        keep = frozenset(rule.members)
        kept = tuple((name, node) for name, node in members if name in keep)
        return Object(element.pointer, kept, frozenset(element.children), keep, rule.id)

    def _taken_over(self, place: _Place, rule: Rule) -> Node:
        if rule.do == "drop":
            return Drop(place.pointer, rule.id)
        if rule.do == "drop-links":
            message = rule.message.replace("{member}", place.pointer.rpartition("/")[2])
            return DropLinks(place.pointer, rule.id, message, frozenset(rule.members))
        codec = self.codec("href", False)
        if codec is None:
            raise MappingError(f"rule {rule.id}: 'link' needs a codec for the leaf type 'href' in api.toml")
        bare = place.schema is not None and "string" in place.schema.types
        return Link(place.pointer, rule.id, rule.suffix, bare, self.own, codec)


def _gather(rules: Sequence[Rule], schemas: Sequence[Schema]) -> _Place:
    root = _Place("")
    for schema in schemas:
        for pointer, found in schema.walk():
            place = root.at(pointer) if pointer else root
            if place.schema is None or (found.codec and not place.schema.codec):
                place.schema = found
    for rule in rules:
        for pointer in rule.place:
            place = root.at(pointer)
            if place.rule is not None:
                raise MappingError(
                    f"rules {place.rule.id} and {rule.id} both make {pointer}; give each place to one of them"
                )
            place.rule = rule
    return root
