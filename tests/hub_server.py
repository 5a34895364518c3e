"""A small Hugging Face Hub on loopback: what huggingface_hub asks for, and faults on demand."""

import base64
import hashlib
import json
import re
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = (".safetensors", ".bin", ".model", ".spm", ".h5")


def git_digest(content):
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@dataclass
class Model:
    """commits: of the files at each; refs: branches and pull requests to commits."""

    commits: dict = field(default_factory=dict)
    refs: dict = field(default_factory=dict)
    page: dict = field(default_factory=dict)
    discussions: list = field(default_factory=list)
    gated: bool = False
    private: bool = False

    def commit(self, files, ref="main"):
        """Add a commit of exactly these files; returns its name."""
        text = repr((sorted(files), ref, len(self.commits)))
        sha = hashlib.sha1(text.encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.refs[ref] = sha
        return sha

    def offer(self, files, author="SFconvertbot", status="open"):
        """Open a pull request with these files; returns its commit."""
        number = len(self.discussions) + 1
        self.discussions.append(
            {
                "num": number,
                "title": "Adding `safetensors` variant of this model",
                "author": {"name": author},
                "status": status,
                "isPullRequest": True,
                "createdAt": "2026-01-01T00:00:00.000Z",
                "repo": {"name": "", "type": "model"},
            }
        )
        return self.commit(files, f"refs/pr/{number}")


@dataclass
class Fault:
    """What goes wrong with requests whose path matches, `times` times.

    drop: bytes of the body after which the connection breaks. stall: the same, but it stays open.
    swap: another body of its own length. ignore_range: the whole file for part of it.
    """

    path: str
    status: int = 0
    code: str = ""
    drop: int = -1
    stall: int = -1
    trickle: float = 0
    swap: bytes = b""
    ignore_range: bool = False
    times: int = 1_000_000


class Hub:
    """token: the one that may do everything. requests: (method, path, authorization) as they came.

    moved: old names to new ones. uploads: names of the files that commits changed. cards: those
    that were sent for checking. hub, storage: the addresses. encodings: accepted for files.
    """

    token = "hf_test"

    def __init__(self):
        self.models = {}
        self.moved = {}
        self.faults = []
        self.requests = []
        self.large = {}
        self.encodings = set()
        self.uploads = []
        self.cards = []
        self.released = threading.Event()
        self.lock = threading.Lock()

    def model(self, name, files, **values):
        """Make a model with one commit; returns it."""
        self.models[name] = model = Model(**values)
        model.commit(files)
        return model

    def fail(self, path, **values):
        """Add a fault for paths that hold this pattern."""
        self.faults.append(Fault(path, **values))

    def count(self, pattern="", method=""):
        """Count the requests so far."""
        return sum(
            bool(re.search(pattern, path)) and method in ("", verb)
            for verb, path, _ in self.requests
        )


@contextmanager
def serving():
    """Run a Hub, and the other host that large files come from; gives the Hub."""
    hub = Hub()
    servers = []
    for role in ("hub", "storage"):
        handler = type("Handler", (_Handler,), {"hub": hub, "role": role})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.block_on_close = False
        servers.append(server)
        setattr(hub, role, f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.released.set()
        for server in servers:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    role: str
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle(self):
        with suppress(OSError):  # clients here leave when they like
            super().handle()

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self):
        hub, split = self.hub, urlsplit(self.path)
        self.where, self.query = unquote(split.path), parse_qs(split.query)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with hub.lock:
            hub.requests.append((self.command, self.where, self.headers.get("Authorization")))
            self.fault = next(
                (f for f in hub.faults if f.times > 0 and re.search(f.path, self.where)), None
            )
            if self.fault:
                self.fault.times -= 1
        if self.fault and self.fault.status:
            return self._refuse(self.fault.status, self.fault.code)
        for old, new in hub.moved.items():
            if self.where.startswith((f"/api/models/{old}/", f"/{old}/")):
                there = self.path.replace(old, new, 1)
                return self._send(b"", {"Location": hub.hub + there}, 307)
        route = f"{self.command} {self.where}" if self.role == "hub" else "STORAGE"
        for pattern, method in _ROUTES:
            match = re.fullmatch(pattern, route)
            if match:
                return method(self, *match.groups())
        return self._refuse(404)

    def _refuse(self, status, code="", message=""):
        headers = {"X-Error-Code": code} if code else {}
        self._send(json.dumps({"error": message or code}).encode(), headers, status)

    def _json(self, value):
        self._send(json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, content, headers=None, status=200):
        fault = self.fault or Fault("")
        content = fault.swap or content
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if fault.stall == 0:
            self.hub.released.wait()
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault.trickle:
            for byte in content:
                if self.hub.released.wait(fault.trickle):
                    break
                self.wfile.write(bytes([byte]))
            self.close_connection = True
        elif max(fault.drop, fault.stall) >= 0:
            self.wfile.write(content[: max(fault.drop, fault.stall)])
            self.wfile.flush()
            if fault.stall >= 0:
                self.hub.released.wait()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(content)

    def _allowed(self, name, reading=True):
        """Return the model, or None after having said why not."""
        token = self.headers.get("Authorization")
        mine = token == f"Bearer {self.hub.token}"
        model = self.hub.models.get(name)
        if token and not mine:
            self._send(
                b"{}", {"X-Error-Message": "Invalid credentials in Authorization header"}, 401
            )
        elif model is None or (model.private and not mine):
            self._refuse(404 if mine else 401, "RepoNotFound")
        elif reading and model.gated and not mine:
            self._refuse(401, "GatedRepo")
        else:
            return model
        return None

    def _files(self, name, revision, reading=True):
        model = self._allowed(name, reading)
        if model is None:
            return None, None
        sha = model.refs.get(revision, revision)
        if sha not in model.commits:
            self._refuse(404, "RevisionNotFound")
            return None, None
        return sha, model.commits[sha]

    def info(self, name, revision="main"):
        """Answer GET /api/models/{id}[/revision/{revision}], which is open for gated models too."""
        sha, files = self._files(name, revision, reading=False)
        if sha is None:
            return
        siblings = []
        for path, content in files.items():
            sibling = {"rfilename": path}
            if "blobs" in self.query:
                sibling |= {"size": len(content), "blobId": git_digest(content)}
                if path.endswith(LARGE):
                    digest = hashlib.sha256(content).hexdigest()
                    sibling["lfs"] = {"size": len(content), "sha256": digest, "pointerSize": 130}
            siblings.append(sibling)
        model = self.hub.models[name]
        gated = "auto" if model.gated else False
        self._json({"id": name, "sha": sha, "siblings": siblings, "gated": gated} | model.page)

    def resolve(self, name, revision, path):
        """Answer HEAD and GET /{id}/resolve/{revision}/{file}; large files lie elsewhere."""
        if revision == "refs":
            first, second, path = path.split("/", 2)
            revision = f"refs/{first}/{second}"
        sha, files = self._files(name, revision)
        if sha is None:
            return
        if path not in files:
            self._refuse(404, "EntryNotFound")
            return
        content = files[path]
        headers = {"X-Repo-Commit": sha, "ETag": f'"{git_digest(content)}"'}
        if path.endswith(LARGE) and not (self.fault and self.fault.path in self.where):
            digest = hashlib.sha256(content).hexdigest()
            self.hub.large[digest] = content
            address = f"{self.hub.storage}/{digest}/{path.rpartition('/')[2]}"
            headers |= {
                "Location": address,
                "X-Linked-Etag": f'"{digest}"',
                "X-Linked-Size": str(len(content)),
            }
            self._send(b"", headers, 302)
            return
        self._part(content, headers)

    def stored(self):
        """Answer for the other host: GET of large files, PUT of uploads."""
        digest = self.where.split("/")[1]
        if self.command == "PUT":
            self.hub.large[digest] = self.body
            self._send(b"", {"ETag": '"x"'})
        else:
            self._part(self.hub.large[digest], {"ETag": f'"{digest}"'})

    def _part(self, content, headers):
        self.hub.encodings.add(self.headers.get("Accept-Encoding"))
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if match and not (self.fault and self.fault.ignore_range):
            start = int(match[1])
            headers |= {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            self._send(content[start:], headers, 206)
        else:
            self._send(content, headers)

    def tree(self, name, revision):
        """Answer GET /api/models/{id}/tree/{revision}."""
        sha, files = self._files(name, revision)
        if sha is None:
            return
        entries = []
        for path, content in files.items():
            oid = git_digest(content)
            entry = {"type": "file", "path": path, "size": len(content), "oid": oid}
            if path.endswith(LARGE):
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
            entries.append(entry)
        self._json(entries)

    def discussions(self, name):
        """Answer GET /api/models/{id}/discussions."""
        model = self._allowed(name)
        if model:
            found = model.discussions
            self._json({"discussions": found, "count": len(found), "start": 0})

    def create(self):
        """Answer POST /api/repos/create."""
        values = json.loads(self.body)
        name = f"{values['organization']}/{values['name']}"
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._refuse(401)
        elif name in self.hub.models:
            self._send(json.dumps({"url": f"{self.hub.hub}/{name}"}).encode(), {}, 409)
        else:
            self.hub.model(name, {".gitattributes": b"*.safetensors filter=lfs\n"})
            self._json({"url": f"{self.hub.hub}/{name}"})

    def validate(self):
        """Answer POST /api/validate-yaml."""
        self.hub.cards.append(json.loads(self.body)["content"])
        if "licence-nobody-knows" in self.hub.cards[-1]:
            errors = {"errors": [{"message": '"license" must be one of a list'}], "warnings": []}
            self._send(json.dumps(errors).encode(), {}, 400)
        else:
            self._json({"errors": [], "warnings": []})

    def preupload(self, name, revision):
        """Answer POST /api/models/{id}/preupload/{revision}."""
        sha, present = self._files(name, revision)
        if sha is None:
            return
        files = []
        for file in json.loads(self.body)["files"]:
            path = file["path"]
            mode = "lfs" if path.endswith(LARGE) else "regular"
            content = present.get(path)
            oid = None
            if content is not None:
                digest = hashlib.sha256(content).hexdigest()
                oid = digest if mode == "lfs" else git_digest(content)
            entry = {"path": path, "uploadMode": mode, "shouldIgnore": False}
            files.append(entry | ({"oid": oid} if oid else {}))
        self._json({"files": files})

    def batch(self, name):
        """Answer POST /{id}.git/info/lfs/objects/batch."""
        if not self._allowed(name):
            return
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            entry = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.large:
                upload = {"href": f"{self.hub.storage}/{wanted['oid']}/upload"}
                entry["actions"] = {"upload": upload}
            objects.append(entry)
        self._json({"transfer": "basic", "objects": objects})

    def commit(self, name, revision):
        """Answer POST /api/models/{id}/commit/{revision}."""
        sha, present = self._files(name, revision)
        if sha is None:
            return
        files = dict(present)
        for line in map(json.loads, self.body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            if line["key"] != "header":
                self.hub.uploads.append(value["path"])
        made = self.hub.models[name].commit(files, revision)
        address = f"{self.hub.hub}/{name}/commit/{made}"
        self._json({"commitUrl": address, "commitOid": made, "success": True})


_ID = r"([^/]+/[^/]+|[^/]+)"
_ROUTES = [
    (r"STORAGE", _Handler.stored),
    (rf"GET /api/models/{_ID}/discussions", _Handler.discussions),
    (rf"GET /api/models/{_ID}/revision/(.+)", _Handler.info),
    (rf"GET /api/models/{_ID}/tree/([^/]+)", _Handler.tree),
    (r"GET /api/models/([^/]+/[^/]+|[^/]+)", _Handler.info),
    (r"POST /api/repos/create", _Handler.create),
    (r"POST /api/validate-yaml", _Handler.validate),
    (rf"POST /api/models/{_ID}/preupload/(.+)", _Handler.preupload),
    (rf"POST /api/models/{_ID}/commit/(.+)", _Handler.commit),
    (rf"POST /{_ID}\.git/info/lfs/objects/batch", _Handler.batch),
    (rf"(?:GET|HEAD) /{_ID}/resolve/([^/]+)/(.+)", _Handler.resolve),
]


def wait_until(condition, seconds=5):
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
