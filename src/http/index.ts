import type { Express } from 'express';
import express from 'express';
import helmet from 'helmet';
import type { Clock } from '../kernel/clock.js';
import type { KeyWrap } from '../kernel/key-wrap.js';
import type { Log } from '../kernel/log.js';
import type { Store } from '../store/index.js';
import type { Authenticator } from './authorize.js';
import { type Contract, loadContract } from './contract.js';
import { correlatorOf, malformedCorrelator } from './correlator.js';
import { createDispatch } from './dispatch.js';
import { serveDocs } from './docs-page.js';
import { createIdempotency } from './idempotency.js';
import { createHttpMetrics, type HttpMetrics } from './metrics.js';
import { asGatewayError, describeFailure, sendProblem } from './problem.js';
import { createRateLimiter, type RateLimits } from './rate-limit.js';
import { logRequest } from './request-log.js';
import type { DeviceRoutes, PartnerRoutes, PublicRoutes } from './route.js';
import { createServiceRoutes } from './routes/service.js';
import { createHttpServer, type HttpServer, SERVER_LIMITS, type ServerLimits } from './server.js';

export type { Authenticator } from './authorize.js';
export { readBytes } from './body.js';
export { etagOf, requireIfMatch } from './etag.js';
export { createHttpMetrics, type HttpMetrics } from './metrics.js';
export { createOperations, type OperationsOptions, type ReadinessCheck } from './operations.js';
export { addressKey, createRateLimiter, DEFAULT_RATE_LIMITS, type RateLimiter, type RateLimits } from './rate-limit.js';
export { rewrapAnswers } from './rewrap-answers.js';
export type {
  Answer,
  ApiRequest,
  Caller,
  DeviceCaller,
  DeviceRoutes,
  OAuthRoute,
  OnceRoute,
  PartnerRoutes,
  PlainRoute,
  PublicRoutes,
} from './route.js';
export { createIdentityRoutes } from './routes/oauth.js';
export { type HttpServer, SERVER_LIMITS, type ServerLimits } from './server.js';
export { parseStrictJson } from './strict-json.js';

export interface HttpOptions {
  /** The contract, as a file. */
  contractPath: string;
  routes: { partner: PartnerRoutes; device: DeviceRoutes; public: PublicRoutes };
  identity: Authenticator;
  store: Store['control'];
  /** Wraps stored answers. */
  keyWrap: KeyWrap;
  clock: Clock;
  log: Log;
  /** partner.yaml `rateLimits`. */
  rateLimitsOf(partnerId: string): RateLimits;
  metrics?: HttpMetrics;
  limits?: Partial<ServerLimits>;
  /** What one address may ask of the operations without a token, in a minute. */
  publicPerMinute?: number;
  /** `docs/errors`: the pages that `type` links to. */
  errorPagesFolder?: string;
  /** What is served beside the contract: the portal. Mounted before the contract's paths. */
  mount?(app: Express): void;
  /** For tests: operations without a route answer 404 instead of stopping the start. */
  allowMissingRoutes?: boolean;
}

export interface Http extends HttpServer {
  readonly app: Express;
  readonly contract: Contract;
  readonly metrics: HttpMetrics;
}

/**
 * The public listener. Every request passes, in this order: correlation, the contract's path and method, Accept, token,
 * rate limit, scope, body, contract, Idempotency-Key, and then one route.
 *
 * @throws Error when an operation of the contract has no route or a route no operation.
 */
export function createHttp(options: HttpOptions): Http {
  const { clock, keyWrap, log, store } = options;
  const contract = loadContract(options.contractPath);
  const metrics = options.metrics ?? createHttpMetrics();
  const idempotency = createIdempotency({ store, clock, keyWrap, log });
  const dispatch = createDispatch({
    ...options,
    contract,
    idempotency,
    rateLimiter: createRateLimiter(),
    routes: { ...options.routes, public: { ...createServiceRoutes(contract), ...options.routes.public } },
  });

  const app = express();
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').enable('strict routing').set('query parser', 'simple');
  const http = createHttpServer(app, clock, { ...SERVER_LIMITS, ...options.limits });

  app.use((request, response, next) => {
    const { correlator, malformed } = correlatorOf(request.get('x-correlator'), clock.now());
    response.locals['correlator'] = correlator;
    response.set('x-correlator', correlator);
    if (http.draining) response.set('Connection', 'close');
    logRequest(request, response, { clock, log, metrics });
    next(malformed ? malformedCorrelator() : undefined);
  });
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
      referrerPolicy: { policy: 'no-referrer' },
    }),
  );
  serveDocs(app, options.errorPagesFolder);
  options.mount?.(app);
  app.use(dispatch.handle);
  app.use((failure: unknown, request: express.Request, response: express.Response, _next: express.NextFunction) => {
    const known = asGatewayError(failure);
    const correlator = String(response.locals['correlator']);
    if (known.status >= 500) {
      const place = { operationId: response.locals['operationId'], correlator, code: known.code, internal: known.internal };
      // Where it failed tells something only when nobody foresaw it.
      log.error({ ...place, ...(known.code === 'INTERNAL' && describeFailure(known.cause ?? known)) }, 'request failed');
    }
    if (response.headersSent) return void response.destroy();
    // What was not read of the body would be taken for the next request.
    if (!request.complete) response.set('Connection', 'close');
    if (dispatch.answersOAuth(request.path)) dispatch.sendOAuthError(response, known);
    else sendProblem(request, response, known, { correlator, path: request.path });
  });

  return {
    app,
    contract,
    metrics,
    server: http.server,
    get draining() {
      return http.draining;
    },
    listen: http.listen,
    async close() {
      await http.close();
      await idempotency.close();
    },
  };
}
