"""Gives the fuzzer ids of things that exist, so that it gets beyond 404."""

import json
import os
import zlib

import schemathesis

with open(os.environ["GUESTLIST_FUZZ_IDS"], encoding="utf-8") as file:
    KNOWN = json.load(file)


def chance(*words):
    """A number that the generated data alone decides, so that a seed gives the same run again."""
    return zlib.crc32(repr(words).encode())


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Replaces about two generated ids in three by known ones, decided by the generated text alone."""
    if not path_parameters:
        return path_parameters
    found = dict(path_parameters)
    for name, value in path_parameters.items():
        known = KNOWN.get(name)
        number = chance(name, value)
        if known and number % 3:
            found[name] = known[(number // 3) % len(known)]
    return found


@schemathesis.hook
def map_query(context, query):
    """Leaves out what is refused before the operation is reached.

    A made-up cursor, two times in three; and values so long that the HTTP library refuses the head
    of the request by itself, with a bare 431 that has no body as the document says.
    """
    if not query:
        return query
    found = {name: value for name, value in query.items() if not isinstance(value, str) or len(value) < 1000}
    if chance(query) % 3:
        found.pop("cursor", None)
    return found


@schemathesis.hook
def map_body(context, body):
    """Names roles that exist two times in three: a statement with an unknown one is always refused."""
    if not isinstance(body, (dict, list)) or not chance(body) % 3:
        return body
    return with_known_roles(body)


def with_known_roles(value):
    if isinstance(value, list):
        return [with_known_roles(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: with_known_roles(item) for name, item in value.items()}
    if isinstance(value.get("roles"), list) and value["roles"]:
        number = chance(value["roles"])
        found["roles"] = [KNOWN["roleId"][number % len(KNOWN["roleId"])]]
    return found
