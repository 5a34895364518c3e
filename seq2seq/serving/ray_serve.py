"""Replicas of the models on the machines of a Ray cluster. Needs the extra `scale`.

Replicas share nothing: each loads the models that it is asked for, and a request goes to one that
has its model already, where there is such a one (model multiplexing). Requests that come together
are computed in one batch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException

from seq2seq.checkpoint import Checkpoint, load
from seq2seq.errors import UserError
from seq2seq.serving.request import Request, compute_together
from seq2seq.trace import Trace

APPLICATION, NAMESPACE = "seq2seq", "seq2seq"
MODELS_KEPT = 4  # by each replica
BATCH, BATCH_SECONDS = 16, 0.005  # requests, and how long the first one waits for others
ONGOING, QUEUED = 32, 64  # requests at a replica, and waiting for one at each caller
GIVE_UP = 60.0  # seconds after which a request is given up
LOOK_EVERY = 0.2
TRIES = 3
AUTOSCALING = {"min_replicas": 1, "max_replicas": 8, "target_ongoing_requests": 4}


class Replica:
    """Computes requests with models that it loads when they are first asked for."""

    async def compute(self, request: Request) -> Trace | UserError:
        """Compute a request; a UserError is returned: raised, it would arrive with a traceback."""
        try:
            await self.model(request.checkpoint)
        except UserError as error:
            return error
        return await self.together(request)

    @serve.multiplexed(max_num_models_per_replica=MODELS_KEPT)
    async def model(self, name: str) -> Checkpoint:
        """Load a model, in a thread: the event loop answers health checks meanwhile."""
        return await asyncio.to_thread(load, name)

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=BATCH_SECONDS)
    async def together(self, requests: list[Request]) -> list[Trace | UserError]:
        """Compute what has come together."""
        names = {request.checkpoint for request in requests}
        models = {name: await self.model(name) for name in names}
        return await asyncio.to_thread(compute_together, models.__getitem__, requests)


def deploy(cluster: str = "", replicas: int = 0, gpus: float = 0.0) -> str:
    """Start replicas on a cluster, or on one of this machine's own; returns the cluster's address.

    replicas: 0 for as many as there is work for. gpus: of each replica; 0.5 puts two on a card.
    Raises UserError where there is no such cluster.
    """
    _connect(cluster)
    count: dict[str, Any] = {"num_replicas": replicas}
    if not replicas:
        count = {"autoscaling_config": AUTOSCALING}
    replica = serve.deployment(
        Replica,
        name="Replica",
        max_ongoing_requests=ONGOING,
        max_queued_requests=QUEUED,
        ray_actor_options={
            "num_cpus": 1,
            "num_gpus": gpus,
            "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}},
        },
        health_check_period_s=5,
        health_check_timeout_s=10,
        **count,
    )
    serve.start(proxy_location="Disabled")  # requests come from handles, and none by HTTP
    serve.run(replica.bind(), name=APPLICATION, route_prefix=None)
    return str(ray.get_runtime_context().gcs_address)


class RayServe:
    """An Engine whose requests are computed by the replicas of a cluster."""

    def __init__(self, cluster: str) -> None:
        _connect(cluster)
        try:
            self.replicas = serve.get_app_handle(APPLICATION)
        except RayServeException:
            raise UserError(
                f"No models are served on the cluster {cluster}: start them there with "
                "seq2seq serve --ray."
            ) from None

    def compute(self, request: Request, on_wait: Callable[[], object] | None = None) -> Trace:
        """Compute a request as an Engine does; one whose replica is lost goes to another."""
        ends = time.monotonic() + GIVE_UP
        for _ in range(TRIES):
            with suppress(RayActorError, DeploymentUnavailableError):
                found = self._ask(request, on_wait, ends)
                if isinstance(found, UserError):
                    raise found
                return found
        raise UserError("The machines that run the models keep failing: try again in a minute.")

    def _ask(
        self, request: Request, on_wait: Callable[[], object] | None, ends: float
    ) -> Trace | UserError:
        handle = self.replicas.options(multiplexed_model_id=request.checkpoint)
        response = handle.compute.remote(request)
        try:
            while True:
                try:
                    return response.result(timeout_s=LOOK_EVERY)
                except TimeoutError:
                    if on_wait is not None:
                        on_wait()
                    if time.monotonic() > ends:
                        return UserError(
                            f"The machine that ran this did not answer within {GIVE_UP:.0f} s: "
                            "try again, or a shorter input."
                        )
        except BackPressureError:
            return UserError("All machines are busy: try again in some seconds.")
        finally:
            # Of no effect on what has ended. A visitor who leaves raises in on_wait.
            response.cancel()


def _connect(cluster: str) -> None:
    """Join a cluster, or start one on this machine where none is named, once for a process."""
    if ray.is_initialized():
        return
    try:
        ray.init(
            address=cluster or "local",
            namespace=NAMESPACE,
            log_to_driver=False,
            include_dashboard=None if cluster else False,
            configure_logging=False,
        )
    except (ConnectionError, RayError, RuntimeError, ValueError):
        raise UserError(
            f"No Ray cluster answers at {cluster or 'this machine'}, or it does not know this "
            "machine's token: start it, or set what seq2seq serve --ray printed."
        ) from None
