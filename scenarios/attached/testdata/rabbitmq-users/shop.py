"""The shop: an order is a message to the broker, by a connection that is kept for as many seconds as its file `keep` says. Its login is a file too, read at each connection."""
import os, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import pika
def read(name): return open(os.environ["SHOP"] + "/" + name).read()
lock, channel, since = threading.Lock(), None, 0
def order():
    global channel, since
    with lock:
        kept, channel = channel, None
        if kept and time.time() - since > float(read("keep")):
            if kept.is_open: kept.connection.close()
            kept = None
        if not kept:
            user, password = read("login").split()
            kept, since = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(os.environ["BROKER"]), heartbeat=0, credentials=pika.PlainCredentials(user, password),
                                                  client_properties={"connection_name": "shop"})).channel(), time.time()
            kept.confirm_delivery(); kept.queue_declare("orders")
        kept.basic_publish("", "orders", b"order")
        channel = kept
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self): self.end(200)
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try: order(); self.end(201)
        except Exception as e: print("broker", repr(e), flush=True); self.end(502)
    def end(self, code):
        self.send_response(code); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), H).serve_forever()
