'use strict';
// A proxy that loses answers: it forwards a request once, then answers 502 or cuts the connection.

const http = require('http');

class LossyProxy {
  /** Every request reaches the target; the answer to the first one with this method is lost. */
  static async start(target, method, how) {
    const proxy = new LossyProxy();
    // [status of the server, what the client got], in order.
    proxy.answers = [];
    proxy.server = http.createServer((request, response) => proxy.forward(target, method, how, request, response));
    await new Promise(resolve => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  forward(target, method, how, request, response) {
    const url = new URL(target);
    const options = { host: url.hostname, port: url.port, path: request.url, method: request.method, headers: request.headers };
    const onward = http.request(options, answer => {
      const isLost = request.method === method && this.answers.length === 0;
      this.answers.push([answer.statusCode, isLost ? how : answer.statusCode]);
      if (isLost && how === 'cut') {
        answer.resume();
        request.socket.destroy();
      } else if (isLost) {
        answer.resume();
        response.writeHead(502).end('lost');
      } else {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      }
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

module.exports = { LossyProxy };
