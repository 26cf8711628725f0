"""Stock levels out of PostgreSQL, over a small pool. The login is a URL in DSN_FILE, or read in a Vault. HOW: forever (no connection is ever closed)."""
import json, os, queue, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import psycopg2

E = os.environ
HOW = set(E.get("HOW", "").split(","))
LIFE = float(E["LIFE_MS"]) / 1000


def read():
    if "DSN_FILE" in E:
        return open(E["DSN_FILE"]).read().strip()
    r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": "stock/1"})
    with urllib.request.urlopen(r, timeout=2) as answer:
        d = json.load(answer)["data"]["data"]
    k = next(k for k in d["keys"] if k["tag"] == d["emit"])
    return f"host={E['DB_HOST']} port={E['DB_PORT']} dbname=postgres user={k['user']} password={k['password']} sslmode=disable"


dsn = read()


def follow():
    global dsn
    while True:
        time.sleep(float(E["REFRESH_MS"]) / 1000)
        try:
            dsn = read()
        except Exception as e:
            print("login:", e, flush=True)


pool = queue.Queue()
for _ in range(4):
    pool.put(None)


def serve():
    slot = pool.get(timeout=5)
    try:
        if slot and "forever" not in HOW and time.monotonic() > slot[1]:
            slot[0].close()
            slot = None
        if slot is None:
            c = psycopg2.connect(dsn, connect_timeout=3, application_name="stock/1")
            c.autocommit = True
            slot = c, time.monotonic() + LIFE
        try:
            slot[0].cursor().execute("SELECT visits FROM rehearsal")
        except psycopg2.Error:
            slot[0].close()
            slot = None
            raise
    finally:
        pool.put(slot)


class Stock(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            if self.path != "/up":
                serve()
            self.say(200)
        except Exception as e:
            print("database:", type(e).__name__, str(e).strip()[:160], flush=True)
            self.say(500)

    def say(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


threading.Thread(target=follow, daemon=True).start()
Server(("127.0.0.1", int(E["PORT"])), Stock).serve_forever()
