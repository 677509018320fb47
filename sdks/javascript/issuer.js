'use strict';
// An OpenID Connect issuer of another company: discovery, a rotating key set, and signed tokens.

const crypto = require('crypto');
const http = require('http');

const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url');

class Issuer {
  /** Listens on a free loopback port until closed; keys can be added while it runs. */
  static async start(audience) {
    const issuer = new Issuer();
    issuer.audience = audience;
    issuer.keys = [];
    issuer.server = http.createServer((request, response) => issuer.answer(request, response));
    await new Promise(resolve => issuer.server.listen(0, '127.0.0.1', resolve));
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    return issuer;
  }

  answer(request, response) {
    const documents = {
      '/.well-known/openid-configuration': {
        issuer: this.url,
        jwks_uri: `${this.url}/keys`,
        authorization_endpoint: `${this.url}/authorize`,
        token_endpoint: `${this.url}/token`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['EdDSA', 'RS256']
      },
      '/keys': { keys: this.keys.map(key => key.public) }
    };
    const document = documents[request.url.split('?')[0]];
    response.writeHead(document ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(document || {}));
  }

  /** Adds a signing key; the newest is the one that signs. */
  addKey(kid, algorithm) {
    const pair = algorithm === 'EdDSA'
      ? crypto.generateKeyPairSync('ed25519')
      : crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
    const key = { kid, algorithm, private: pair.privateKey, public: jwk };
    this.keys.push(key);
    return key;
  }

  /** A token of this issuer for a person, valid for ten minutes unless claims say otherwise. */
  token(subject, claims = {}, key = this.keys[this.keys.length - 1]) {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: this.url, aud: this.audience, sub: subject, iat: now, exp: now + 600, ...claims };
    const text = `${encode({ alg: key.algorithm, kid: key.kid, typ: 'JWT' })}.${encode(payload)}`;
    const digest = key.algorithm === 'EdDSA' ? null : 'sha256';
    return `${text}.${crypto.sign(digest, Buffer.from(text), key.private).toString('base64url')}`;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

module.exports = { Issuer };
