"""Answers who has a token that PyJWT takes. PyJWKClient keeps a key set for ten seconds here,
and fetches one at once for a key that it does not know."""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

KEYS = jwt.PyJWKClient(os.environ["JWKS_URI"], cache_jwk_set=True, lifespan=10)


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = 200
        try:
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            key = KEYS.get_signing_key_from_jwt(token).key
            jwt.decode(token, key, algorithms=["ES256", "RS256"], audience="rehearse", issuer=os.environ["ISSUER"])
        except jwt.PyJWTError:
            status = 401
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Service).serve_forever()
