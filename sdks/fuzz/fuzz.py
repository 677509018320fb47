"""Requests generated from the server's OpenAPI document: no 5xx, no undocumented status.

Three runs with different callers: the owner, a person, and nobody. Only the given loopback
address is asked, for a bounded time.
"""

import collections
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
RUNS = {"owner": 90, "person": 40, "nobody": 15}


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


def run(caller, seconds, number):
    bearers = {"owner": OWNER, "nobody": None}
    if caller == "person":
        bearers[caller] = ask("POST", "/v1/dev/tokens", {"userId": "google-oauth2|fuzz/36@x+y"})["accessToken"]
    file = pathlib.Path(f"ids-{caller}.json").resolve()
    file.write_text(json.dumps(prepare(number)), encoding="utf-8")
    report = pathlib.Path(f"report-{caller}.ndjson").resolve()
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", f"{URL}/openapi.json", "--url", URL,
        "--checks", "not_a_server_error,status_code_conformance",
        "--phases", "examples,coverage,fuzzing", "--max-time", str(seconds), "--seed", "1", "--continue-on-failure",
        "--request-timeout", "20", "--generation-database", "none", "--no-color", "--warnings", "off",
        "--suppress-health-check", "all", "--report", "ndjson", "--report-ndjson-path", str(report),
    ]
    if bearers[caller]:
        command += ["--header", f"Authorization: Bearer {bearers[caller]}"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "GUESTLIST_FUZZ_IDS": str(file)}
    print(f"-- as {caller}, {seconds} seconds", flush=True)
    ended = subprocess.run(command, env=environment, timeout=seconds * 3 + 60, check=False)
    return ended.returncode == 0, statuses(report)


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


def main():
    problems = []
    for number, (caller, seconds) in enumerate(RUNS.items()):
        passed, answered = run(caller, seconds, number)
        print(f"   {caller}: " + ", ".join(f"{status} × {count}" for status, count in sorted(answered.items())))
        if not passed:
            problems.append(f"the run as {caller} found failures")
        # A fuzz that never gets past the door proves nothing.
        if caller != "nobody" and sum(count for status, count in answered.items() if status < 300) < 50:
            problems.append(f"the run as {caller} was hardly ever answered with success")
        if caller == "nobody" and not answered[401]:
            problems.append("the run as nobody was never answered with 401")
    try:
        ask("GET", "/v1/accounts")
    except urllib.error.HTTPError as error:
        problems.append(f"the owner's key is answered with {error.code} after the runs")
    for problem in problems:
        print(f"FAILED: {problem}")
    sys.exit(1 if problems else 0)


main()
