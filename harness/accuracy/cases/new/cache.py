"""An API on Redis, RESP by hand, with a pool whose connections are pinged while they idle. HOW: old-first (the older password first where there are two),
start (the login of its start), bare (AUTH with the password alone). LIFE_MS: how long a connection lives; without it, for good. RETRY_MS: a refused login is tried again so much later, all wait meanwhile."""
import json, os, queue, socket, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

E = os.environ
HOW = E.get("HOW", "")
lock = threading.Lock()


def fetch():
    r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": E["NAME"]})
    with urllib.request.urlopen(r, timeout=2) as answer:
        d = json.load(answer)["data"]["data"]
    all = sorted(d["keys"], key=lambda k: k["tag"] != d["emit"])
    return [(k["user"], k["password"]) for k in (sorted(all, key=lambda k: k["tag"]) if HOW == "old-first" else all[:1])]


logins = fetch()


class Redis:
    def __init__(self):
        global logins
        if HOW != "start":
            logins = fetch()
        self.at = time.monotonic()
        for user, password in logins:
            self.s = socket.create_connection((E["DB_HOST"], int(E["DB_PORT"])), timeout=3)
            self.f = self.s.makefile("rb")
            said = self.ask("AUTH", user, password)
            if said == "OK":
                self.ask("CLIENT", "SETNAME", E["NAME"] + "/1")
                return
            self.s.close()
        raise OSError(said)

    def ask(self, *words):
        self.s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words))
        line = self.f.readline().decode().strip()
        if not line:
            raise OSError("closed")
        if line[0] == "$":
            n = int(line[1:])
            return None if n < 0 else self.f.read(n + 2)[:-2].decode()
        return line[1:]

    def old(self):
        return "LIFE_MS" in E and time.monotonic() > self.at + float(E["LIFE_MS"]) / 1000


pool = queue.LifoQueue() if E.get("LIFO") else queue.Queue()
for _ in range(int(E.get("SIZE", "3"))):
    pool.put(Redis())


def keep():
    while True:
        time.sleep(0.3)
        c = pool.get()
        try:
            c and c.ask("PING")
        except OSError:
            c = None
        pool.put(c)


threading.Thread(target=keep, daemon=True).start()


def serve():
    c = pool.get(timeout=5)
    try:
        if c is not None and c.old():
            c.s.close()
            c = None
        for attempt in (1, 2):
            try:
                c = c or Redis()
                said = c.ask("GET", "rehearsal:visits")
                if said and said.split(" ")[0] in ("NOAUTH", "NOPERM"):
                    raise OSError(said)
                return
            except OSError:
                c = None
                if attempt == 2:
                    raise
    finally:
        pool.put(c)


class API(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            if self.path != "/up":
                serve()
            self.say(200)
        except Exception as e:
            print("redis:", type(e).__name__, str(e).strip()[:160], flush=True)
            self.say(500)

    def say(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


Server(("127.0.0.1", int(E["PORT"])), API).serve_forever()
