# SPDX-License-Identifier: Apache-2.0
"""Heat's API, its CFN API and its engine in one process: run by the services' own Python.

    python heat_all.py --config-file heat.conf ADDRESS API_PORT CFN_PORT

Heat itself no longer has such a program. It spares the lab a message broker (``transport_url =
fake://`` reaches no further than a process) and two thirds of the memory and of the start-up time.
"""

# Heat and oslo are in the services' environment, not in the one that checks types.
# mypy: disable-error-code="import-not-found,import-untyped,no-any-unimported,misc"
# ruff: noqa: E402 - oslo.service wants its backend chosen before others import it

import socketserver
import sys
import threading
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import oslo_i18n
from oslo_config import cfg
from oslo_log import log as logging
from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from heat.common import config, messaging
from heat.engine import service
from heat.rpc import api as rpc_api


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread for each request: one that waits for the engine does not hold up the others."""

    daemon_threads = True
    request_queue_size = 128


class Handler(WSGIRequestHandler):
    """Logs requests as oslo.log does, and without the query, which holds CFN signatures."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - as inherited
        """Write one line for each request."""
        path = self.path.partition("?")[0]
        status = args[1] if len(args) > 1 else "-"
        logging.getLogger("heat_all").info("%s %s %s", self.command, path, status)


def configure(arguments: list[str]) -> None:
    """Read heat.conf, and set up what all of Heat's programs set up first."""
    oslo_i18n.enable_lazy()
    logging.register_options(cfg.CONF)
    logging.set_defaults()
    cfg.CONF(arguments, project="heat", prog="heat-all")
    logging.setup(cfg.CONF, "heat-all")
    config.set_config_defaults()
    messaging.setup()
    config.startup_sanity_check()


def main() -> None:
    """Start the engine, then answer on the APIs' ports: who gets an answer has an engine."""
    *options, address, api_port, cfn_port = sys.argv[1:]
    configure(options)
    service.EngineService(cfg.CONF.host, rpc_api.ENGINE_TOPIC).start()
    for name, port in (("heat-api", api_port), ("heat-api-cfn", cfn_port)):
        application = config.load_paste_app(name)
        server = make_server(address, int(port), application, Server, Handler)
        threading.Thread(target=server.serve_forever, name=name).start()


if __name__ == "__main__":
    main()
