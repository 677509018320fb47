"""An OpenID Connect issuer of another company: discovery, a rotating key set, and signed tokens."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa


def _encode(number_or_bytes):
    raw = number_or_bytes
    if isinstance(raw, int):
        raw = raw.to_bytes((raw.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Key:
    """One signing key with its public form; `algorithm` is EdDSA or RS256."""

    def __init__(self, kid, algorithm):
        self.kid = kid
        self.algorithm = algorithm
        if algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
            public = {"kty": "OKP", "crv": "Ed25519", "x": _encode(self.private.public_key().public_bytes_raw())}
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            numbers = self.private.public_key().public_numbers()
            public = {"kty": "RSA", "n": _encode(numbers.n), "e": _encode(numbers.e)}
        self.public = {**public, "kid": kid, "alg": algorithm, "use": "sig"}


class Issuer:
    """Listens on a free loopback port until closed; keys can be added and taken away while it runs."""

    def __init__(self, audience):
        self.audience = audience
        self.keys = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.split("?")[0]
                if path == "/.well-known/openid-configuration":
                    body = {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/keys",
                        "authorization_endpoint": f"{issuer.url}/authorize",
                        "token_endpoint": f"{issuer.url}/token",
                        "response_types_supported": ["code"],
                        "subject_types_supported": ["public"],
                        "id_token_signing_alg_values_supported": ["EdDSA", "RS256"],
                    }
                elif path == "/keys":
                    body = {"keys": [key.public for key in issuer.keys]}
                else:
                    self.send_error(404)
                    return
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add_key(self, kid, algorithm):
        key = Key(kid, algorithm)
        self.keys.append(key)
        return key

    def token(self, subject, key=None, **claims):
        """A token of this issuer for a person, valid for ten minutes unless claims say otherwise."""
        key = key or self.keys[-1]
        now = int(time.time())
        payload = {"iss": self.url, "aud": self.audience, "sub": subject, "iat": now, "exp": now + 600, **claims}
        return jwt.encode(payload, key.private, algorithm=key.algorithm, headers={"kid": key.kid})

    def close(self):
        self.server.shutdown()
        self.server.server_close()
