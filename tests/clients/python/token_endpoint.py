"""A token endpoint as OpenID Connect has it, for one client with its secret: it gives out one token."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

CLIENT, SECRET = "gate", "secret of the gate"
LOGIN = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()


def serve(token):
    """Serves from now on; librdkafka's settings that lead to it, and the list of who asked: one truth value for each."""
    asked = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            is_good = self.headers["Authorization"] == LOGIN and form.get("grant_type") == ["client_credentials"]
            asked.append(is_good)
            answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
            body = json.dumps(answer if is_good else {"error": "invalid_client"}).encode()
            self.send_response(200 if is_good else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.token.endpoint.url": f"http://127.0.0.1:{server.server_port}/token",
        "sasl.oauthbearer.client.id": CLIENT,
        "sasl.oauthbearer.client.secret": SECRET,
    }
    return settings, asked
