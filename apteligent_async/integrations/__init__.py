"""Optional company, one file each; each needs the extra of its name and knows only what `apteligent_async` exports.

| file | for | extra |
| --- | --- | --- |
| `fastapi` | clients in a FastAPI backend: lifespan, dependency, problem answers | ``fastapi`` |
| `otel` | OpenTelemetry spans and metrics | ``otel`` |
| `prometheus` | Prometheus metrics | ``prometheus`` |
"""
