"""Links: one resource, three addresses; whatever is no link of ours or of the platform stays as it is."""

from __future__ import annotations

import pytest

from proxy.mapping.links import Bases, Links

OURS = "https://cdp.shop.example"
V2 = "https://api.platform.example"
V2_1 = "https://api-two.platform.example/gateway"
ALIAS = "https://api.old.example"
LINKS = Links(Bases(OURS, V2, V2_1, (ALIAS,)), "/v2/", "/v2.1/")

PLATFORM = [
    f"{scheme}://{base.partition('://')[2]}{prefix}"
    for scheme in ("http", "https")
    for base in (V2, V2_1, ALIAS)
    for prefix in ("/v2/", "/v2.1/")
]
RESTS = ["", "orders", "orders/", "orders/a-b", "orders?offset=10&limit=10", "orders/x/contacts#top"]


def json_text(text: str, *, slashed: bool = False) -> bytes:
    return ('"' + (text.replace("/", "\\/") if slashed else text) + '"').encode()


@pytest.mark.parametrize("start", PLATFORM)
@pytest.mark.parametrize("rest", RESTS)
@pytest.mark.parametrize("slashed", [False, True])
def test_every_link_of_the_platform_becomes_one_to_us(start: str, rest: str, slashed: bool) -> None:
    assert LINKS.back(json_text(start + rest, slashed=slashed)) == json_text(f"{OURS}/v2/{rest}")
    assert LINKS.text_back(start + rest) == f"{OURS}/v2/{rest}"


@pytest.mark.parametrize("start", [f"{OURS}/v2/", "http://cdp.shop.example/v2/", f"{V2}/v2/", f"{ALIAS}/v2/"])
@pytest.mark.parametrize("rest", RESTS)
@pytest.mark.parametrize("slashed", [False, True])
def test_a_link_of_the_caller_becomes_one_of_the_new_version(start: str, rest: str, slashed: bool) -> None:
    assert LINKS.forward(json_text(start + rest, slashed=slashed)) == json_text(f"{V2_1}/v2.1/{rest}")


def test_a_host_is_the_same_in_any_case() -> None:
    assert LINKS.back(b'"HTTPS://API.Platform.Example/v2/orders"') == json_text(f"{OURS}/v2/orders")


@pytest.mark.parametrize(
    "token",
    [
        b'"https://elsewhere.example/v2.1/orders"',
        b'"https://api.platform.example.evil.example/v2.1/orders"',
        b'"https://api.platform.example/v3/orders"',
        b'"https://api.platform.example"',
        b'"see https://api.platform.example/v2.1/orders"',
        b'"ftp://api.platform.example/v2.1/orders"',
        b'"https:\\/\\/elsewhere.example\\/v2.1\\/"',
        b'""',
        b"null",
        b"17",
        b'{"href":"https://api.platform.example/v2.1/orders"}',
    ],
)
def test_anything_else_is_the_very_same_object(token: bytes) -> None:
    assert LINKS.back(token) is token
    assert LINKS.forward(token) is token


def test_a_link_to_us_is_one_already() -> None:
    token = json_text(f"{OURS}/v2/orders/x")
    assert LINKS.back(token) is token


@pytest.mark.parametrize(
    ("v2", "ours", "same"),
    [
        (f"{V2}/v2/a", f"{OURS}/v2/a", True),
        (f"{V2}/v2/", f"{OURS}/v2/", True),
        (f"{V2_1}/v2.1/a", f"{V2}/v2/a", True),
        (f"{V2}/v2/a", f"{OURS}/v2/b", False),
        (f"{V2}/v2/a", "a", False),
        (f"{V2}/v2/", "", False),
        ("a", f"{OURS}/v2/a", False),
    ],
)
def test_two_links_are_the_same_by_what_follows_base_and_version(v2: str, ours: str, same: bool) -> None:
    assert LINKS.same(json_text(v2), json_text(ours)) is same


@pytest.mark.parametrize("text", ["/v2.1/orders/x", "https://elsewhere.example/v2.1/", "", "orders"])
def test_a_location_that_is_not_the_platforms_stays(text: str) -> None:
    assert LINKS.text_back(text) == text


def test_a_link_of_the_new_version_is_not_taken_for_the_callers() -> None:
    token = json_text(f"{V2_1}/v2.1/orders")
    assert LINKS.forward(token) is token


def test_links_are_one_resource_by_what_follows_base_and_version() -> None:
    starts = [*PLATFORM, f"{OURS}/v2/"]
    assert {LINKS.path_of(json_text(start + "orders/a")) for start in starts} == {"orders/a"}
    assert LINKS.path_of(json_text(V2 + "/v2/orders/b", slashed=True)) == "orders/b"


@pytest.mark.parametrize("token", [b'"https://elsewhere.example/v2/orders"', b"null", b"[]", b'"x"'])
def test_what_is_no_link_of_either_side_names_no_resource(token: bytes) -> None:
    assert LINKS.path_of(token) is None


def test_our_links_in_a_request_to_v2_become_the_platforms_and_no_other_byte_changes() -> None:
    body = b'{"a": "https://cdp.shop.example/v2/orders/1", "b":"https:\\/\\/cdp.shop.example\\/v2\\/orders" , "n": 1.0}'
    expected = (
        b'{"a": "https://api.platform.example/v2/orders/1",'
        b' "b":"https:\\/\\/api.platform.example\\/v2\\/orders" , "n": 1.0}'
    )
    assert LINKS.returned(body) == expected


@pytest.mark.parametrize(
    ("start", "returned"),
    [
        (b"http://cdp.shop.example/v2/", b"https://api.platform.example/v2/"),
        (b"HTTPS://CDP.Shop.Example/v2/", b"https://api.platform.example/v2/"),
        (b"http:\\/\\/cdp.shop.example\\/v2\\/", b"https:\\/\\/api.platform.example\\/v2\\/"),
    ],
)
def test_our_link_may_name_the_other_scheme_and_the_host_in_any_case(start: bytes, returned: bytes) -> None:
    assert LINKS.returned(b'{"n":1.0,"a":"' + start + b'x/"}') == b'{"n":1.0,"a":"' + returned + b'x/"}'


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1}',
        b"",
        b'{"site":"https://cdp.shop.example/V2/orders"}',
        b'{"site":"https://cdp.shop.example.org/v2/orders"}',
        b'{"site":"https://cdp.shop.example/shop"}',
        b"\xff\xfe not even text",
    ],
)
def test_a_request_without_a_link_to_us_is_the_very_same_object(content: bytes) -> None:
    assert LINKS.returned(content) is content


def test_links_in_v2s_own_answer_can_be_turned_to_us() -> None:
    answer = (
        b'[ "https://api.platform.example/v2/orders/1", "http:\\/\\/api.old.example\\/v2\\/orders",'
        b' "https://api.platform.example/v3/x", "https://elsewhere.example/v2/x" ]'
    )
    assert LINKS.adopted(answer) == (
        b'[ "https://cdp.shop.example/v2/orders/1", "https:\\/\\/cdp.shop.example\\/v2\\/orders",'
        b' "https://api.platform.example/v3/x", "https://elsewhere.example/v2/x" ]'
    )


def test_the_way_there_and_back_ends_where_it_began() -> None:
    for rest in RESTS:
        ours = json_text(f"{OURS}/v2/{rest}")
        assert LINKS.back(LINKS.forward(ours)) == ours
