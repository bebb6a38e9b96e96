"""Servers for tests that speak as open data services do: ArcGIS, Socrata, plain files, bad ones."""

import csv
import io
import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Service:
    """A server on loopback; ``answers`` are functions by path, ``asked`` is what came."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                outer.asked.append((parts.path, query, dict(self.headers)))
                answer = outer.answers.get(parts.path)
                with suppress(BrokenPipeError, ConnectionResetError):
                    if answer is None:
                        self.send(404, b"no such thing")
                    else:
                        answer(self, query)

            def send(self, status, content, kind="application/json", **headers):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(content)

            def send_json(self, document, status=200, **headers):
                self.send(status, json.dumps(document).encode(), **headers)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def plain(self, path, content, kind="text/csv", **headers):
        self.answers[path] = lambda it, _: it.send(200, content, kind, **headers)

    def moved(self, path, target, status=302):
        self.answers[path] = lambda it, _: it.send(status, b"", Location=target)

    def endless(self, path):
        """Answer with chunks that do not end."""

        def answer(it, _query):
            it.send_response(200)
            it.send_header("Transfer-Encoding", "chunked")
            it.end_headers()
            while True:
                it.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

        self.answers[path] = answer

    def slow(self, path, pause, pieces=1000):
        """Answer byte by byte."""

        def answer(it, _query):
            it.send_response(200)
            it.send_header("Content-Length", str(pieces))
            it.end_headers()
            for _ in range(pieces):
                it.wfile.write(b"x")
                it.wfile.flush()
                time.sleep(pause)

        self.answers[path] = answer


class ArcGis:
    """One layer of points, as a feature service shows it; its rows have ids with gaps."""

    def __init__(self, service, n, path="/arcgis/rest/services/x/FeatureServer/0", **about):
        self.rows = [
            {"OBJECTID": 3 * i + 1, "kind": f"k{i % 3}", "when": 1_700_000_000_000 + i}
            for i in range(n)
        ]
        self.about = {
            "name": "Bars",
            "type": "Feature Layer",
            "geometryType": "esriGeometryPoint",
            "objectIdField": "OBJECTID",
            "maxRecordCount": 10,
            "capabilities": "Query,Extract",
            "supportedQueryFormats": "JSON, geoJSON, PBF",
            "advancedQueryCapabilities": {"supportsPagination": True},
            **about,
        }
        self.fault = None  # (which query, answer)
        self.lose = 0
        self.tells_of_more = True
        self.queries = 0
        self.url = service.url(path)
        service.answers[path] = self.describe
        service.answers[f"{path}/query"] = self.query

    @staticmethod
    def place(row):
        return -79.0 + row["OBJECTID"] / 1000, 36.0

    def describe(self, it, _query):
        it.send_json(self.about)

    def query(self, it, query):
        self.queries += 1
        if self.fault and self.fault[0] == self.queries:
            it.send_json(self.fault[1])
            return
        rows = [row for row in self.rows if query["where"] in ("1=1", f"kind = '{row['kind']}'")]
        if query.get("returnCountOnly") == "true":
            it.send_json({"count": len(rows) + self.lose})
        elif query.get("returnIdsOnly") == "true":
            ids = [row["OBJECTID"] for row in rows]
            it.send_json({"objectIdFieldName": "OBJECTID", "objectIds": ids[::-1] or None})
        else:
            assert query["outSR"] == "4326"
            self.page(it, query, rows)

    def page(self, it, query, rows):
        most = self.about["maxRecordCount"]
        if "objectIds" in query:
            wanted = {int(one) for one in query["objectIds"].split(",")}
            rows = [row for row in rows if row["OBJECTID"] in wanted]
        elif "resultOffset" in query:
            assert self.about["advancedQueryCapabilities"]["supportsPagination"]
            assert query["orderByFields"] == "OBJECTID"
            rows = rows[int(query["resultOffset"]) :]
            most = min(most, int(query["resultRecordCount"]))
        more, rows = self.tells_of_more and len(rows) > most, rows[:most]
        if query["f"] == "geojson":
            features = [
                {
                    "type": "Feature",
                    "id": row["OBJECTID"],
                    "properties": row,
                    "geometry": {"type": "Point", "coordinates": self.place(row)},
                }
                for row in rows
            ]
            flag = {"properties": {"exceededTransferLimit": True}} if more else {}
            it.send_json({"type": "FeatureCollection", "features": features, **flag})
            return
        features = [
            {"attributes": row, "geometry": dict(zip("xy", self.place(row), strict=True))}
            for row in rows
        ]
        flag = {"exceededTransferLimit": True} if more else {}
        it.send_json({"spatialReference": {"wkid": 4326}, "features": features, **flag})


class Socrata:
    """One data set, as a portal shows it."""

    def __init__(self, service, n, key="abcd-1234"):
        self.rows = [{"id": f"r{i}", "place, name": f'a "b"\n{i}', "n": str(i)} for i in range(n)]
        self.busy = 0
        self.lose = 0
        self.tokens = []
        self.orders = []
        self.service = service
        for ending in ("csv", "json", "geojson"):
            service.answers[f"/resource/{key}.{ending}"] = getattr(self, ending)

    def take(self, it, query):
        self.tokens.append(it.headers.get("X-App-Token"))
        if self.busy:
            self.busy -= 1
            it.send_json({"message": "too many requests"}, 429, Retry_After="7")
            return None
        if "$where" in query and query["$where"] != "n > 1":
            told = {"code": "query.soql.no-such-column", "error": True, "message": "No such column"}
            it.send_json(told, 400)
            return None
        rows = [r for r in self.rows if "$where" not in query or int(r["n"]) > 1]
        if "$select" in query:
            return rows
        self.orders.append(query.get("$order"))
        start = int(query["$offset"])
        return rows[start : start + int(query["$limit"])]

    def json(self, it, query):
        rows = self.take(it, query)
        if rows is not None:
            assert query["$select"] == "count(*) as n"
            it.send_json([{"n": str(len(rows) + self.lose)}])

    def csv(self, it, query):
        rows = self.take(it, query)
        if rows is not None:
            text = io.StringIO()
            writer = csv.DictWriter(text, ["id", "place, name", "n"])
            writer.writeheader()
            writer.writerows(rows)
            it.send(200, text.getvalue().encode(), "text/csv")

    def geojson(self, it, query):
        rows = self.take(it, query)
        if rows is not None:
            features = [
                {
                    "type": "Feature",
                    "properties": row,
                    "geometry": {"type": "Point", "coordinates": [-79.0, 36.0]},
                }
                for row in rows
            ]
            it.send_json({"type": "FeatureCollection", "features": features})
