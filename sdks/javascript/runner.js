'use strict';
// Registers cases, runs them in order, prints a line for each, and writes the results as JSON.

const fs = require('fs');
const { isDeepStrictEqual, inspect } = require('util');

const cases = [];

class Failure extends Error {}

/** Registers an asynchronous function of the world as a case of an operation of the API. */
function addCase(operation, title, run, phase = 'first') {
  cases.push({ operation, title, run, phase });
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

/** Runs the cases of a phase; answers whether all passed. */
async function runAll(world, phase, sdk, version, resultsFile) {
  const results = [];
  for (const { operation, title, run } of cases.filter(item => item.phase === phase)) {
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
    results.push({ operation, case: title, outcome, detail, seconds: (Date.now() - started) / 1000 });
  }
  const failed = results.filter(result => result.outcome === 'failed').length;
  console.log(`${sdk} ${version}, ${phase}: ${results.length - failed} passed, ${failed} failed`);
  fs.writeFileSync(resultsFile, JSON.stringify({ sdk, version, phase, results }, null, 1));
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
