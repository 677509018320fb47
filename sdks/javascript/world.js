'use strict';
// What the cases share: the server, its owner, and people with tokens.

const fs = require('fs');

const { AuthressClient, UnauthorizedError } = require('@authress/sdk');

const { Issuer } = require('./issuer');
const { check, setting } = require('./runner');
const { watched } = require('./watched');

const AUDIENCE = 'guestlist-sdk-tests';
const READER = 'ro_sdk_reader';
const EDITOR = 'ro_sdk_editor';
// An id that needs care in a path: a pipe, a slash, an at sign, a plus.
const AWKWARD_USER = 'google-oauth2|1095/36@x+y';

class World {
  constructor(url, ownerKey, stateFile) {
    this.url = url;
    this.ownerKey = ownerKey;
    this.stateFile = stateFile;
    [this.clientId, this.keyId, this.accountId] = ownerKey.split('.');
    // Methods that were called, and answered other than by a refusal.
    this.calls = new Set();
    this.owner = this.withKey(ownerKey);
    this.number = 0;
    this.theIssuer = null;
  }

  withKey(accessKey, url = this.url) {
    return watched(new AuthressClient({ authressApiUrl: url, userAgent: 'tests' }, accessKey), this.calls);
  }

  withToken(token, url = this.url) {
    return watched(new AuthressClient({ authressApiUrl: url, userAgent: 'tests' }, () => token), this.calls);
  }

  /** The operations that the server says it has. */
  async built() {
    const { paths } = await (await fetch(`${this.url}/openapi.json`)).json();
    return new Set(Object.values(paths).flatMap(methods => Object.values(methods).map(item => item.operationId)));
  }

  nobody() {
    return this.withToken(undefined);
  }

  /** The linked issuer of another company; linked through the SDK when first needed. */
  async issuer() {
    if (!this.theIssuer) {
      const issuer = await Issuer.start(AUDIENCE);
      issuer.addKey('first', 'EdDSA');
      await this.owner.accounts.linkIdentity({ issuer: issuer.url, preferredAudience: AUDIENCE });
      this.theIssuer = issuer;
    }
    return this.theIssuer;
  }

  /** Somebody who signs in with the linked issuer. */
  async person(userId) {
    return this.withToken((await this.issuer()).token(userId));
  }

  /** A token of the server itself, as its development mode gives out. */
  async localToken(userId) {
    const response = await fetch(`${this.url}/v1/dev/tokens`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ userId })
    });
    check(response.ok, `the server gave no token: ${response.status}`);
    const body = await response.json();
    check(body.expiresIn > 0, 'expiresIn is missing');
    return body.accessToken;
  }

  async local(userId) {
    return this.withToken(await this.localToken(userId));
  }

  /** Moves the clock of this process and of the server on; in the later phase only. */
  moveClock(seconds) {
    const file = setting('GUESTLIST_TEST_CLOCK');
    fs.writeFileSync(file, `+${Number(fs.readFileSync(file, 'utf8')) + seconds}`);
  }

  /** An id that no other case uses. */
  fresh(prefix) {
    this.number += 1;
    return `${prefix}${this.number}`;
  }

  /** The two roles that the cases give out. */
  async roles() {
    await this.ensureRole(READER, ['documents:read']);
    await this.ensureRole(EDITOR, ['documents:read', 'documents:update']);
  }

  async ensureRole(roleId, actions) {
    try {
      await this.owner.roles.getRole(roleId);
    } catch (error) {
      check(error.status === 404, `getRole answered ${error.status}`);
      await this.owner.roles.createRole(role(roleId, actions));
    }
  }

  /** Gives a user roles on resources by a record of its own, and answers the record. */
  async give(userId, roles, ...resources) {
    const record = { recordId: this.fresh('rec_given_'), name: 'given by a test', users: [{ userId }], statements: [statement(roles, ...resources)] };
    return (await this.owner.accessRecords.createRecord(record)).data;
  }

  /** What the owner is told when asking whether a user may do something. */
  async may(userId, resource, permission = 'documents:read') {
    try {
      await this.owner.userPermissions.authorizeUser(userId, resource, permission);
      return true;
    } catch (error) {
      if (error instanceof UnauthorizedError) {
        return false;
      }
      throw error;
    }
  }

  async invite(resource, more = {}) {
    return (await this.owner.invites.createInvite({ statements: [statement([READER], resource)], ...more })).data;
  }

  async records(filter) {
    return (await this.owner.accessRecords.getRecords(20, null, filter)).data.records;
  }

  close() {
    if (this.theIssuer) {
      this.theIssuer.close();
    }
  }
}

function role(roleId, actions, name = 'a role of the tests') {
  return { roleId, name, permissions: actions.map(action => ({ action, allow: true, grant: false, delegate: false })) };
}

function statement(roles, ...resources) {
  return { roles, resources: resources.map(resourceUri => ({ resourceUri })) };
}

module.exports = { World, role, statement, AUDIENCE, READER, EDITOR, AWKWARD_USER, UnauthorizedError, AuthressClient };
