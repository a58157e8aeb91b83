# ruff: noqa: E501 - one row for each mistake reads best
"""Mistakes seeded into copies of the mappings: each is found and named, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.errors import MappingError
from proxy.mapping.api import Source, load, read
from proxy.mapping.lint import findings
from proxy.mapping.lint.finding import Finding
from tests.mapping.seeding import FOLDER, LEAF, Seed, members, operation, rule, seeded

R, V, A, X = "orders.toml", "values.toml", "api.toml", "accepted.toml"
I, E = "items.toml", "extensions.toml"  # noqa: E741 - one letter for each file
V2, V21 = "contracts/v2.json", "contracts/v2_1.json"

NAMES = [
    Seed("an id twice", R, ('id = "orders.unset-times"', 'id = "orders.nulls"'), "reference", "orders.nulls", "already"),
    Seed("an id of an endpoint for a rule", R, ('id = "orders.nulls"', 'id = "orders.get"'), "reference", "orders.get", "already"),
    Seed("an unknown endpoint", R, ('on = ["orders.get"]\nat = "query"', 'on = ["orders.got"]\nat = "query"'), "reference", "orders.get.expand", "did you mean 'orders.get'"),
    Seed("a step on an unknown endpoint", R, ('on = "orders.create"', 'on = "orders.creat"'), "reference", "orders.create.conflict", "did you mean 'orders.create'"),
    Seed("an unknown case", R, ('suffix = "?expand=orderItems"\ncase = "expanded"', 'suffix = "?expand=orderItems"\ncase = "expandet"'), "reference", "orders.get.expanded-link", "did you mean 'expanded'"),
    Seed("an unknown switch", R, ("when = { point_of_sale", "when = { point_of_sales"), "reference", "orders.point-of-sale", "did you mean 'point_of_sale'"),
    Seed("a value that no switch has", R, ('when = { guest_ref = "ignore" }', 'when = { guest_ref = "ignored" }'), "reference", "orders.create.guest-ignored", "'refuse' or 'ignore'"),
    Seed("an unknown switch in a table", V, ("when = { new_statuses", "when = { new_status"), "reference", "values.status.browsed", "did you mean 'new_statuses'"),
    Seed("an unknown switch in the error body", A, ('when = { error_link = ["both", "moreInfo"] }', 'when = { error_linc = ["both", "moreInfo"] }'), "reference", "error.moreInfo", "did you mean 'error_link'"),
    Seed("an unknown value in the error body", A, ('["both", "moreInfo"]', '["both", "more"]'), "reference", "error.moreInfo", "'more'"),
    Seed("an unknown switch at an accepted entry", X, ("when = { new_statuses", "when = { new_state"), "reference", "accepted.new-statuses-passed", "did you mean 'new_statuses'"),
    Seed("an unknown switch at a refusal", R, ('when = { order_delete', 'when = { order_deletes'), "reference", "orders.delete", "did you mean 'order_delete'"),
    Seed("an unknown fault", R, ('"CF-METHOD"', '"CF-METHODS"'), "reference", "orders.delete", "did you mean 'CF-METHOD'"),
    Seed("an operation that v2 does not have", R, ('v2 = "POST /v2/orders/{orderRef}"', 'v2 = "PUT /v2/orders/{orderRef}"'), "reference", "orders.update", "POST /v2/orders/{orderRef}"),
    Seed("an operation that v2.1 does not have", R, ('v2-1 = "POST /v2.1/orders"', 'v2-1 = "POST /v2.1/order"'), "reference", "orders.create", "did you mean 'POST /v2.1/orders'"),
    Seed("documented but called undocumented", R, ('v2-1 = "GET /v2.1/orders"', 'v2-1 = "GET /v2.1/orders"\nundocumented = true'), "reference", "orders.list", "remove undocumented"),
    Seed("two endpoints for one operation", R, '\n[[endpoint]]\nid = "orders.again"\nsays = "So."\ngrade = "A"\nv2 = "POST /v2/orders"\nv2-1 = "POST /v2.1/orders"\n', "reference", "orders.again", "orders.create answers"),
    Seed("path parameters that differ", R, ('v2 = "DELETE /v2/orders/{orderRef}"', 'v2 = "DELETE /v2/orders/{ref}"'), "reference", "orders.delete", "{orderRef}"),
    Seed("a case on an unknown parameter", R, ('query = "expand", equals = "true"', 'query = "expands", equals = "true"'), "reference", "orders.list", "did you mean 'expand'"),
    Seed("a case that nothing reads", R, ('equals = "true" } }', 'equals = "true" }, other = { query = "expand", equals = "no" } }'), "unreachable", "cases.other", "no rule and no step"),
    Seed("a case with the condition of another", R, ('equals = "true" } }', 'equals = "true" }, other = { query = "expand", equals = "true" } }'), "unreachable", "cases.other", "expanded"),
    Seed("a status row with an unknown switch", R, ('200 = "update_status"', '200 = "update_state"'), "reference", "orders.update", "did you mean 'update_status'"),
    Seed("a status row with a switch of words", R, ('200 = "update_status"', '200 = "on_conflict"'), "reference", "orders.update", "no status"),
    Seed("a status that v2.1 does not have", R, ("status = { 409 = 409 }", "status = { 409 = 409, 410 = 404 }"), "reference", "status.410", "has no status 410"),
    Seed("a status that is no number", R, ("status = { 409 = 409 }", 'status = { 409 = 409, "4xx" = 400 }'), "reference", "status.4xx", "has no status 4xx"),
    Seed("a record that no path names", R, ('path = "orderRef"', 'path = "ref"'), "reference", "record.path", "there are: orderRef"),
    Seed("a record that no body has", R, ('body = "referenceId"', 'body = "reference"'), "reference", "record.body", "did you mean 'referenceId'"),
    Seed("a stamp that no answer has", R, ('stamp = "modifiedAt"', 'stamp = "changedAt"'), "reference", "record.stamp", "did you mean 'createdAt'"),
    Seed("a creation time that no answer has", R, ('created = "createdAt"', 'created = "madeAt"'), "reference", "record.created", "did you mean"),
    Seed("a link of its own that no answer has", R, ('created = "createdAt"', 'created = "createdAt"\nlink = "self"'), "reference", "record.link", "no 'self' there"),
    Seed("a read that would write", R, ('v2-1 = "GET /v2.1/orders/{orderRef}"', 'v2-1 = "DELETE /v2.1/orders/{orderRef}"'), "reference", "orders.get", "reads are repeated"),
    Seed("a step of a read that would write", R, ('call = "GET /v2.1/orders/{orderRef}/orderItems?expand=true"', 'call = "POST /v2.1/orders/{orderRef}/orderItems?expand=true"'), "reference", "orders.get", "would be a POST", count=3),
]  # fmt: skip

OPERATIONS = [
    Seed("an operation at the wrong document", R, ('do = "clamp"', 'do = "drop-null"'), "argument", "orders.list.limit", "not for queries", count=2),
    Seed("a clamp without a maximum", R, ("maximum = 100\n", ""), "argument", "orders.list.limit", "needs `maximum`"),
    Seed("a clamp below zero", R, ("maximum = 100\n", "maximum = -1\n"), "argument", "orders.list.limit", "above 0"),
    Seed("a refusal without a message", R, ('message = "guestRef: is not supported on create."\n', ""), "argument", "orders.create.guest", "needs `message`"),
    Seed("a superfluous argument", R, ("maximum = 100\n", 'maximum = 100\nsuffix = "/x"\n'), "argument", "orders.list.limit", "does not read `suffix`"),
    Seed("a link to the record itself", R, ('do = "link"\nsuffix = "/contacts"\n', 'do = "link"\n'), "argument", "orders.get.contacts", "the record itself"),
    Seed("a rename to nowhere", R, rule("made.up", "orders.create", "request", "/price", "rename"), "argument", "made.up", "needs `native`"),
    Seed("a constant without a value", R, rule("made.up", "orders.create", "both", "/cardType", "constant"), "argument", "made.up", "needs `value`"),
    Seed("one of one", R, ('place = ["referenceId", "guestRef"]\ndo = "one-of"\nwhen = { both_filters = "refuse" }', 'place = ["guestRef"]\ndo = "one-of"\nwhen = { both_filters = "refuse" }'), "argument", "orders.list.filters", "at least two"),
    Seed("a winner that does not run", R, ('prefer = "guestRef"', 'prefer = "guest"'), "argument", "orders.list.filters-guest", "none of its places"),
    Seed("a policy for one member", R, ('place = ["*"]\ndo = "drop-null"', 'place = ["/status"]\ndo = "drop-null"'), "argument", "orders.nulls", 'place = ["*"]'),
    Seed("a rule without a place", R, ('place = ["expand"]', "place = []"), "argument", "orders.get.expand", "names no place"),
    Seed("a rule without an endpoint", R, ('on = ["orders.get"]\nat = "query"', 'on = []\nat = "query"'), "argument", "orders.get.expand", "stands on no endpoint"),
    Seed("a place that no answer has", R, ('place = ["/consumers"]\ndo = "link"', 'place = ["/consumer"]\ndo = "link"'), "place", "orders.get.consumers", "did you mean '/consumers'"),
    Seed("a place that no request has", R, ('"/createdAt", "/modifiedAt"]', '"/createdAt", "/modifyedAt"]'), "place", "orders.response-only", "did you mean '/modifiedAt'", count=2),
    Seed("a parameter that v2 does not have", R, ('place = ["limit"]', 'place = ["limits"]'), "place", "orders.list.limit", "did you mean 'limit'"),
    Seed("a clamp of a text", R, ('place = ["limit"]', 'place = ["expand"]'), "place", "orders.list.limit", "'clamp' needs an integer"),
    Seed("a collection of an object", R, ('"/contacts/items", "/consumers/items"', '"/contacts", "/consumers/items"'), "place", "orders.children", "needs an array"),
    Seed("a member that the object does not have", R, ('members = ["href", "offset", "limit", "items"]', 'members = ["href", "offset", "limits", "items"]'), "place", "orders.get.expanded-items", "did you mean 'limit'"),
    Seed("a name that v2.1 does not have", R, rule("made.up", "orders.create", "request", "/price", "rename", 'native = "/cost"'), "place", "made.up", "v2.1's document"),
    Seed("a frozen member below the top", R, ('place = ["/referenceId", "/orderedAt"]', 'place = ["/referenceId", "/contacts/items"]'), "place", "orders.update.frozen", "at the top"),
    Seed("a neighbour that is not there", R, rule("made.up", "orders.create", "request", "/cardType", "default", 'value = "x"\nsources = ["currency"]'), "place", "made.up", "did you mean 'currencyCode'"),
]  # fmt: skip

OVERLAPS = [
    Seed("two rules for one place", R, rule("made.up", "orders.get", "answer", "/contacts", "keep-only", 'members = ["href"]'), "overlap", "made.up", "orders.get.contacts"),
    Seed("two rules for one place when a switch is set", R, ('when = { guest_ref = "ignore" }', 'when = { point_of_sale = "accept" }'), "overlap", "orders.create.guest-ignored", "orders.create.guest"),
    Seed("two rules for one place in one case", R, ('suffix = "/orderItems"\ncase = "!expanded"', 'suffix = "/orderItems"'), "overlap", "orders.get.expanded", "orders.get.order-items", count=3),
    Seed("two policies of one kind", R, rule("made.up", "orders.create", "request", "*", "drop-null"), "overlap", "made.up", "orders.nulls"),
    Seed("two names that are swapped", R, rule("made.up", "orders.update", "request", "/cardType", "rename", 'native = "/paymentType"') + rule("made.too", "orders.update", "request", "/paymentType", "rename", 'native = "/cardType"'), "overlap", "made.too", "a name is taken"),
    Seed("two names that are swapped both ways", R, rule("made.up", "orders.update", "both", "/cardType", "rename", 'native = "/paymentType"') + rule("made.too", "orders.update", "both", "/paymentType", "rename", 'native = "/cardType"'), "overlap", "made.too", "a name is taken"),
    Seed("a name that is passed on", R, rule("made.up", "orders.update", "request", "/cardType", "rename", 'native = "/paymentType"') + rule("made.too", "orders.update", "request", "/paymentType", "rename", 'native = "/channel"'), "overlap", "made.too", "a name is taken"),
    Seed("two names for one place", R, rule("made.up", "orders.create", "request", "/cardType", "rename", 'native = "/paymentType"') + rule("made.too", "orders.create", "request", "/status", "rename", 'native = "/paymentType"'), "overlap", "made.too", "made.up"),
    Seed("a rule below a link", R, rule("made.up", "orders.get", "answer", "/contacts/items", "collection"), "unreachable", "made.up", "orders.get.contacts takes over"),
    Seed("a rule below a member that is not kept", R, rule("made.up", "orders.list", "answer", "/items/*/contacts", "drop", 'case = "!expanded"\nloss = "L-X"\nreason = "None."'), "unreachable", "made.up", "orders.list.items takes over"),
    Seed("a case that its endpoint never has", R, rule("made.up", "orders.create", "answer", "/cardType", "drop", 'case = "expanded"\nloss = "L-X"\nreason = "None."'), "reference", "made.up", "no case 'expanded'"),
    Seed("two steps of one kind", R, '\n[[step]]\nid = "made.up"\non = "orders.get"\nkind = "join"\ncall = "GET /v2.1/orders/{orderRef}/orderItems"\nplace = "/orderItems"\nsays = "So."\ngrade = "D"\n', "overlap", "made.up", "orders.get.items"),
]  # fmt: skip

STEPS = [
    Seed("a step that calls nothing", R, ('call = "GET /v2.1/orders/{orderRef}/orderItems?', 'call = "GET /v2.1/orders/{orderRef}/items?'), "reference", "orders.get", "no operation", count=2),
    Seed("a placeholder that nothing fills", R, ("{orderRef}/orderItems?expand", "{ref}/orderItems?expand"), "reference", "orders.get.items", "nothing fills {ref}; there are: orderRef"),
    Seed("a parameter that v2.1 does not have", R, ("orderItems?expand=true", "orderItems?expanded=true"), "reference", "orders.get.items", "did you mean 'expand'"),
    Seed("a join to nowhere", R, ('place = "/orderItems"\nsays = "An expanded read', 'place = "/orderItem"\nsays = "An expanded read'), "place", "orders.get", "did you mean '/orderItems'", count=2),
    Seed("a write that nothing fills", R, ('then = "PUT /v2.1/orders/{ref}"', 'then = "PUT /v2.1/orders/{orderRef}"'), "reference", "orders.create.conflict", "nothing fills {orderRef}"),
    Seed("a step after a status that never comes", R, ("after = 409", "after = 410"), "reference", "orders.create.conflict", "has no status 410"),
    Seed("a time that no request has", R, ('nearest = "orderedAt"', 'nearest = "orderAt"'), "place", "orders.create.conflict", "did you mean 'orderedAt'"),
    Seed("a look-up that does not write", R, ('then = "PUT /v2.1/orders/{ref}"\n', ""), "argument", "orders.create.conflict", "needs `then`"),
    Seed("what is read and never replaced", I, ('then = "PUT /v2.1/orderItems/{orderItemRef}/extensions/ext"\n', ""), "argument", "items.update.flight", "belong together"),
    Seed("a part of what v2 does not have", I, ('on = "items.get"\nkind = "gather"\nmembers = ["passengerTypeCode"', 'on = "items.get"\nkind = "gather"\nmembers = ["passengerType"'), "reference", "items.get.flight", "did you mean 'passengerTypeCode'"),
    Seed("a part with a word that v2 does not have", I, ('only = { type = ["FLIGHT"] }\ncreate', 'only = { type = ["FLYGHT"] }\ncreate'), "argument", "items.create.flight", "did you mean 'FLIGHT'"),
    Seed("a write that nothing confirms", E, ('call = "GET /v2.1/orders/{orderRef}/extensions/ext"\nplace', "place"), "argument", "extensions.update.ref", "nothing is read before the write"),
    Seed("a read that is read before", E, ('kind = "confirm"\nplace', 'kind = "confirm"\ncall = "GET /v2.1/orders/{orderRef}/extensions/ext"\nplace'), "argument", "extensions.get.ref", "a read confirms itself"),
    Seed("a confirmation by what no answer has", E, ('place = "/ref"\nstatus = 404', 'place = "/reference"\nstatus = 404'), "place", "extensions.get.ref", "there are: /name, /href, /ref"),
    Seed("a confirmation with a status that v2 does not have", E, ("status = 404\nmessage", "status = 410\nmessage"), "reference", "extensions.get.ref", "v2 has no status 410"),
    Seed("a confirmation of what no path names", E, ('on = "extensions.get"\nkind', 'on = "extensions.list"\nkind'), "reference", "extensions.get.ref", "has no {extRef}", count=2),
    Seed("a join with an argument of a look-up", R, ('place = "/orderItems"\nsays = "An expanded read', 'place = "/orderItems"\nafter = 409\nsays = "An expanded read'), "argument", "orders.get.items", "does not read `after`"),
]  # fmt: skip

LOSSES = [
    Seed("a loss without a reason", R, ('loss = "L-NULL"\nquiet = true\nreason = "An update replaces the whole order, so a member that is missing is emptied just as well."', 'loss = "L-NULL"\nquiet = true'), "loss", "orders.nulls", "without a reason"),
    Seed("a reason without a loss", R, ('loss = "L-GUEST-LINK"\n', ""), "loss", "orders.create.guest-ignored", "no loss"),
    Seed("quiet about nothing", R, ("maximum = 100\n", "maximum = 100\nquiet = true\n"), "loss", "orders.list.limit", "quiet"),
    Seed("an accepted entry without a reason", X, ('reason = "Chosen by the operator, for callers that can read any word."', 'reason = ""'), "loss", "accepted.new-statuses-passed", "empty"),
]  # fmt: skip

VALUES = [
    Seed("a table of nothing", V, ('type = "status"', 'type = "stati"'), "value", "values.stati", "did you mean 'status'"),
    Seed("a v2 value that is none", V, ('v2 = "UNKNOWN"\nv2-1 = "BROWSED"', 'v2 = "UNKNOWED"\nv2-1 = "BROWSED"'), "value", "values.status.browsed", "did you mean 'UNKNOWN'"),
    Seed("a v2.1 value that is none", V, ('v2-1 = "SEARCHED"', 'v2-1 = "SEARCH"'), "value", "values.status.searched", "did you mean 'SEARCHED'"),
    Seed("one v2.1 value twice", V, ('v2-1 = "SEARCHED"', 'v2-1 = "BROWSED"'), "value", "values.status.searched", "values.status.browsed turns"),
    Seed("a value that is legal as it is", V, ('v2-1 = "BROWSED"\ndirection = "back"', 'v2-1 = "BROWSED"'), "value", "values.status.browsed", "cannot tell"),
    Seed("two v2.1 values for one", V, '\n[[table]]\ntype = "channel"\nsays = "So."\n[[table.entry]]\nid = "made.1"\nv2 = "WEB"\nv2-1 = "OTA"\nsays = "So."\ngrade = "D"\n[[table.entry]]\nid = "made.2"\nv2 = "WEB"\nv2-1 = "GDS"\nsays = "So."\ngrade = "D"\n', "value", "made.", "the two apart", count=3),
    Seed("a value without a counterpart", V21, lambda t: members(t, "Order")["channel"]["enum"].append("PIGEON"), "uncovered", "v2.1 value channel PIGEON", "no such value", V),
    Seed("a v2 value without a counterpart", V2, lambda t: members(t, "OrderWrite")["channel"]["enum"].append("FAX"), "uncovered", "v2 value channel FAX", "v2.1 has no such value", V),
    Seed("a banned word that v2 may send", V21, lambda t: members(t, "OrderWrite")["channel"].update({"x-banned": ["OTA"]}), "uncovered", "v2 value channel OTA", "no such value", V),
    Seed("an unknown codec", A, '\n[[codec]]\ntype = "money"\nid = "codec.money"\nsays = "So."\ngrade = "A"\n', "value", "codec.money", "no codec is built in"),
    Seed("two codecs for one type", A, '\n[[codec]]\ntype = "href"\nid = "codec.again"\nsays = "So."\ngrade = "A"\n', "value", "codec.again", "codec.href already"),
    Seed("a leaf type that nobody knows", V21, lambda t: members(t, "Order")["cardType"].update({"x-type": "card"}), "value", "codec card", "no codec, no table", A),
]  # fmt: skip

COVERAGE = [
    Seed("a required member that v2 does not give", V21, lambda t: t["components"]["schemas"]["OrderWrite"]["required"].append("channel"), "uncovered", "request /channel", "v2.1 requires it", R, count=2),
    Seed("a new member of a request", V2, lambda t: members(t, "OrderWrite").update(coupon=LEAF), "uncovered", "request /coupon", "v2.1 has no place", R, count=2),
    Seed("a new member that v2.1 takes", V21, lambda t: members(t, "OrderWrite").update(coupon=LEAF), "uncovered", "request /coupon", "nothing in v2 fills it", R, count=2),
    Seed("a new member of an answer", V21, lambda t: members(t, "Order").update(coupon=LEAF), "uncovered", "answer /coupon", "v2 has no place", R, count=3),
    Seed("a member that v2 promises", V2, lambda t: members(t, "OrderOne").update(coupon=LEAF), "uncovered", "answer /coupon", "nothing in v2.1 fills it", R),
    Seed("another kind of value", V21, lambda t: members(t, "Order")["price"].update(type="string"), "uncovered", "answer /price", "string here, number in v2", R, count=3),
    Seed("another type of leaf", V21, lambda t: members(t, "Order")["createdAt"].update({"x-type": "plain"}), "uncovered", "answer /createdAt", "leaf type plain here", R, count=3),
    Seed("a parameter that v2.1 lacks", V2, lambda t: operation(t, "/v2/orders", "get")["parameters"].append({"name": "since", "in": "query", "schema": LEAF}), "uncovered", "v2 GET /v2/orders ?since", "v2.1 does not know it", R),
    Seed("a parameter that v2 lacks", V21, lambda t: operation(t, "/v2.1/orders", "get")["parameters"].append({"name": "since", "in": "query", "schema": LEAF}), "uncovered", "v2.1 GET /v2.1/orders ?since", "no v2 caller", R),
    Seed("a parameter that is dropped under one setting only", R, ('when = { guest_ref = "refuse" }\nmessage', 'when = { guest_ref = "refuse", on_conflict = "pass" }\nmessage'), "uncovered", "v2 POST /v2/orders ?guestRef", "compat.on_conflict = 'update'"),
    Seed("a status that v2 does not know", V21, lambda t: operation(t, "/v2.1/orders", "get")["responses"].update({"429": {}}), "uncovered", "v2.1 GET /v2.1/orders 429", "v2 does not know", R),
    Seed("a success that nothing leads to", V2, lambda t: operation(t, "/v2/orders", "get")["responses"].update({"206": {}}), "uncovered", "v2 GET /v2/orders 206", "nothing in v2.1 leads", R),
    Seed("a new operation of v2.1", V21, lambda t: t["paths"].update({"/v2.1/orders/all": {"get": {"responses": {}}}}), "uncovered", "v2.1 GET /v2.1/orders/all", "no endpoint", R),
    Seed("a new operation of v2", V2, lambda t: t["paths"].update({"/v2/orders/all": {"get": {"responses": {}}}}), "uncovered", "v2 GET /v2/orders/all", "no endpoint", R),
    Seed("an error member of v2.1", V21, lambda t: members(t, "Error").update(trace=LEAF), "uncovered", "v2.1 error /trace", "no member of v2's", A),
    Seed("an error member of v2", V2, lambda t: members(t, "Error").update(trace=LEAF), "uncovered", "v2 error /trace", "does not make it", A),
    Seed("an error member that v2 requires", A, ('[[error.member]]\nname = "code"\nvalue = "status"\n', ""), "uncovered", "v2 error /code", "v2 requires it"),
    Seed("a required error member under one setting", V2, lambda t: t["components"]["schemas"]["Error"]["required"].append("moreInfo"), "uncovered", "v2 error /moreInfo", "compat.error_link = 'moreInfoUrl'", A),
    Seed("an error member that nobody has", A, ('name = "developerMessage"', 'name = "developersMessage"'), "place", "error.developersMessage", "did you mean 'developerMessage'"),
    Seed("an error source that nobody has", A, ('source = ["message"]', 'source = ["massage"]'), "place", "error.message", "did you mean 'message'"),
    Seed("an error member twice", A, ('[[error.member]]\nname = "code"\n', '[[error.member]]\nname = "code"\nvalue = "status"\n\n[[error.member]]\nname = "code"\n'), "overlap", "error.code", "twice"),
    Seed("a required member that a rule drops", R, ('place = ["/href", "/ref",', 'place = ["/href", "/price", "/ref",'), "uncovered", "request /price", "orders.response-only takes it away", count=2),
    Seed("a required member that is not kept", R, ('members = ["href", "offset", "limit", "items"]', 'members = ["offset", "limit", "items"]'), "unreachable", "orders.get.expanded-items-link", "takes over"),
    Seed("a switch that makes no difference", A, '\n[compat.colour]\nvalues = ["red", "blue"]\ndefault = "red"\nsays = "So."\n', "uncovered", "compat.colour", "nothing differs"),
    Seed("two values of a switch that nobody tells apart", A, ('values = ["pass", "update"]', 'values = ["pass", "update", "ignore"]'), "uncovered", "compat.on_conflict", "'pass' and 'ignore'"),
    Seed("a name that two places claim", R, rule("made.up", "orders.get", "answer", "/cardType", "rename", 'native = "/paymentType"'), "uncovered", "answer /cardType", "another place"),
    Seed("an accepted place that is none", X, ('?sort"]', '?sort", "v2.1 GET /v2.1/orders ?sorted"]'), "accepted", "accepted.sort", "did you mean 'v2.1 GET /v2.1/orders ?sort'"),
    Seed("an accepted place that is claimed", X, ('["v2.1 GET /v2.1/orders ?sort"]', '["v2.1 GET /v2.1/orders ?sort", "v2.1 GET /v2.1/orders ?limit"]'), "accepted", "accepted.sort", "claims it anyway"),
    Seed("an accepted place twice", X, ('["v2.1 GET /v2.1/orders ?sort"]', '["v2.1 GET /v2.1/orders ?sort", "v2.1 PATCH /v2.1/orders/{orderRef}"]'), "accepted", "accepted.sort", "accepted.patch accepts it already"),
    Seed("a rename across an array", R, rule("made.up", "orders.list", "answer", "/items/*/cardType", "rename", 'native = "/items/*/contacts/items/*/href"\ncase = "expanded"'), "compile", "orders.list", "part above an array"),
]  # fmt: skip

FORM = [
    Seed("a file that is no TOML", R, "\n[[rule]\n", "form", "is not TOML", "line"),
    Seed("an unknown key", R, ("maximum = 100", "maximun = 100"), "form", "orders.list.limit: $.rule[", "did you mean 'maximum'"),
    Seed("a value of another type", R, ("maximum = 100", 'maximum = "100"'), "form", "orders.list.limit: $.rule[", "`int`"),
    Seed("a word that is none", V, ('direction = "back"', 'direction = "sideways"'), "form", "values.status.browsed: $.table[0].entry[0].direction", "sideways"),
    Seed("a key that is missing", A, ('default = "require"\n', ""), "form", "$.compat.point_of_sale", "'default' is missing"),
    Seed("a table that is none", A, ("[v2]\ncontract = \"contracts/v2.json\"\nprefix = \"/v2/\"\n", ""), "form", "$", "'v2' is missing"),
    Seed("a word that is no table", R, ('cases = { expanded = { query = "expand", equals = "true" } }', "cases = { expanded = 7 }"), "form", "orders.list: $.endpoint[1].cases.expanded", "must be a table"),
    Seed("an accepted entry in another form", X, ('says = "v2 documents no order', 'says_ = "v2 documents no order'), "form", "accepted.sort", "did you mean 'says'", count=2),
    Seed("a contract that is not understood", V2, lambda t: members(t, "Order").update(a={"type": "text"}), "form", "'text' is not understood", "x-type", "v2.json"),
    Seed("a list that is none", A, ('resources = ["orders.toml"', 'resources = 7 # ["orders.toml"'), "form", "$.resources", "`array`"),
    Seed("a drop without a loss", R, rule("made.up", "orders.get", "answer", "/cardType", "drop"), "loss", "made.up", "drops something without a loss"),
    Seed("a dropped parameter without a loss", R, rule("made.up", "orders.list", "query", "offset", "drop"), "loss", "made.up", "drops something without a loss"),
    Seed("a value that v2 callers know is hidden", V, '\n[[table.entry]]\nid = "made.up"\nv2 = "OTHER"\nv2-1 = "BAG"\ndirection = "back"\nsays = "So."\ngrade = "D"\nloss = "L-X"\nreason = "None."\n', "value", "made.up", "a value that v2 callers know"),
]  # fmt: skip

SEEDS = [*NAMES, *OPERATIONS, *OVERLAPS, *STEPS, *LOSSES, *VALUES, *COVERAGE, *FORM]


def found_in(folder: Path) -> list[Finding]:
    source = read(folder)
    return findings(source) if isinstance(source, Source) else source


def test_the_shipped_mapping_has_no_findings() -> None:
    assert [*map(str, found_in(FOLDER))] == []


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_seeded_mistake_is_found_and_named_and_nothing_else(tmp_path: Path, seed: Seed) -> None:
    found = found_in(seeded(tmp_path, seed))
    lines = "\n".join(map(str, found))
    assert len(found) == seed.count, lines
    for one in found:
        assert seed.at in one.line, lines
        assert one.file == (seed.found_in or seed.file), lines
        assert one.way_out, lines
    assert any(seed.words in one.line and one.kind == seed.kind for one in found), lines


LOADED = {"place", "loss", "uncovered", "accepted", "unreachable", "value", "compile"}
"""Kinds with which a mapping still loads: nobody should ship it, or the compiler says so."""


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_what_would_make_traffic_wrong_is_not_loaded(tmp_path: Path, seed: Seed) -> None:
    folder = seeded(tmp_path, seed)
    refused = [one for one in found_in(folder) if one.kind.value not in LOADED]
    if not refused or "record." in seed.at:
        load(folder)
        return
    with pytest.raises(MappingError) as caught:
        load(folder)
    assert str(caught.value).splitlines() == [str(one) for one in refused]


def test_there_are_enough_mistakes_and_each_has_a_name() -> None:
    assert len({seed.name for seed in SEEDS}) == len(SEEDS) >= 45
