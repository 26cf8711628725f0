#!/usr/bin/env python3
"""A secrets manager in a file, as AWS Secrets Manager is, and the team's rotation function with its four steps, for two users that take turns.
   secret.py first                     the first version of the secret
   secret.py rotate [GOES-WRONG]       has the function called four times, as RotateSecret does; what may go wrong: untested, set-fails, unfinished
   secret.py back                      the version before is the current one again, and the other user is locked out
   secret.py current|pending           the user of the version with that label, if there is one
   secret.py value USER · disable USER"""
import json, os, secrets, subprocess, sys
folder = os.environ["SHOP"]; path = folder + "/secrets/manager.json"
def read(): return json.load(open(path))
def put(name, text):
    with open(name + ".new", "w", opener=lambda p, f: os.open(p, f, 0o600)) as f: f.write(text)
    os.replace(name + ".new", name)
def write(versions): put(path, json.dumps(versions))
def labelled(label): return next((v for v in read() if label in v["labels"]), None)
def psql(user, password, sql, **more):
    return subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", "7532", "-U", user, "postgres", "-c", sql],
                          env=os.environ | {"PGPASSWORD": password}, check=True, capture_output=True, text=True, **more).stdout.strip()
def admin(sql): return psql("admin", open(folder + "/secrets/admin").read().strip(), sql)
def set_password(v):
    if not admin(f"SELECT 1 FROM pg_roles WHERE rolname = '{v['user']}'"): admin(f"CREATE ROLE {v['user']}")
    admin(f"ALTER ROLE {v['user']} LOGIN PASSWORD '{v['password']}'")
def move(label, to):
    was, versions = labelled(label), read()
    for v in versions: v["labels"] = [l for l in v["labels"] if l != label and not (label == "AWSCURRENT" and l == "AWSPREVIOUS")]
    for v in versions:
        if v["user"] == to["user"] and v["password"] == to["password"]: v["labels"].append(label)
        elif was and label == "AWSCURRENT" and v["user"] == was["user"] and v["password"] == was["password"]: v["labels"].append("AWSPREVIOUS")
    write(versions)
    if label == "AWSCURRENT": # what the agent beside the service hands it
        put(folder + "/secrets/dsn", f"postgres://{to['user']}:{to['password']}@127.0.0.1:7532/postgres?sslmode=disable&application_name=shop\n")
# The function.
def create_secret():
    user = {"shop_a": "shop_b", "shop_b": "shop_a"}[labelled("AWSCURRENT")["user"]]
    v = {"user": user, "password": secrets.token_urlsafe(18), "labels": []}
    write(read() + [v]); move("AWSPENDING", v)
def set_secret():
    if wrong == "set-fails": sys.exit("setSecret: the master secret is not to be had")
    pending = labelled("AWSPENDING")
    set_password(pending | {"password": "stale"} if wrong == "untested" else pending)
def test_secret():
    if wrong != "untested": psql(labelled("AWSPENDING")["user"], labelled("AWSPENDING")["password"], "SELECT 1")
def finish_secret():
    if wrong != "unfinished": move("AWSCURRENT", labelled("AWSPENDING"))
step, argument = sys.argv[1], (sys.argv[2:] or [""])[0]
if step == "first":
    v = {"user": "shop_a", "password": secrets.token_urlsafe(18), "labels": []}
    write([v]); set_password(v); move("AWSCURRENT", v)
elif step == "rotate":
    wrong = argument
    for call in create_secret, set_secret, test_secret, finish_secret: print(call.__name__, flush=True); call()
elif step == "back":
    pending, current = labelled("AWSPENDING"), labelled("AWSCURRENT")
    if pending and current["user"] == pending["user"]: move("AWSCURRENT", labelled("AWSPREVIOUS"))
    if pending and admin(f"SELECT 1 FROM pg_roles WHERE rolname = '{pending['user']}'"): admin(f"ALTER ROLE {pending['user']} NOLOGIN")
elif step in ("current", "pending"): v = labelled("AWS" + step.upper()); print(v["user"] if v else "")
elif step == "value": print([v["password"] for v in read() if v["user"] == argument][-1])
elif step == "disable":
    admin(f"ALTER ROLE {argument} NOLOGIN"); admin(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{argument}'")
