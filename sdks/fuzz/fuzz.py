"""Requests generated from the server's OpenAPI document: no 5xx, nothing that it does not document.

Three runs with different callers, the owner, a person, and nobody, and a control: with a document
that hides a status the fuzzer has to find it. Only the given loopback address is asked, for a
bounded time.
"""

import collections
import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
URL = os.environ["GUESTLIST_TEST_URL"]
OWNER = os.environ["GUESTLIST_TEST_OWNER_KEY"]
# Seconds for each caller.
RUNS = {"owner": 90, "person": 40, "nobody": 10}
CHECKS = ",".join([
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method", "allow_header_conformance",
])  # fmt: skip
# Ids of things that exist, for hooks.py.
IDS = pathlib.Path("ids.json").resolve()


def ask(method, path, body=None, bearer=OWNER):
    request = urllib.request.Request(URL + path, method=method)
    request.add_header("Authorization", f"Bearer {bearer}")
    request.add_header("Content-Type", "application/json")
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(request, data=data, timeout=20) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def prepare(number):
    """Makes things to find, change and delete; answers their ids by the name of the path parameter."""
    ids = collections.defaultdict(list)
    ids["accountId"].append(OWNER.split(".")[2])
    ids["permission"] = ["documents:read", "*", "documents:*"]
    for count in range(8):
        name = f"{number}-{count}"
        permission = {"action": "documents:read", "allow": True, "grant": False, "delegate": False}
        role = ask("POST", "/v1/roles", {"roleId": f"ro_fuzz_{name}", "name": name, "permissions": [permission]})
        user, resource = f"google-oauth2|{name}/36@x+y", f"/fuzz/{name}"
        statement = {"roles": [role["roleId"]], "resources": [{"resourceUri": resource}]}
        group = {"groupId": f"grp_fuzz_{name}", "name": name, "users": [{"userId": user}], "admins": []}
        record = {"recordId": f"rec_fuzz_{name}", "name": name, "users": [{"userId": user}], "statements": [statement]}
        client = ask("POST", "/v1/clients", {"name": name})
        key = ask("POST", f"/v1/clients/{client['clientId']}/access-keys")
        ids["roleId"].append(role["roleId"])
        ids["groupId"].append(ask("POST", "/v1/groups", group)["groupId"])
        ids["recordId"].append(ask("POST", "/v1/records", record)["recordId"])
        ids["inviteId"].append(ask("POST", "/v1/invites", {"statements": [statement]})["inviteId"])
        ids["clientId"].append(client["clientId"])
        ids["keyId"].append(key["keyId"])
        ids["userId"].append(user)
        ids["resourceUri"].append(resource)
    return ids


def fuzz(name, document, seconds, bearer, *more):
    """Runs the fuzzer; answers whether it found nothing, and how often each status was answered."""
    report = pathlib.Path(f"report-{name}.ndjson").resolve()
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", document, "--url", URL, "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--max-time", str(seconds), "--seed", "1", "--continue-on-failure",
        "--request-timeout", "20", "--generation-database", "none", "--no-color", "--warnings", "off",
        "--suppress-health-check", "all", "--report", "ndjson", "--report-ndjson-path", str(report), *more,
    ]  # fmt: skip
    if bearer:
        command += ["--header", f"Authorization: Bearer {bearer}"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "GUESTLIST_FUZZ_IDS": str(IDS)}
    print(f"-- {name}, {seconds} seconds", flush=True)
    with open(f"output-{name}.txt", "w+", encoding="utf-8") as output:
        ended = subprocess.run(command, env=environment, stdout=output, timeout=seconds * 3 + 60, check=False)
        output.seek(0)
        text = output.read()
    if ended.returncode not in (0, 1):
        sys.exit(f"the fuzzer ended with {ended.returncode}:\n{text}")
    answered = statuses(report)
    print("   " + ", ".join(f"{status} × {count}" for status, count in sorted(answered.items())), flush=True)
    return ended.returncode == 0, answered, text


def statuses(report):
    """How often each status was answered, from the fuzzer's own report of events."""
    found = collections.Counter()

    def look(value):
        if isinstance(value, dict):
            if isinstance(value.get("status_code"), int):
                found[value["status_code"]] += 1
            for part in value.values():
                look(part)
        elif isinstance(value, list):
            for part in value:
                look(part)

    with open(report, encoding="utf-8") as lines:
        for line in lines:
            look(json.loads(line))
    return found


def runs():
    """One (title, problem or None) for each thing that is checked."""
    for number, (caller, seconds) in enumerate(RUNS.items()):
        bearer = {"owner": OWNER, "nobody": None}.get(caller)
        if caller == "person":
            bearer = ask("POST", "/v1/dev/tokens", {"userId": "google-oauth2|fuzz/36@x+y"})["accessToken"]
        IDS.write_text(json.dumps(prepare(number)), encoding="utf-8")
        passed, answered, text = fuzz(caller, f"{URL}/openapi.json", seconds, bearer)
        yield f"as {caller}: no failure", None if passed else text
        # A fuzz that never gets past the door proves nothing.
        successes = sum(count for status, count in answered.items() if status < 300)
        if caller == "nobody":
            yield "as nobody: refused with 401", None if answered[401] else "401 was never answered"
        else:
            yield f"as {caller}: often successful", None if successes >= 100 else f"only {successes} successes"
    document = ask("GET", "/openapi.json")
    del document["paths"]["/v1/roles"]["get"]["responses"]["400"]
    hidden = pathlib.Path("openapi-with-a-hidden-status.json")
    hidden.write_text(json.dumps(document), encoding="utf-8")
    only = ["--include-name", "GET /v1/roles"]
    passed, _, _ = fuzz("control", str(hidden), 10, OWNER, *only)
    yield "control: a hidden status is found", "the fuzzer did not notice" if passed else None
    try:
        ask("GET", "/v1/accounts")
        yield "the owner's key still works", None
    except urllib.error.HTTPError as error:
        yield "the owner's key still works", f"it is answered with {error.code}"


def main():
    results = []
    for title, problem in runs():
        print(f"fuzz: {title} … {'passed' if problem is None else 'FAILED'}", flush=True)
        if problem is not None:
            print(problem)
        outcome = "failed" if problem is not None else "passed"
        results.append({"operation": "fuzz", "case": title, "outcome": outcome, "detail": problem})
    document = {"sdk": "fuzz", "version": importlib.metadata.version("schemathesis"), "results": results}
    pathlib.Path(os.environ["GUESTLIST_TEST_RESULTS"]).write_text(json.dumps(document, indent=1), encoding="utf-8")
    sys.exit(0 if all(result["outcome"] == "passed" for result in results) else 1)


main()
