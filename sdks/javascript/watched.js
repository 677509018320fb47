'use strict';
// A client of the SDK, passed through as it is, that notes which operations were called and answered.

const { isApi } = require('./operations');

/** Behaves as the client it is made from; `calls` gains `api.method` as methods succeed. */
function watched(client, calls) {
  return new Proxy(client, {
    get(target, name) {
      const value = target[name];
      // A token provider is a function with members of its own.
      if (typeof value === 'function' && !Object.hasOwn(target, name)) {
        return value.bind(target);
      }
      return isApi(value) ? watchedApi(value, name, calls) : value;
    }
  });
}

function watchedApi(api, name, calls) {
  return new Proxy(api, {
    get(target, method) {
      const value = target[method];
      if (typeof value !== 'function') {
        return value;
      }
      return async (...givenArguments) => {
        const answer = await value.apply(target, givenArguments);
        calls.add(`${name}.${method}`);
        return answer;
      };
    }
  });
}

module.exports = { watched };
