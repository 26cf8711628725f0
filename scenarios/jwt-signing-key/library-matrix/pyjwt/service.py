"""A small service that checks bearer tokens with PyJWT's PyJWKClient."""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

settings = {"lifespan": int(os.environ["JWKS_LIFESPAN"])} if "JWKS_LIFESPAN" in os.environ else {}
keys = jwt.PyJWKClient(os.environ["JWKS_URL"], **settings)


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, "ok")
        _, _, token = self.headers.get("Authorization", "").partition(" ")
        try:
            key = keys.get_signing_key_from_jwt(token).key
            claims = jwt.decode(token, key, algorithms=["ES256", "RS256"],
                                issuer=os.environ["ISSUER"], audience=os.environ["AUDIENCE"])
        except jwt.PyJWTError as refused:
            return self.answer(401, type(refused).__name__)
        self.answer(200, claims["sub"])

    def answer(self, status, text):
        body = (text + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Service).serve_forever()
