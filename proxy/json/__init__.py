"""Documents without values: reading, editing and writing JSON token by token."""

from proxy.json.check import MAX_DEPTH, check_document, check_text
from proxy.json.document import child, member_reader, one_member, open_array, open_object, walk
from proxy.json.numbers import equal_numbers
from proxy.json.tokens import Kind, Node, Token, is_null, kind, render, text_of, token_of

__all__ = [
    "MAX_DEPTH",
    "Kind",
    "Node",
    "Token",
    "check_document",
    "check_text",
    "child",
    "equal_numbers",
    "is_null",
    "kind",
    "member_reader",
    "one_member",
    "open_array",
    "open_object",
    "render",
    "text_of",
    "token_of",
    "walk",
]
