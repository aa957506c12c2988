"""The numbers this server tells a monitoring system; a registry for each app, no text of a person in any of them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counters of requests and traces, and gauges of what is held and what waits."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "atlas_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "atlas_request_seconds", "Seconds until a reply was sent.", ("route",), registry=self.registry
        )
        self.traces = Counter("atlas_traces_made", "Traces made.", ("model",), registry=self.registry)
        self.cache_bytes = Gauge("atlas_trace_cache_bytes", "Memory that held traces take.", registry=self.registry)
        self.queue = Gauge("atlas_queue_length", "Requests in a model's lane.", ("model",), registry=self.registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one request; an invented method is counted as OTHER."""
        self.requests.labels(method if method in METHODS else "OTHER", route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All numbers in Prometheus' text format."""
        return generate_latest(self.registry)
