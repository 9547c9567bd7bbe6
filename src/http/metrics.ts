import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export interface HttpMetrics {
  /** What `/metrics` prints; features add theirs. */
  registry: Registry;
  observe(operationId: string, status: number, seconds: number): void;
}

/** @param withProcess also measures memory, event loop and garbage collection. */
export function createHttpMetrics({ withProcess = false }: { withProcess?: boolean } = {}): HttpMetrics {
  const registry = new Registry();
  if (withProcess) collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer, by operation and class of status.',
    labelNames: ['operation', 'status_class'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  return {
    registry,
    observe: (operationId, status, seconds) =>
      durations.observe({ operation: operationId, status_class: `${Math.floor(status / 100)}xx` }, seconds),
  };
}
