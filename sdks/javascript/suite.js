'use strict';
// The official Authress SDK for JavaScript, unmodified, against a running server; started by `cargo xtask test`.

const fs = require('fs');
const path = require('path');

const { runAll, setting } = require('./runner');
const { World } = require('./world');

for (const subject of ['accounts', 'roles', 'records', 'users', 'resources', 'people', 'tenants', 'connections', 'extensions', 'clients', 'invites', 'tokens', 'retries', 'later']) {
  require(`./case-${subject}`);
}

async function main() {
  const ownerKey = fs.readFileSync(setting('GUESTLIST_TEST_OWNER_KEY_FILE'), 'utf8').trim();
  const world = new World(setting('GUESTLIST_TEST_URL'), ownerKey, setting('GUESTLIST_TEST_STATE'));
  const manifest = path.join(path.dirname(require.resolve('@authress/sdk')), 'package.json');
  const { version } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
  const phase = setting('GUESTLIST_TEST_PHASE');
  try {
    await world.roles();
    const passed = await runAll(world, phase, 'javascript', version, setting('GUESTLIST_TEST_RESULTS'));
    process.exitCode = passed ? 0 : 1;
  } finally {
    world.close();
  }
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
