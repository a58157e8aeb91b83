"""The mapping, changed in one word at a time: a law or a hand-written golden must notice every change.

`python -m tests.laws.mutants [folder [file …]]` prints each change, who noticed it, and the share; it ends with 1
unless every change that still makes a mapping was noticed.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

import msgspec

from proxy.errors import MappingError
from proxy.mapping.api import Source
from proxy.mapping.model import Api, Resource, Values
from tests.laws import goldens
from tests.laws.alterations import Alteration, Files, alterations
from tests.laws.cases import Case
from tests.laws.documents import ROW, Dice
from tests.laws.ledger import Ledger
from tests.laws.registry import Law, discovered
from tests.laws.world import World, world
from tests.mapping.goldens import Golden

FOLDER = Path(__file__).parents[2] / "mappings"
EXAMPLES = 150
"""Examples for each law and endpoint; the same in every run."""
EQUAL = {
    "message error/member/2/value = 'detail'": "a member finds the text under its own name first",
    "rule.when of orders.create.guest-ignored": "the refusal stands before it and sees the parameter first",
    "rule.when of orders.list.filters-guest": "the other two rules about the filters stand before it and leave it one",
    "rule.case of orders.get.expanded-items-link": "an order that is not expanded has no page of items",
    "rule.case of orders.list.expanded-contacts": "a list that is not expanded keeps links only",
    "rule.case of orders.list.expanded-consumers": "a list that is not expanded keeps links only",
    "rule.case of orders.list.expanded-order-items": "a list that is not expanded keeps links only",
    "rule.case of items.list.expanded-names": "a list that is not expanded keeps links only",
    "rule.case of orders.get.expanded-names": "an order that is not expanded has no page of items",
    "rule.at of orders.point-of-sale": "a requirement is lifted wherever the rule stands",
}
"""Changes that make another text and the same mapping, each with its reason; `when` and `case`: taken away."""


@dataclass(frozen=True)
class Bench:
    """The unchanged mapping with everything that judges a changed one."""

    files: Files
    world: World
    cases: list[tuple[Law, str, list[Case]]]
    goldens: list[Golden]

    def source(self, files: Files) -> Source:
        """The mapping that changed files make; raises `MappingError` or `ValidationError` when they make none."""
        api = msgspec.convert(files["api.toml"], Api)
        return Source(
            api=api,
            values=msgspec.convert(files[api.values], Values),
            resources=[msgspec.convert(files[one], Resource) for one in api.resources],
            v2=self.world.source.v2,
            v2_1=self.world.source.v2_1,
        )

    def changed(self, files: Files) -> World:
        """The same as the laws see it; raises `MappingError` too, which further switches may do later."""
        made = World(self.source(files), self.world.maxima)
        made.mapping(())
        return made

    def noticed(self, changed: World, endpoints: frozenset[str]) -> str:
        """The first that fails: a golden, sooner one of these endpoints, then a law; empty when all hold."""
        return self._golden(changed, endpoints) or self._law(changed, endpoints)

    def _law(self, changed: World, endpoints: frozenset[str]) -> str:
        for law, endpoint, cases in self.cases:
            if endpoints and endpoint not in endpoints:
                continue
            for case in cases:
                try:
                    law.hold(changed, changed.sides[endpoint], case, Ledger())
                except MappingError:
                    raise
                except Exception as failure:  # noqa: BLE001 - whatever a law raises is its failure
                    return f"law {law.name} {endpoint}: {str(failure)[:90]}"
        return ""

    def _golden(self, changed: World, endpoints: frozenset[str]) -> str:
        with goldens.judged_over(changed):
            for golden in sorted(self.goldens, key=lambda one: one.endpoint not in endpoints):
                try:
                    goldens.judge(golden)
                except MappingError:
                    raise
                except Exception:  # noqa: BLE001 - whatever a golden raises is its failure
                    return f"golden {golden}"
        return ""


def bench(folder: Path) -> Bench:
    """Read a folder and draw the examples of every law, always the same."""
    shipped, chance = world(folder), Random(20)
    names = ["api.toml", shipped.source.api.values, *shipped.source.api.resources]
    files = {name: tomllib.loads((folder / name).read_text("utf-8")) for name in names}
    cases = [
        (law, side.spec.id, [law.make(Dice(chance.randbytes(ROW)), shipped, side) for _ in range(EXAMPLES)])
        for law, side in discovered(shipped)
    ]
    return Bench(files, shipped, cases, goldens.read(folder))


def judge(one: Alteration, ready: Bench) -> tuple[str, str]:
    """`killed`, `survived` or `refused` (by the loader, which does not count), and who did it."""
    try:
        changed = ready.changed(one.applied(ready.files))
        if str(one) in EQUAL or one.taken in EQUAL:
            return "equal", EQUAL.get(str(one)) or EQUAL[one.taken]
        by = ready.noticed(changed, one.endpoints)
    except (MappingError, msgspec.ValidationError) as no:
        return "refused", str(no)
    return ("killed" if by else "survived"), by


_benches: list[Bench] = []
"""What the processes that judge were forked with; laws cannot be sent to them."""


def _judged(one: Alteration) -> tuple[str, str]:
    return judge(one, _benches[0])


def main(folder: Path = FOLDER, only: Sequence[str] = ()) -> int:
    """Judge every alteration, or those of some files; 0 only when none survived."""
    ready = bench(folder)
    failing = ready.noticed(ready.changed(ready.files), frozenset())
    if failing:
        sys.stdout.write(f"the mapping as it is fails already: {failing}\n")
        return 1
    counts = {"killed": 0, "survived": 0, "refused": 0, "equal": 0}
    chosen = [one for one in alterations(ready.files) if not only or one.file in only]
    _benches[:] = [ready]
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        for one, (verdict, by) in zip(chosen, pool.map(_judged, chosen), strict=True):
            counts[verdict] += 1
            sys.stdout.write(f"{verdict:<9} {one}: {by}\n")
            sys.stdout.flush()
    judged = counts["killed"] + counts["survived"]
    rate = 100 * counts["killed"] / judged if judged else 0
    sys.stdout.write(
        f"\n{judged} mutants, {counts['killed']} killed, {counts['survived']} survived: kill rate {rate:.1f} %"
        f" (besides, {counts['refused']} were refused by the loader, {counts['equal']} change nothing)\n"
    )
    return 0 if judged and not counts["survived"] else 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER, sys.argv[2:]))
