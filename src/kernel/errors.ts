import { ERROR_CODES, type ErrorCode } from './error-codes.js';

/** One bad field: where it is (RFC 6901 JSON pointer into the body, or `/query/x`, `/header/x`, `/path/x`) and why. */
export interface FieldError {
  pointer: string;
  code: string;
  message: string;
}

export interface GatewayErrorOptions {
  /** Safe for the caller to read: no number, key, token or text of a message. */
  detail: string;
  /** For our log only. */
  internal?: string;
  /** What the caller can do about it. */
  hint?: string;
  errors?: FieldError[];
  /** Extra response headers, `Retry-After` for instance. */
  headers?: Record<string, string>;
  /** Members added to the answer's body, only where the contract's schema for that answer names them. */
  extra?: Record<string, unknown>;
  cause?: unknown;
}

/** The one error type. Public words (`detail`, `hint`) and internal words are separate, so that neither leaks. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly internal: string | undefined;
  readonly hint: string | undefined;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;
  readonly extra: Record<string, unknown>;

  constructor(code: ErrorCode, options: GatewayErrorOptions) {
    super(`${code}: ${options.detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = ERROR_CODES[code].status;
    this.title = ERROR_CODES[code].title;
    this.detail = options.detail;
    this.internal = options.internal;
    this.hint = options.hint;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.extra = options.extra ?? {};
  }
}

export function isGatewayError(failure: unknown, code?: ErrorCode): failure is GatewayError {
  return failure instanceof GatewayError && (code === undefined || failure.code === code);
}

/** A 400 that names one field. */
export function invalidField(pointer: string, message: string, code: string = 'INVALID_ARGUMENT'): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', { detail: `${pointer}: ${message}`, errors: [{ pointer, code, message }] });
}

/** The 404 for what does not exist and for what belongs to somebody else: the two must look the same. */
export function notFound(kind: string): GatewayError {
  return new GatewayError('NOT_FOUND', { detail: `There is no such ${kind}.` });
}

/** A state of our own that must not happen: fails this request loudly, not the process. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
