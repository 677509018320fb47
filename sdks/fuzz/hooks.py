"""Gives the fuzzer ids of things that exist, so that it gets beyond 404."""

import json
import os
import zlib

import schemathesis

with open(os.environ["GUESTLIST_FUZZ_IDS"], encoding="utf-8") as file:
    KNOWN = json.load(file)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Replaces about two generated ids in three by known ones, decided by the generated text alone."""
    if not path_parameters:
        return path_parameters
    found = dict(path_parameters)
    for name, value in path_parameters.items():
        known = KNOWN.get(name)
        chance = zlib.crc32(repr((name, value)).encode())
        if known and chance % 3:
            found[name] = known[(chance // 3) % len(known)]
    return found
