import type { Request, Response } from 'express';
import { middleware } from 'express-openapi-validator';
import { type FieldError, GatewayError } from '../kernel/errors.js';
import { type Contract, isSpecObject, type Operation } from './contract.js';
import { explainBody } from './explain-body.js';

/** Checks a request against the contract; coerces and fills in query parameters on the way. */
export type Validate = (request: Request, response: Response, operation: Operation) => Promise<void>;

const ERRORS_MAX = 50;

/**
 * Requests go through express-openapi-validator. It is asked one operation's document at a time, since its own search
 * for the path compiles every template anew for each request.
 *
 * @returns a function that throws GatewayError `INVALID_ARGUMENT` with a pointer for each fault.
 */
export function createValidate(contract: Contract): Validate {
  const validators = new Map<string, ReturnType<typeof middleware>>();

  function validatorOf(operation: Operation): ReturnType<typeof middleware> {
    const known = validators.get(operation.id);
    if (known) return known;
    const made = middleware({
      apiSpec: documentOf(contract, operation),
      validateApiSpec: false,
      validateRequests: { allErrors: true, allowUnknownQueryParameters: false },
      validateResponses: false,
      validateSecurity: false,
      validateFormats: true,
      ajvFormats: { mode: 'full' },
      fileUploader: false,
    });
    validators.set(operation.id, made);
    return made;
  }

  return async (request, response, operation) => {
    // The validator caches a schema for each content type it meets: it gets to see only the contract's own.
    const contentType = request.headers['content-type'];
    if (request.body === undefined) delete request.headers['content-type'];
    else request.headers['content-type'] = contentType?.split(';')[0]?.trim().toLowerCase() ?? 'application/json';
    try {
      for (const handler of validatorOf(operation)) await run(handler, request, response);
    } catch (failure) {
      throw asInvalid(failure, request, operation, contract);
    }
  };
}

type Handler = ReturnType<typeof middleware>[number];

const run = (handler: Handler, request: Request, response: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    const next = (failure?: unknown) => (failure === undefined ? resolve() : reject(failure));
    Promise.resolve(handler(request, response, next)).catch(reject);
  });

type ApiDocument = Exclude<Parameters<typeof middleware>[0]['apiSpec'], string>;

/**
 * A copy with this operation alone and the schemas it reaches. Reserved characters may stand in a query (RFC 3986 §3.4),
 * `:` in an instant say.
 */
function documentOf(contract: Contract, operation: Operation): ApiDocument {
  const paths = contract.document['paths'];
  const item = isSpecObject(paths) ? contract.resolve(paths[operation.template]) : {};
  const method = operation.method.toLowerCase();
  const node = contract.resolve(item[method]);
  const parameters = [...listOf(item['parameters']), ...listOf(node['parameters'])]
    .map((parameter) => contract.resolve(parameter))
    .map((parameter) => (parameter['in'] === 'query' ? { ...parameter, allowReserved: true } : parameter));
  const requestBody = node['requestBody'] === undefined ? {} : { requestBody: contract.resolve(node['requestBody']) };
  const alone = { operationId: operation.id, parameters, ...requestBody, responses: { default: { description: 'Any.' } } };
  const document = {
    openapi: contract.document['openapi'],
    info: { title: operation.id, version: '1' },
    paths: { [operation.template]: { [method]: alone } },
    components: { schemas: reachedSchemas(contract, alone) },
  };
  return structuredClone(document) as unknown as ApiDocument;
}

const listOf = (node: unknown): readonly unknown[] => (Array.isArray(node) ? node : []);

function reachedSchemas(contract: Contract, from: unknown): Record<string, unknown> {
  const reached: Record<string, unknown> = {};
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) for (const item of node) walk(item);
    if (!isSpecObject(node)) return;
    const name = typeof node['$ref'] === 'string' ? /^#\/components\/schemas\/([^/]+)$/.exec(node['$ref'])?.[1] : undefined;
    if (name !== undefined && !Object.hasOwn(reached, name)) {
      reached[name] = contract.resolve({ $ref: `#/components/schemas/${name}` });
      walk(reached[name]);
    }
    for (const member of Object.values(node)) walk(member);
  };
  walk(from);
  return reached;
}

interface ValidatorFailure {
  status: number;
  errors: { path: string; message: string; errorCode?: string }[];
}

const isValidatorFailure = (failure: unknown): failure is ValidatorFailure =>
  failure instanceof Error && typeof Reflect.get(failure, 'status') === 'number' && Array.isArray(Reflect.get(failure, 'errors'));

function asInvalid(failure: unknown, request: Request, operation: Operation, contract: Contract): unknown {
  if (!isValidatorFailure(failure) || failure.status !== 400) return failure;
  const found = failure.errors.map((error) => fieldError(error, operation));
  const outside = found.filter(({ inBody }) => !inBody).map(({ error }) => error);
  const inside = found.filter(({ inBody }) => inBody).map(({ error }) => error);
  const explained = inside.length > 0 && operation.bodySchema ? explainBody(operation.bodySchema, request.body, contract.resolve) : [];
  const errors = [...outside, ...(explained.length > 0 ? explained : inside)].slice(0, ERRORS_MAX);
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : '';
  return new GatewayError('INVALID_ARGUMENT', {
    detail: `${first?.pointer || 'The body'}: ${first?.message ?? 'is not valid'}${more}`,
    errors,
  });
}

function fieldError(fault: ValidatorFailure['errors'][number], operation: Operation): { error: FieldError; inBody: boolean } {
  const [, place = '', ...rest] = (fault.path ?? '').split('/');
  const code = fault.errorCode?.replace('.openapi.validation', '') ?? (place === 'query' ? 'unknown' : 'invalid');
  const message = fault.message.replace(/'[^']*'/g, "'…'").slice(0, 300);
  const named = (pointer: string, inBody = false) => ({ error: { pointer, code, message }, inBody });
  switch (place) {
    case 'query':
      return named(`/query/${rest.join('/').slice(0, 100)}`);
    case 'params':
      return named(`/path/${rest.join('/')}`);
    case 'headers':
      return named(`/header/${operation.headerNames.get(rest[0]?.toLowerCase() ?? '') ?? rest[0] ?? ''}`);
    case 'body':
      return named(rest.length === 0 ? '' : `/${rest.join('/')}`, true);
    default:
      return named('', true);
  }
}
