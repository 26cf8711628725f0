"""A token service that signs with a shared secret (HS256), by PyJWT. POST /token gives a token for ttl seconds; for its operators by a kid."""
import json, sys, time, urllib.parse, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

FILE = sys.argv[1] + "/signs.json"


class Auth(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.say(200, {})

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        signs, now = json.load(open(FILE)), int(time.time())
        kid = form.get("kid", [signs["emit"]])[0]
        if kid not in signs["secrets"]:
            return self.say(400, {"error": "invalid_request"})
        claims = {"iss": "auth", "sub": "ann", "iat": now, "exp": now + int(form["ttl"][0]), "jti": str(uuid.uuid4())}
        self.say(200, {"access_token": jwt.encode(claims, signs["secrets"][kid], algorithm="HS256", headers={"kid": kid})})

    def say(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", 7330), Auth).serve_forever()
