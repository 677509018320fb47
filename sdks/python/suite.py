"""The official Authress SDK for Python, unmodified, against a running server; started by `cargo xtask test`."""

import importlib.metadata
import pathlib
import sys

import case_accounts  # noqa: F401  (importing registers the cases, in this order)
import case_roles  # noqa: F401
import case_records  # noqa: F401
import case_groups  # noqa: F401
import case_users  # noqa: F401
import case_resources  # noqa: F401
import case_requests  # noqa: F401
import case_people  # noqa: F401
import case_tenants  # noqa: F401
import case_connections  # noqa: F401
import case_applications  # noqa: F401
import case_extensions  # noqa: F401
import case_clients  # noqa: F401
import case_invites  # noqa: F401
import case_tokens  # noqa: F401
import case_retries  # noqa: F401
import case_later  # noqa: F401
from runner import run_all, setting
from world import World


def main():
    owner_key = pathlib.Path(setting("GUESTLIST_TEST_OWNER_KEY_FILE")).read_text(encoding="utf-8").strip()
    world = World(setting("GUESTLIST_TEST_URL"), owner_key)
    world.state_file = pathlib.Path(setting("GUESTLIST_TEST_STATE"))
    version = importlib.metadata.version("authress")
    try:
        world.roles()
        passed = run_all(
            world, setting("GUESTLIST_TEST_PHASE"), "python", version, setting("GUESTLIST_TEST_RESULTS")
        )
    finally:
        world.close()
    sys.exit(0 if passed else 1)


main()
