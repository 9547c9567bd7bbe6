import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../kernel/clock.js';
import { GatewayError, isGatewayError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { HttpMetrics } from './metrics.js';
import { createHttpServer, type HttpServer, SERVER_LIMITS } from './server.js';

/** Something that the service needs in order to serve. */
export interface ReadinessCheck {
  name: string;
  /** Rejects, or takes longer than two seconds, when it is not ready. What a GatewayError says is shown as the reason. */
  check(): Promise<void>;
}

const CHECK_MS_MAX = 2_000;

export interface OperationsOptions {
  checks: readonly ReadinessCheck[];
  /** What `/readyz?verbose` tells beside; a link that is down is told there and does not make the service unready. */
  report?: () => Promise<Readonly<Record<string, unknown>>>;
  metrics: HttpMetrics;
  clock: Clock;
  log: Log;
}

interface Readiness {
  status: 'ready' | 'unavailable';
  /** Names of checks. */
  notReady?: string[];
  /** One sentence for each of them. */
  reasons?: Record<string, string>;
}

const unready = (detail: string): GatewayError => new GatewayError('UNAVAILABLE', { detail });
/** What nobody foresaw may hold more than others should read. */
const reasonOf = (failure: unknown): string => (isGatewayError(failure) ? failure.detail : 'It cannot be used; the log says why.');

/**
 * The listener for whoever runs the service, on a port of its own: `/livez`, `/readyz` (503 names what is not ready, and
 * why; with `/readyz?verbose` the links too) and `/metrics` (Prometheus text). It is bound to loopback unless told
 * otherwise, so it asks for no credentials.
 */
export function createOperations({ checks, report, metrics, clock, log }: OperationsOptions): HttpServer {
  const within = (check: Promise<void>): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = clock.setTimer(CHECK_MS_MAX, () => reject(unready('It does not answer within two seconds.')));
      check.then(resolve, reject).finally(() => timer.cancel());
    });

  /** The log has each change once, however often somebody asks. */
  const failing = new Set<string>();
  function tellChange(name: string, result: PromiseSettledResult<void> | undefined): void {
    if (result?.status === 'rejected') {
      if (!failing.has(name)) log.warn({ dependency: name, err: result.reason as unknown }, 'a dependency is not ready');
      failing.add(name);
    } else if (failing.delete(name)) log.info({ dependency: name }, 'a dependency is ready again');
  }

  async function readiness(): Promise<{ status: number; body: Readiness }> {
    const results = await Promise.allSettled(checks.map(async ({ check }) => await within(check())));
    const reasons: Record<string, string> = {};
    for (const [index, { name }] of checks.entries()) {
      const result = results[index];
      if (result?.status === 'rejected') reasons[name] = reasonOf(result.reason);
      tellChange(name, result);
    }
    if (server.draining) reasons['draining'] = 'The gateway is closing.';
    const notReady = Object.keys(reasons);
    if (notReady.length === 0) return { status: 200, body: { status: 'ready' } };
    return { status: 503, body: { status: 'unavailable', notReady, reasons } };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0];
    const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers }).end(JSON.stringify(body));
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void json(405, { status: 'method not allowed' }, { Allow: 'GET, HEAD' });
    if (path === '/livez') return void json(200, { status: 'ok' });
    if (path === '/readyz') {
      const { status, body } = await readiness();
      const isVerbose = request.url?.split('?')[1] === 'verbose';
      // What it tells lies in the database, which may be what is not ready.
      const told = isVerbose ? await report?.().catch(() => undefined) : undefined;
      return void json(status, { ...body, ...told });
    }
    if (path === '/metrics') {
      const text = await metrics.registry.metrics();
      return void response.writeHead(200, { 'Content-Type': metrics.registry.contentType, 'Cache-Control': 'no-store' }).end(text);
    }
    return void json(404, { status: 'not found' });
  }

  const server = createHttpServer(
    (request, response) => {
      answer(request, response).catch((failure: unknown) => {
        log.error({ failure: failure instanceof Error ? failure.name : typeof failure }, 'operations request failed');
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end();
      });
    },
    clock,
    { ...SERVER_LIMITS, connectionsMax: 100, drainMs: 1_000 },
  );
  return server;
}
