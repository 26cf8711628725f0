"""An API on PostgreSQL, with a pool as libraries have them: LIFO, as SQLAlchemy's, whose connections are made anew when they are taken out and
older than LIFE_MS; all are made at the start. READ: each time (default), start, or cache (kept for CACHE_MS, as a secrets manager's client does).
ONE: of its copies, the first reads its login at its start."""
import json, os, queue, socket, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import psycopg2

E = os.environ
READ = E.get("READ", "")
first = socket.socket(socket.AF_UNIX)  # of those that one parent has started
if "ONE" in E:
    try:
        first.bind(f"\0{E['NAME']} of {os.getppid()}")
        READ = "start"
    except OSError:
        pass


def fetch():
    if "DSN_FILE" in E:
        return open(E["DSN_FILE"]).read().strip()
    r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": E["NAME"]})
    with urllib.request.urlopen(r, timeout=2) as answer:
        d = json.load(answer)["data"]["data"]
    k = next(k for k in d["keys"] if k["tag"] == d["emit"])
    return f"host={E['DB_HOST']} port={E['DB_PORT']} dbname=postgres user={k['user']} password={k['password']} sslmode=disable"


login, at = fetch(), time.monotonic()


def connect():
    global login, at
    if READ == "" or READ == "cache" and time.monotonic() > at + float(E["CACHE_MS"]) / 1000:
        login, at = fetch(), time.monotonic()
    c = psycopg2.connect(login, connect_timeout=3, application_name=E["NAME"] + "/1")
    c.autocommit = True
    return c, time.monotonic() + float(E["LIFE_MS"]) / 1000


pool = queue.LifoQueue()
for _ in range(int(E.get("SIZE", "3"))):
    pool.put(connect())


def serve():
    slot = pool.get(timeout=5)
    try:
        if slot is not None and time.monotonic() > slot[1]:
            slot[0].close()
            slot = None
        slot = slot or connect()
        try:
            slot[0].cursor().execute("SELECT visits FROM rehearsal")
        except psycopg2.Error:
            slot[0].close()
            slot = None
            raise
    finally:
        pool.put(slot)


class API(BaseHTTPRequestHandler):
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


Server(("127.0.0.1", int(E["PORT"])), API).serve_forever()
