"""The lint of a mapping: everything about it that does not hold together."""

from proxy.mapping.lint.judge import faults, findings

__all__ = ["faults", "findings"]
