"""Everything that can go wrong, in one screen.

    CrossfadeError
    ├── ConfigError        the operator's file, environment or command: one line with place and way out
    ├── MappingError       a file under mappings/ does not hold together
    ├── Refused            the caller's request is not acceptable: answered in v2 shape, nothing was sent
    ├── Untranslatable     an upstream answer cannot be said in v2's words
    ├── StoreError         the store of evidence cannot be used: carries a word for why; traffic goes on
    └── UpstreamFailed     an upstream did not answer properly: carries its outcome

What a caller sees is always a `Fault` out of the table below, dressed in v2's error shape by the mapping. Texts never
hold a value from a request: they name places, types and rules.
"""

from __future__ import annotations

from enum import Enum

from proxy.types import Outcome


class Fault(Enum):
    """A stable code that a caller can meet, and the HTTP status that goes with it (documented in docs/errors.md)."""

    TARGET = ("CF-TARGET", 400)
    """The request target is not in a form that two parsers would read alike."""
    HEADERS = ("CF-HEADERS", 400)
    """The header section is ambiguous (say, two credentials)."""
    JSON = ("CF-JSON", 400)
    """The body is not JSON that can be read without guessing."""
    DUPLICATE = ("CF-DUPLICATE", 400)
    """A member that has to be understood stands twice in one object."""
    FIELD = ("CF-FIELD", 400)
    """A member breaks the v2 contract: missing, wrong type, unknown value."""
    QUERY = ("CF-QUERY", 400)
    """A query parameter breaks the v2 contract or cannot be said in v2.1."""
    UNTRANSLATABLE = ("CF-UNTRANSLATABLE", 400)
    """The request is right in v2 but has no counterpart in v2.1."""
    NOT_FOUND = ("CF-NOT-FOUND", 404)
    """The path is no part of the API that is being carried."""
    METHOD = ("CF-METHOD", 405)
    """The path is known, the method is not."""
    HEAD_TIMEOUT = ("CF-HEAD-TIMEOUT", 408)
    """The request's header section did not arrive in time."""
    BODY_TIMEOUT = ("CF-BODY-TIMEOUT", 408)
    """The request body did not arrive in time."""
    TOO_LARGE = ("CF-TOO-LARGE", 413)
    """The request body is larger than the configured limit."""
    TARGET_LENGTH = ("CF-TARGET-LENGTH", 414)
    """The request target is longer than the configured limit."""
    CODING = ("CF-CODING", 415)
    """The request body has a content coding that is not read here."""
    HEAD_TOO_LARGE = ("CF-HEAD-TOO-LARGE", 431)
    """The request's header section is larger than the configured limit."""
    INTERNAL = ("CF-INTERNAL", 500)
    """A mistake in crossfade itself."""
    UNMAPPED = ("CF-UNMAPPED", 501)
    """No mapping covers this call, and v2 is no longer called."""
    UNREACHABLE = ("CF-UNREACHABLE", 502)
    """The platform could not be reached; nothing was sent."""
    BROKEN = ("CF-BROKEN", 502)
    """The connection failed while the platform may already have been working."""
    BAD_ANSWER = ("CF-BAD-ANSWER", 502)
    """The platform's answer is not proper HTTP, or cannot be translated."""
    OVERLOADED = ("CF-OVERLOADED", 503)
    """Too much is in flight here, or the proxy is draining."""
    JOURNAL = ("CF-JOURNAL", 503)
    """The write could not be entered in the journal, and none is to be sent without that."""
    TIMEOUT = ("CF-TIMEOUT", 504)
    """The platform did not answer in time."""
    LOOP = ("CF-LOOP", 508)
    """The request has already passed through this proxy."""

    def __init__(self, code: str, status: int) -> None:
        self.code = code
        self.status = status


class CrossfadeError(Exception):
    """The root: everything that this program raises on purpose."""


class ConfigError(CrossfadeError):
    """A configuration that cannot be used; its text is one line for the operator."""


class MappingError(CrossfadeError):
    """A mapping that does not hold together; its text names file, rule and way out."""


class Refused(CrossfadeError):  # noqa: N818 - the word of the field; every refusal is an error already
    """A request that is answered with a fault before anything was sent.

    `message` is short and in v2's own manner ("price: may not be null."); `detail` names cause, place and way out;
    `pointer` is the place in the caller's body, `rule` the id of the rule that refuses.
    """

    def __init__(
        self, fault: Fault, message: str, detail: str = "", *, pointer: str = "", rule: str | None = None
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.detail = detail or message
        self.pointer = pointer
        self.rule = rule


class Untranslatable(CrossfadeError):  # noqa: N818 - see Refused
    """An upstream answer that cannot be said in v2's words; `rule` names who gave up."""

    def __init__(self, message: str, *, pointer: str = "", rule: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.rule = rule


class StoreError(CrossfadeError):
    """A store of evidence that cannot be used; `trouble` is a word for why (docs/store.md), never a text of the database."""

    def __init__(self, message: str, trouble: str) -> None:
        super().__init__(message)
        self.trouble = trouble


class UpstreamFailed(CrossfadeError):  # noqa: N818 - see Refused
    """An attempt to call an upstream that ended without a usable answer."""

    def __init__(self, outcome: Outcome, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.fault = fault
        self.detail = detail
