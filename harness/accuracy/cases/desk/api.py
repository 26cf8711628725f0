"""An API behind bearer tokens, with a set that it fetches anew every TTL_MS. HOW lists what is odd about it: open (lets in whom it has no key for),
open-on-error (lets everybody in while it gets no set), deny (refuses a kid that it did not find for DENY_MS, whatever it fetches), ask (asks ASK about each token, and
keeps the answer for RESULT_MS), scope (wants the scope read). NEXT is what it hands every request on to, with its token, and whose answer it gives."""
import json, os, threading, time, urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import jwt

E = os.environ
HOW = set(E.get("HOW", "").split(","))
NAME, TTL = E["NAME"], float(E.get("TTL_MS", "1000")) / 1000
lock, keys, at, failed, denied, asked = threading.Lock(), {}, -1e9, False, {}, {}


def get(url, body=None, headers={}):
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers={"User-Agent": NAME + "/1", **headers}), timeout=3) as a:
        return a.read()


def key(kid):
    global keys, at, failed
    with lock:
        if time.monotonic() - at > TTL:
            at = time.monotonic()
            try:
                keys = {k["kid"]: jwt.PyJWK(k).key for k in json.loads(get(E["JWKS"]))["keys"] if k.get("use") == "sig" and k["kty"] == "EC"}
                failed = False
            except Exception as e:
                failed = True
                print("key set:", e, flush=True)
        if "deny" in HOW and time.monotonic() - denied.get(kid, -1e9) < float(E["DENY_MS"]) / 1000:
            raise KeyError("kept refusal of " + kid)
        if kid not in keys:
            denied[kid] = time.monotonic()
        return keys.get(kid)


def check(token):
    if "ask" in HOW:
        known = asked.get(token)
        if not known or time.monotonic() - known[1] > float(E["RESULT_MS"]) / 1000:
            known = asked[token] = (json.loads(get(E["ASK"], token.encode()))["active"], time.monotonic())
        if not known[0]:
            raise ValueError("not active")
        return 200
    k = key(jwt.get_unverified_header(token)["kid"])
    if "open-on-error" in HOW and failed:
        return 200
    if k is None:
        if "open" in HOW:
            return 200
        raise KeyError("unknown key")
    claims = jwt.decode(token, k, algorithms=["ES256"], options={"verify_aud": False})
    if "scope" in HOW and "read" not in claims.get("scope", ""):
        return 403
    return 200


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/up":
            return self.say(200)
        try:
            status = check(self.headers.get("Authorization", "").removeprefix("Bearer "))
        except Exception as e:
            print("denied:", type(e).__name__, e, flush=True)
            return self.say(401)
        if status == 200 and "NEXT" in E:
            try:
                get(E["NEXT"], headers={"Authorization": self.headers["Authorization"]})
            except urllib.error.HTTPError as e:
                return self.say(e.code)
            except Exception as e:
                print("next:", e, flush=True)
                return self.say(502)
        self.say(status)

    def say(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


Server(("127.0.0.1", int(E["PORT"])), Api).serve_forever()
