import type { Request, Response } from 'express';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { HttpMetrics } from './metrics.js';

/** One line for each request, once its answer is out or its client gone. Never the URL, a body or a number. */
export function logRequest(
  request: Request,
  response: Response,
  { clock, log, metrics }: { clock: Clock; log: Log; metrics: HttpMetrics },
): void {
  const startedAt = clock.monotonicMs();
  const method = request.method;
  response.once('close', () => {
    const {
      operationId = 'unmatched',
      partnerId,
      correlator,
    } = response.locals as { operationId?: string; partnerId?: string; correlator: string };
    const durationMs = Math.round((clock.monotonicMs() - startedAt) * 10) / 10;
    metrics.observe(operationId, response.statusCode, durationMs / 1_000);
    const facts = { operationId, method, status: response.statusCode, durationMs, correlator };
    log.info(
      { ...facts, ...(partnerId === undefined ? {} : { partnerId }), ...(response.writableFinished ? {} : { aborted: true }) },
      'request',
    );
  });
}
