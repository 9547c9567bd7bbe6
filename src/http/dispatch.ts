import type { Request, RequestHandler, Response } from 'express';
import { GatewayError } from '../kernel/errors.js';
import { checkAccept } from './accept.js';
import { type Authenticator, bearerOf, checkScopes, withChallenge } from './authorize.js';
import { FORM_BYTES_MAX, readBytes, readJsonBody } from './body.js';
import type { Contract, Operation } from './contract.js';
import { type Idempotency, readIdempotencyKey } from './idempotency.js';
import { oauthErrorOf } from './oauth-error.js';
import { addressKey, policyOf, type RateClass, type RateLimiter, type RateLimits } from './rate-limit.js';
import type { Answer, ApiRequest, Caller, DeviceCaller, DeviceRoutes, PartnerRoutes, PublicRoutes } from './route.js';
import { sendAnswer } from './send-answer.js';
import { createValidate } from './validate.js';

export interface DispatchOptions {
  contract: Contract;
  routes: { partner: PartnerRoutes; device: DeviceRoutes; public: PublicRoutes };
  identity: Authenticator;
  idempotency: Idempotency;
  rateLimiter: RateLimiter;
  rateLimitsOf(partnerId: string): RateLimits;
  publicPerMinute?: number;
  allowMissingRoutes?: boolean;
}

export interface Dispatch {
  handle: RequestHandler;
  /** Whether a failure on this path is written in the form of RFC 6749 §5.2. */
  answersOAuth(path: string): boolean;
  sendOAuthError(response: Response, failure: GatewayError): void;
}

/** Messages go through a device's own limits in the engine; these only stop a device that has gone mad. */
const DEVICE_RATE_LIMITS: RateLimits = { readPerSecond: 50, writePerSecond: 50, tokenPerMinute: 60 };

/** Leads a request to its route, by the contract. */
export function createDispatch(options: DispatchOptions): Dispatch {
  const { contract, routes, identity, idempotency, rateLimiter } = options;
  checkRoutes(options);
  const validate = createValidate(contract);
  const oauthPaths = new Set(contract.operations.filter(({ id }) => routes.public[id]?.oauth).map(({ template }) => template));

  const take = (rateClass: RateClass, who: string, limits: RateLimits) =>
    rateLimiter.take(rateClass, who, policyOf(rateClass, limits, options.publicPerMinute));
  const classOf = (operation: Operation): RateClass => (operation.method === 'GET' ? 'read' : 'write');

  async function takePublic(request: Request): Promise<Record<string, string>> {
    return await rateLimiter.take('public', addressKey(addressOf(request)), {
      ...policyOf('public', DEVICE_RATE_LIMITS, options.publicPerMinute),
    });
  }

  async function serve(request: Request, response: Response): Promise<void> {
    const found = contract.match(request.method, request.path);
    if (!found) throw noSuchPath();
    if ('allow' in found) throw notAllowed(found.allow);
    const { operation, params } = found;
    response.locals['operationId'] = operation.id;
    // The contract knows no HEAD; Node leaves the body out by itself.
    if (request.method === 'HEAD') request.method = 'GET';
    const base = { correlator: String(response.locals['correlator']), remoteAddress: addressOf(request), params };

    switch (operation.audience) {
      case 'partner': {
        const route = routes.partner[operation.id];
        if (!route) throw noSuchPath();
        checkAccept(request, operation);
        const caller = await withChallenge(identity.callerOf(bearerOf(request)));
        response.locals['partnerId'] = caller.partnerId;
        response.set(await take(classOf(operation), caller.partnerId, options.rateLimitsOf(caller.partnerId)));
        checkScopes(caller, operation);
        const key = readIdempotencyKey(request.get('idempotency-key'), operation.idempotencyKeyRequired);
        const api: ApiRequest<Caller> = { caller, ...base, ...(await readValid(request, response, operation)) };
        const where = { method: operation.method, path: request.path, key };
        const answer = 'act' in route ? await idempotency.once(route, api, where) : await route.handle(api);
        return sendAnswer(request, response, operation, answer);
      }
      case 'device': {
        const route = routes.device[operation.id];
        if (!route) throw noSuchPath();
        checkAccept(request, operation);
        const caller = await withChallenge(identity.deviceTokens.verify(bearerOf(request)));
        response.set(await take(classOf(operation), caller.deviceId, DEVICE_RATE_LIMITS));
        const api: ApiRequest<DeviceCaller> = { caller, ...base, ...(await readValid(request, response, operation)) };
        return sendAnswer(request, response, operation, await route.handle(api));
      }
      case 'public': {
        const route = routes.public[operation.id];
        if (!route) throw noSuchPath();
        const limit = await takePublic(request);
        const open = { caller: undefined, ...base, query: {}, body: undefined, header: (name: string) => request.get(name) };
        let answer: Answer;
        if (route.oauth) {
          answer = await route.handle({ ...open, readBody: async () => await readBytes(request, FORM_BYTES_MAX) });
        } else {
          checkAccept(request, operation);
          response.set(limit);
          answer = await route.handle({ ...open, ...(await readValid(request, response, operation)) });
        }
        return sendAnswer(request, response, operation, answer);
      }
    }
  }

  async function readValid(request: Request, response: Response, operation: Operation) {
    request.body = await readJsonBody(request, operation);
    await validate(request, response, operation);
    const body: unknown = request.body;
    const query = request.query as Record<string, string | number | boolean | undefined>;
    return { body, query, header: (name: string) => request.get(name) };
  }

  return {
    handle: (request, response) => serve(request, response),
    answersOAuth: (path) => oauthPaths.has(path),
    sendOAuthError(response, failure) {
      const { status, headers, body } = oauthErrorOf(failure);
      response.status(status).set(headers);
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(body));
    },
  };
}

const addressOf = (request: Request): string => request.socket.remoteAddress ?? 'unknown';

const noSuchPath = (): GatewayError =>
  new GatewayError('NOT_FOUND', { detail: 'There is no such path.', hint: 'The paths are in /openapi.yaml and at /docs.' });

const notAllowed = (allow: readonly string[]): GatewayError =>
  new GatewayError('METHOD_NOT_ALLOWED', { detail: `This path answers ${allow.join(', ')}.`, headers: { Allow: allow.join(', ') } });

/** An operation enters the contract when it answers, and a route without an operation could not be reached. */
function checkRoutes({ contract, routes, allowMissingRoutes }: DispatchOptions): void {
  const wrong: string[] = [];
  for (const { id, audience } of contract.operations) {
    if (!Object.hasOwn(routes[audience], id) && !allowMissingRoutes) wrong.push(`the ${audience} operation ${id} has no route`);
  }
  for (const audience of ['partner', 'device', 'public'] as const) {
    const ids = new Set(contract.operations.filter((operation) => operation.audience === audience).map(({ id }) => id));
    for (const id of Object.keys(routes[audience])) {
      if (!ids.has(id) && !(allowMissingRoutes && audience === 'public')) wrong.push(`the ${audience} route ${id} has no operation`);
    }
  }
  if (wrong.length > 0) throw new Error(`routes and contract differ: ${wrong.join('; ')}`);
}
