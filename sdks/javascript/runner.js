'use strict';
// Registers cases, runs them in order, prints a line for each, and writes the results as JSON.

const fs = require('fs');
const { isDeepStrictEqual, inspect } = require('util');

const { OPERATIONS, BY_VERIFYING, unmapped } = require('./operations');

const cases = [];

class Failure extends Error {}

/**
 * Registers an asynchronous function of the world as a case of an operation of the API.
 *
 * A case of an operation that the server does not have yet is left out. `differs` says, for the
 * table of compatibility, what a user of this SDK meets that users of others do not.
 */
function addCase(operation, title, run, phase = 'first', differs = null) {
  cases.push({ operation, title, run, phase, differs });
}

function check(condition, text) {
  if (!condition) {
    throw new Failure(text);
  }
}

function equal(found, expected, what) {
  if (!isDeepStrictEqual(found, expected)) {
    throw new Failure(`${what}: ${inspect(found, { depth: 6 })}, expected ${inspect(expected, { depth: 6 })}`);
  }
}

/**
 * Waits for something that has to be refused, and answers the body of the refusal.
 *
 * This SDK throws a plain object with the status and the parsed body, which has to be the
 * documented error: title, errorCode and errorId.
 */
async function refused(status, promise) {
  let found;
  try {
    found = await promise;
  } catch (error) {
    equal(error.status, status, `the status of ${inspect(error.data || error.message || error)}`);
    for (const member of ['title', 'errorCode', 'errorId']) {
      check(typeof error.data[member] === 'string' && error.data[member], `${member} is missing in ${inspect(error.data)}`);
    }
    return error.data;
  }
  throw new Failure(`was not refused with ${status} but answered ${inspect(found && found.data)}`);
}

/** Runs a case, prints its line, and answers its result. */
async function attempt({ operation, title, run, differs }, world) {
  let detail = null;
  const started = Date.now();
  try {
    await run(world);
  } catch (error) {
    const place = error instanceof Failure ? '' : ` ${(error.stack || '').split('\n')[1] || ''}`;
    detail = `${error.message || inspect(error, { depth: 3 })}${place}`;
  }
  const outcome = detail === null ? 'passed' : 'failed';
  console.log(`${operation}: ${title} … ${detail === null ? outcome : `FAILED\n    ${detail}`}`);
  return { operation, case: title, outcome, differs, detail, seconds: (Date.now() - started) / 1000 };
}

/** Calls every operation that the server does not have: it says so, and the SDK reports that cleanly. */
async function notBuilt(world, built) {
  const results = [];
  for (const [operation, item] of Object.entries(OPERATIONS).filter(([name]) => !built.has(name))) {
    const run = async () => {
      equal((await refused(501, item.call(world.owner))).errorCode, 'NotImplemented', 'errorCode');
    };
    const result = await attempt({ operation, title: '501 that says that it is not built', run }, world);
    results.push(result.outcome === 'passed' ? { ...result, outcome: 'not built' } : result);
  }
  return results;
}

/** Holds the cases against the SDK: every method is in the table, every operation was called and answered. */
async function complete(world, built) {
  const mapped = async () => equal(unmapped(world.owner), [], 'the table of operations');
  const called = async () => {
    const wanted = Object.entries(OPERATIONS).filter(([name]) => built.has(name));
    const covered = new Set(cases.map(item => item.operation));
    equal(wanted.map(([name]) => name).filter(name => !covered.has(name)), [], 'what has no case');
    const silent = wanted.filter(([, item]) => !world.calls.has(`${item.api}.${item.method}`));
    equal(silent.map(([name]) => name), [], 'what was never called with success');
  };
  return [
    await attempt({ operation: 'the SDK', title: 'every method is an operation of the table', run: mapped }, world),
    await attempt({ operation: 'the SDK', title: 'every operation was called, and has a case', run: called }, world)
  ];
}

/** Runs the cases of a phase; answers whether all passed. */
async function runAll(world, phase, sdk, version, resultsFile) {
  const built = await world.built();
  const results = [];
  for (const item of cases) {
    if (item.phase === phase && (built.has(item.operation) || !OPERATIONS[item.operation])) {
      results.push(await attempt(item, world));
    }
  }
  if (phase === 'first') {
    results.push(...await notBuilt(world, built), ...await complete(world, built));
  }
  const failed = results.filter(result => result.outcome === 'failed').length;
  console.log(`${sdk} ${version}, ${phase}: ${results.length - failed} passed, ${failed} failed`);
  const operations = [...Object.keys(OPERATIONS), ...BY_VERIFYING];
  fs.writeFileSync(resultsFile, JSON.stringify({ sdk, version, phase, operations, results }, null, 1));
  return results.length > 0 && failed === 0;
}

/** A setting of the run; a suite started by hand is told what it lacks. */
function setting(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set; \`cargo xtask test --only\` starts a server and sets it`);
    process.exit(1);
  }
  return value;
}

module.exports = { addCase, check, equal, refused, runAll, setting, Failure };
