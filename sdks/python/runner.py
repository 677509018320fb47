"""Registers cases, runs them in order, prints a line for each, and writes the results as JSON."""

import json
import os
import sys
import time
import traceback

from authress.exceptions import ServiceException

from operations import BY_VERIFYING, OPERATIONS, unmapped


class Failure(Exception):
    """A case found something other than it expected; the text is for people."""


class Case:
    def __init__(self, operation, title, phase, differs, run):
        self.operation = operation
        self.title = title
        self.phase = phase
        self.differs = differs
        self.run = run


CASES = []


def case(operation, title, phase="first", differs=None):
    """Registers a function of one argument, the world, as a case of an operation of the API.

    A case of an operation that the server does not have yet is left out. `differs` says, for the
    table of compatibility, what a user of this SDK meets that users of others do not.
    """

    def register(run):
        CASES.append(Case(operation, title, phase, differs, run))
        return run

    return register


def check(condition, text):
    if not condition:
        raise Failure(text)


def equal(found, expected, what):
    if found != expected:
        raise Failure(f"{what} is {found!r}, expected {expected!r}")


def refused(status, exception, action, *arguments, **named):
    """Runs something that has to be refused, and answers the parsed body of the refusal.

    The SDK has to raise exactly the exception that it has for the status, and the body has to be
    the documented error: title, errorCode and errorId.
    """
    try:
        found = action(*arguments, **named)
    except exception as error:
        equal(type(error).__name__, exception.__name__, "the exception")
        equal(error.status, status, f"the status (body {error.body!r})")
        body = json.loads(error.body)
        for member in ("title", "errorCode", "errorId"):
            check(isinstance(body.get(member), str) and body[member], f"{member} missing in {body}")
        return body
    except Exception as error:
        raise Failure(f"raised {type(error).__name__}: {error}, expected {exception.__name__} {status}")
    raise Failure(f"was not refused with {status} but answered {found!r}")


def attempt(item, *arguments):
    """Runs a case, prints its line, and answers its result."""
    detail = None
    started = time.monotonic()
    try:
        item.run(*arguments)
    except Failure as failure:
        detail = str(failure)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        detail = f"{type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
    outcome = "passed" if detail is None else "failed"
    text = f"{item.operation}: {item.title} … {outcome if detail is None else 'FAILED'}"
    print(text if detail is None else f"{text}\n    {detail}", flush=True)
    return {
        "operation": item.operation,
        "case": item.title,
        "outcome": outcome,
        "differs": item.differs,
        "detail": detail,
        "seconds": round(time.monotonic() - started, 3),
    }


def not_built(world, operations):
    """Calls every operation that the server does not have: it says so, and the SDK reports that cleanly."""
    results = []
    for name in operations:
        if name in world.built:
            continue

        def call():
            body = refused(501, ServiceException, operations[name].call, world.owner)
            equal(body["errorCode"], "NotImplemented", "errorCode")

        result = attempt(Case(name, "501 that says that it is not built", "first", None, call))
        if result["outcome"] == "passed":
            result["outcome"] = "not built"
        results.append(result)
    return results


def complete(world, operations):
    """Holds the cases against the SDK: every method is in the table, every operation was called and answered."""

    def mapped():
        check(not (found := unmapped(world.owner)), f"the table of operations: {found}")

    def called():
        wanted = {name for name, operation in operations.items() if name in world.built}
        answered = {name for name in wanted if (operations[name].api, operations[name].method) in world.calls}
        covered = {item.operation for item in CASES}
        check(wanted <= covered, f"without a case: {sorted(wanted - covered)}")
        check(wanted <= answered, f"never called with success: {sorted(wanted - answered)}")

    return [
        attempt(Case("the SDK", "every method is an operation of the table", "first", None, mapped)),
        attempt(Case("the SDK", "every operation was called, and has a case", "first", None, called)),
    ]


def run_all(world, phase, sdk, version, results_file):
    """Runs the cases of a phase; answers whether all passed."""
    results = []
    for item in CASES:
        is_there = item.operation in world.built or item.operation not in OPERATIONS
        if item.phase == phase and is_there:
            results.append(attempt(item, world))
    if phase == "first":
        results += not_built(world, OPERATIONS)
        results += complete(world, OPERATIONS)
    failed = [result for result in results if result["outcome"] == "failed"]
    print(f"{sdk} {version}, {phase}: {len(results) - len(failed)} passed, {len(failed)} failed", flush=True)
    with open(results_file, "w", encoding="utf-8") as file:
        operations = [*OPERATIONS, *BY_VERIFYING]
        document = {"sdk": sdk, "version": version, "phase": phase, "operations": operations, "results": results}
        json.dump(document, file, indent=1)
    return bool(results) and not failed


def setting(name):
    """A setting of the run; a suite started by hand is told what it lacks."""
    value = os.environ.get(name)
    if not value:
        sys.exit(f"{name} is not set; `cargo xtask test --only` starts a server and sets it")
    return value
