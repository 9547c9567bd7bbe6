import type { ErrorCode } from '../kernel/error-codes.js';
import { GatewayError } from '../kernel/errors.js';

/** A refusal that names one field of the request; `message` never repeats the number that stands there. */
export function refused(code: ErrorCode, pointer: string, message: string, hint?: string): GatewayError {
  return new GatewayError(code, {
    detail: `${pointer}: ${message}`,
    ...(hint !== undefined && { hint }),
    errors: [{ pointer, code, message }],
  });
}
