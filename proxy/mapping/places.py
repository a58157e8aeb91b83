"""From rules to a plan: rules and codecs are gathered by place, then each place becomes a node.

The tree of places follows the contract. A rule that makes a whole place (a drop, a link) takes it over with everything
below; a rename hangs at the nearest object that holds both of its ends. Two rules for one place are a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from proxy.errors import MappingError
from proxy.json import render
from proxy.mapping.codecs import Codec
from proxy.mapping.contract import Schema
from proxy.mapping.defaults import Constant, Default, Hidden, Restored
from proxy.mapping.model import Rule
from proxy.mapping.moves import Move, Way
from proxy.mapping.nodes import Drop, Elements, Leaf, Node, Object
from proxy.mapping.operations import Blank, Blanks, DropLinks, Link, Refusing

_BLANKS = ("drop-null", "drop-unset")
_ELSEWHERE = (*_BLANKS, "optional")


@dataclass
class _Place:
    """One place while the tree is being gathered."""

    pointer: str
    schema: Schema | None = None
    required: bool = False
    rule: Rule | None = None
    renames: list[tuple[Way, Way, Rule]] = field(default_factory=list)
    children: dict[str, _Place] = field(default_factory=dict)

    def at(self, way: Sequence[str]) -> _Place:
        """The place at the end of a way from here, made when it is new."""
        place = self
        for name in way:
            place = place.children.setdefault(name, _Place(f"{place.pointer}/{name}"))
        return place


@dataclass(frozen=True)
class Planner:
    """Makes the plans of one endpoint.

    `codec` looks a leaf type up and answers `None` where it has nothing to do in this direction. `own` is the member that
    holds a record's own link.
    """

    codec: Callable[[str, bool], Codec | None]
    own: str

    def answer(self, rules: Sequence[Rule], schemas: Sequence[Schema]) -> Node | None:
        """The plan that turns a v2.1 answer into v2's; `None` when nothing is to be done."""
        return _Side(self, forward=False, blanks={}).node(_gather(rules, schemas, forward=False))

    def request(self, rules: Sequence[Rule], schema: Schema) -> Node | None:
        """The plan that turns a v2 request body into v2.1's; `None` when nothing is to be done."""
        blanks: dict[str, str] = {rule.do: rule.id for rule in rules if rule.do in _BLANKS}
        root = _gather([rule for rule in rules if rule.do not in _ELSEWHERE], [schema], forward=True)
        plain = _Side(self, forward=True, blanks={}).node(root)
        full = _Side(self, forward=True, blanks=blanks).node(root) if blanks else None
        return Blanks(full, plain) if full else plain


@dataclass(frozen=True)
class _Side:
    """One direction: places become nodes."""

    planner: Planner
    forward: bool
    blanks: Mapping[str, str]

    def node(self, place: _Place) -> Node | None:
        """What is to be done at a place and below."""
        rule = place.rule
        if rule is not None and rule.do in {"drop", "drop-links", "link", "refuse"}:
            return self._taken_over(place, rule)
        made = self._blank(place, self._inside(place))
        if rule is None or rule.do not in {"constant", "default"}:
            return made
        value = render(rule.value)  # a scalar of TOML is a scalar of JSON
        if rule.do == "constant":
            if self.forward:
                return self._blank(place, Constant(place.pointer, rule.id, value))
            return Restored(place.pointer, rule.id, value)
        if self.forward:
            return Default(place.pointer, rule.id, value, tuple(rule.sources), made, rule.maximum)
        return Hidden(place.pointer, rule.id, value, tuple(rule.sources), made, rule.maximum)

    def _inside(self, place: _Place) -> Node | None:
        if place.schema is not None and place.schema.codec:
            codec = self.planner.codec(place.schema.codec, self.forward)
            if codec is None:
                return None
            return Leaf(place.pointer, codec, codec.forward if self.forward else codec.back)
        if "*" in place.children:
            each, rule = self.node(place.children["*"]), place.rule
            if rule is not None:
                return Elements(place.pointer, self._reduced(place.children["*"], rule, each), rule.id)
            return Elements(place.pointer, each) if each else None
        return self._object(place)

    def _blank(self, place: _Place, made: Node | None) -> Node | None:
        """A known member of a request may say nothing, where the endpoint has the policy."""
        if not self.blanks or not place.pointer or place.pointer.endswith("*") or place.schema is None:
            return made
        unset = self.blanks.get("drop-unset", "") if place.schema.codec == "timestamp" else ""
        return Blank(place.pointer, self.blanks.get("drop-null", ""), unset, place.required, made)

    def _object(self, place: _Place) -> Node | None:
        moves = tuple(self._move(place, source, target, rule) for source, target, rule in place.renames)
        away = {source[0] for source, _, _ in place.renames if len(source) == 1}
        made = [(name, self.node(child)) for name, child in place.children.items() if name not in away]
        members = tuple((name, node) for name, node in made if node is not None)
        known = frozenset(place.children)
        if place.rule is not None and place.rule.do == "keep-only":
            keep = frozenset(place.rule.members)
            kept = tuple((name, node) for name, node in members if name in keep)
            return Object(place.pointer, kept, known, moves, keep, place.rule.id)
        if not members and not moves:
            return None
        makers = [name for name, node in members if isinstance(node, Elements) and node.creates]
        creates = bool(makers and place.pointer)
        settled = f'{{"{makers[0]}":[]}}'.encode() if creates and len(members) == 1 and not moves else b""
        return Object(place.pointer, members, known, moves, creates=creates, settled=settled)

    def _move(self, place: _Place, source: Way, target: Way, rule: Rule) -> Move:
        return Move(source, target, rule.place[0], rule.id, self.node(place.at(source)))

    def _reduced(self, element: _Place, rule: Rule, each: Node | None) -> Node | None:
        """The element of a collection that keeps only some members."""
        if not rule.members:
            return each
        members = each.members if isinstance(each, Object) else ()
        keep = frozenset(rule.members)
        kept = tuple((name, node) for name, node in members if name in keep)
        return Object(element.pointer, kept, frozenset(element.children), (), keep, rule.id)

    def _taken_over(self, place: _Place, rule: Rule) -> Node | None:
        if rule.do == "refuse":
            return self._blank(place, Refusing(place.pointer, rule.id, _named(rule, place), rule.says))
        if rule.do == "drop":
            return Drop(place.pointer, rule.id)
        if rule.do == "drop-links":
            return DropLinks(place.pointer, rule.id, _named(rule, place), frozenset(rule.members))
        codec = self.planner.codec("href", False)
        if codec is None:
            raise MappingError(f"rule {rule.id}: 'link' needs a codec for the leaf type 'href' in api.toml")
        bare = place.schema is not None and "string" in place.schema.types
        return Link(place.pointer, rule.id, rule.suffix, bare, self.planner.own, codec, rule.cut)


def _named(rule: Rule, place: _Place) -> str:
    """What a caller reads, with the name of the member."""
    return rule.message.replace("{member}", place.pointer.rpartition("/")[2])


def _gather(rules: Sequence[Rule], schemas: Sequence[Schema], *, forward: bool) -> _Place:
    root = _Place("")
    for schema in schemas:
        _follow(root, schema)
    for rule in rules:
        for pointer in rule.place:
            if rule.do == "rename":
                _rename(root, rule, pointer, forward=forward)
                continue
            place = root.at(pointer.split("/")[1:])
            if place.rule is not None:
                raise MappingError(
                    f"rules {place.rule.id} and {rule.id} both make {pointer}; give each place to one of them"
                )
            place.rule = rule
    return root


def _follow(place: _Place, schema: Schema) -> None:
    if place.schema is None or (schema.codec and not place.schema.codec):
        place.schema = schema
    for name, member in schema.members.items():
        child = place.at((name,))
        child.required = child.required or name in schema.required
        _follow(child, member)
    if schema.items is not None:
        _follow(place.at(("*",)), schema.items)


def _rename(root: _Place, rule: Rule, pointer: str, *, forward: bool) -> None:
    """Hang a rename at the nearest object that holds both ends."""
    ours, theirs = pointer.split("/")[1:], rule.native.split("/")[1:]
    shared = 0
    while shared < min(len(ours), len(theirs)) - 1 and ours[shared] == theirs[shared]:
        shared += 1
    source, target = (ours, theirs) if forward else (theirs, ours)
    if "*" in source[shared:] or "*" in target[shared:]:
        raise MappingError(
            f"rule {rule.id}: {pointer} and {rule.native} part above an array; rename inside one element"
        )
    root.at(ours[:shared]).renames.append((tuple(source[shared:]), tuple(target[shared:]), rule))
