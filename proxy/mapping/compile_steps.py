"""Compiling the steps of an endpoint: what it calls beyond its first call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy.json import text_of, token_of
from proxy.mapping import endpoint as ready
from proxy.mapping.codecs import Codec, Plain
from proxy.mapping.contract import Contract, Operation, Schema
from proxy.mapping.flat import Flat
from proxy.mapping.model import Record, Step

_ITEMS = "items"
_REF = "ref"


@dataclass(frozen=True)
class ReadySteps:
    """The steps of one case; there is at most one of each kind."""

    join: ready.Join | None = None
    look_up: ready.LookUp | None = None
    split: ready.Split | None = None
    gather: ready.Gather | None = None
    confirm: ready.Confirm | None = None


@dataclass(frozen=True)
class Steps:
    """What the steps of an endpoint are compiled with; `v2` is missing where v2 does not document it."""

    record: Record
    v2: Operation | None
    v2_1: Contract
    codecs: Mapping[str, Codec]

    def of_case(self, steps: Sequence[Step]) -> ReadySteps:
        """The steps of one case."""
        kinds = {one.kind: one for one in reversed(steps)}
        join, look_up, split, gather, confirm = (
            kinds.get(one) for one in ("join", "look-up", "split", "gather", "confirm")
        )
        return ReadySteps(
            join=_join(join) if join else None,
            look_up=self._look_up(look_up) if look_up else None,
            split=self._split(split) if split else None,
            gather=self._gather(gather) if gather else None,
            confirm=self._confirm(confirm) if confirm else None,
        )

    def _look_up(self, step: Step) -> ready.LookUp:
        method, template = _call(step.call)
        then_method, then_template = _call(step.then)
        return ready.LookUp(
            rule=step.id,
            after=step.after,
            method=method,
            template=template,
            key=self.record.query,
            member=self.record.body,
            items=_ITEMS,
            ref=_REF,
            nearest=step.nearest,
            within=step.within,
            then_method=then_method,
            then_template=then_template,
            status=step.status,
        )

    def _split(self, step: Step) -> ready.Split:
        schema = (self.v2.request if self.v2 else None) or Schema()
        flat, only = self._part(step, schema)
        part = self.v2_1.called(step.call) if step.call else None
        answers = [one for status, one in part.answers.items() if one and status < 300] if part else []
        return ready.Split(
            flat=flat,
            only=only,
            read=_call(step.call) if step.call else None,
            replace=_call(step.then),
            create=_call(step.create),
            own=frozenset(name for one in answers for name in one.members),
            pairs=step.pairs,
            message=step.message,
        )

    def _gather(self, step: Step) -> ready.Gather:
        way = tuple(step.place.split("/")[1:])
        schema = next((one for status, one in self._answers() if status < 300), Schema())
        for name in way:
            schema = schema.members.get(name, Schema())
        flat, only = self._part(step, schema.items or Schema() if way else schema)
        method, template = _call(step.call)
        return ready.Gather(flat=flat, only=only, method=method, template=template, way=way)

    def _confirm(self, step: Step) -> ready.Confirm:
        member = step.place.removeprefix("/")
        read = _call(step.call) if step.call else None
        return ready.Confirm(step.id, self.record.path, member, read, step.status, step.message)

    def _answers(self) -> list[tuple[int, Schema]]:
        return [(status, one) for status, one in self.v2.answers.items() if one] if self.v2 else []

    def _part(self, step: Step, record: Schema) -> tuple[Flat, list[tuple[str, frozenset[str]]]]:
        """The members of a part, and the words of v2.1 with which a record has one."""
        known = {name: record.members.get(name, Schema()) for name in (*step.members, *step.only)}
        lists = frozenset(name for name in step.members if known[name].items is not None)
        only = [(name, self._words(known[name].codec, words)) for name, words in step.only.items()]
        return Flat(step.id, tuple(step.members), lists), only

    def _words(self, leaf: str, words: Sequence[str]) -> frozenset[str]:
        codec = self.codecs.get(leaf, Plain())
        return frozenset(text_of(codec.forward(bytes(token_of(one)))) for one in words)


def _join(step: Step) -> ready.Join:
    method, template = _call(step.call)
    return ready.Join(step.id, method, template, step.place.removeprefix("/"))


def _call(call: str) -> tuple[str, str]:
    method, _, template = call.partition(" ")
    return method, template
