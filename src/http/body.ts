import type { Request } from 'express';
import { GatewayError } from '../kernel/errors.js';
import type { Operation } from './contract.js';
import { parseStrictJson } from './strict-json.js';

/** A JSON body's bound; bulk files have their own. */
export const BODY_BYTES_MAX = 1_048_576;
/** A token request's bound. */
export const FORM_BYTES_MAX = 65_536;

export interface MediaType {
  type: string;
  charset: string | undefined;
}

/** RFC 9110 §8.3.1, as far as we need it. */
export function mediaTypeOf(header: string | undefined): MediaType | undefined {
  if (header === undefined) return undefined;
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  if (!/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(type)) return undefined;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  return { type, charset: charset?.replace(/^"(.*)"$/, '$1') };
}

const hasBody = (request: Request): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

/**
 * Reads the body of a request whose operation takes JSON. `undefined` when there is none and none is needed.
 *
 * @throws GatewayError 400 (not JSON, missing, or not expected), 413 or 415.
 */
export async function readJsonBody(request: Request, operation: Operation): Promise<unknown> {
  if (!hasBody(request)) {
    if (operation.bodyRequired) throw bodyFault('required', 'a body is required');
    return undefined;
  }
  if (operation.bodyTypes.length === 0) {
    throw bodyFault('unexpected', 'this operation takes no body');
  }
  const media = mediaTypeOf(request.headers['content-type']);
  if (!media || !operation.bodyTypes.includes(media.type)) throw unsupported(operation.bodyTypes);
  if (media.charset !== undefined && media.charset !== 'utf-8' && media.charset !== 'utf8') {
    throw unsupported(operation.bodyTypes, 'The body must be UTF-8.');
  }
  const bytes = await readBytes(request, BODY_BYTES_MAX);
  if (bytes.length === 0) {
    if (operation.bodyRequired) throw bodyFault('required', 'a body is required');
    return undefined;
  }
  return parseStrictJson(bytes);
}

const bodyFault = (code: string, message: string): GatewayError =>
  new GatewayError('INVALID_ARGUMENT', { detail: `The request is not valid: ${message}.`, errors: [{ pointer: '', code, message }] });

const unsupported = (types: readonly string[], detail = `The body must be ${types.join(' or ')}.`): GatewayError =>
  new GatewayError('UNSUPPORTED_MEDIA_TYPE', {
    detail,
    errors: [{ pointer: '/header/Content-Type', code: 'unsupported', message: `must be ${types.join(' or ')} in UTF-8` }],
  });

/**
 * Collects the body, at most `bytesMax` of it.
 *
 * @throws GatewayError `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE` for a compressed body, `INVALID_ARGUMENT` when the
 *   client stopped half-way.
 */
export function readBytes(request: Request, bytesMax: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', { detail: 'The body must not be compressed.' });
  }
  const tooLarge = () =>
    new GatewayError('PAYLOAD_TOO_LARGE', { detail: `The body has more than ${bytesMax} bytes.`, headers: { Connection: 'close' } });
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (failure?: GatewayError) => {
      request.off('data', take).off('end', settle).off('error', abort).off('close', abort);
      if (failure) reject(failure);
      else resolve(Buffer.concat(chunks));
    };
    const abort = () => settle(new GatewayError('INVALID_ARGUMENT', { detail: 'The body ended before its end.' }));
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bytesMax) return chunks.push(chunk);
      request.pause();
      return settle(tooLarge());
    };
    request
      .on('data', take)
      .on('end', () => settle())
      .on('error', abort)
      .on('close', abort);
  });
}
