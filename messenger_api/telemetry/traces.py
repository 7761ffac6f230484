"""Traces: a span for each call of the API and of mesibo, to a collector of OpenTelemetry (extra `otel`).

A trace has the id of its request, so that the log and the trace name the same. A span holds the op, the error
or outcome and its time, and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    set_span_in_context,
)

from messenger_api import request_id
from messenger_api.domain.counting import Accumulator
from messenger_api.domain.figures import MESIBO_SECONDS, REQUEST_SECONDS, Figure
from messenger_api.version import VERSION

SERVICE = "messenger-api"
BILLION = 1_000_000_000


class Tracing(Accumulator):
    """Counts, and makes a span of each call whose seconds it is told."""

    def __init__(self, now: Callable[[], int], endpoint: str) -> None:
        """`endpoint`: of a collector, for OTLP over HTTP: http://127.0.0.1:4318."""
        super().__init__(now)
        self._spans = _Spans(endpoint)

    def observe(self, figure: Figure, seconds: float, *labels: str) -> None:
        """As an `Accumulator` does; the call has ended just now."""
        super().observe(figure, seconds, *labels)
        if figure is REQUEST_SECONDS:
            op, error = labels
            self._spans.add(op, seconds, {"op": op, "error": error}, is_request=True)
        elif figure is MESIBO_SECONDS:
            self._spans.add(f"mesibo {labels[0]}", seconds, {"op": labels[0]})

    def close(self) -> None:
        """Send what is left."""
        self._spans.close()


class _Ids(RandomIdGenerator):
    """Those of a request's own span follow from the request's id: `next.root`, of a thread."""

    def __init__(self) -> None:
        self.next = threading.local()

    def generate_trace_id(self) -> int:
        """A trace's id; `generate_span_id` follows."""
        root = getattr(self.next, "root", None)
        return root[0] if root else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """The id of a span, and no other of this thread gets the same."""
        root, self.next.root = getattr(self.next, "root", None), None
        return root[1] if root else super().generate_span_id()


class _Spans:
    """Makes spans of what is over, and sends them from a thread of the library's."""

    def __init__(self, endpoint: str) -> None:
        self._ids = _Ids()
        self._closed = threading.Event()
        self._provider = self._provided(endpoint)
        self._tracer = self._provider.get_tracer("messenger_api", VERSION)

    def add(self, name: str, seconds: float, facts: dict[str, str], *, is_request: bool = False) -> None:
        """A span that ends now: a request, or a part of it."""
        end = time.time_ns()
        self._ids.next.root = _root_of(request_id.current()) if is_request else None
        span = self._tracer.start_span(
            name,
            context=None if is_request else _within(request_id.current()),
            kind=SpanKind.SERVER if is_request else SpanKind.CLIENT,
            start_time=end - round(seconds * BILLION),
            attributes=facts,
        )
        span.end(end)

    def close(self) -> None:
        """Send what is left, and end the thread."""
        if not self._closed.is_set():
            self._closed.set()
            self._provider.shutdown()

    def _provided(self, endpoint: str) -> TracerProvider:
        named = Resource({"service.name": SERVICE, "service.version": VERSION})
        provider = TracerProvider(resource=named, id_generator=self._ids, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return provider


def _root_of(request: str) -> tuple[int, int] | None:
    """The ids of a request's trace, and of its own span."""
    if not request:
        return None
    number = int(request.replace("-", ""), 16)
    return number or 1, number % 2**64 or 1


def _within(request: str) -> Context | None:
    """The context of what happens in a request, whose own span is made when it is over."""
    root = _root_of(request)
    if root is None:
        return None
    parent = SpanContext(*root, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(parent))
