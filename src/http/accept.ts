import type { Request } from 'express';
import { GatewayError } from '../kernel/errors.js';
import type { Operation } from './contract.js';

/** @throws GatewayError `NOT_ACCEPTABLE` when the client takes none of the media types that this operation answers with. */
export function checkAccept(request: Request, operation: Operation): void {
  if (operation.answerTypes.length === 0 || request.accepts([...operation.answerTypes]) !== false) return;
  throw new GatewayError('NOT_ACCEPTABLE', {
    detail: `This operation answers with ${operation.answerTypes.join(', ')}.`,
    hint: 'Name one of these in the Accept header, or leave it out.',
    errors: [{ pointer: '/header/Accept', code: 'notAcceptable', message: `must allow one of: ${operation.answerTypes.join(', ')}` }],
  });
}
