import { invalidField } from '../kernel/errors.js';

/** Where a list goes on: opaque to callers, whole numbers to us. */
export const writeCursor = (...places: number[]): string => Buffer.from(places.join('.')).toString('base64url');

/**
 * @param count how many numbers the cursor of this list holds.
 * @throws GatewayError `INVALID_ARGUMENT` for anything that this list did not hand out.
 */
export function readCursor(cursor: string, count: number): number[] {
  const text = cursor.length <= 100 ? Buffer.from(cursor, 'base64url').toString('latin1') : '';
  const places = /^\d{1,16}(\.\d{1,16})*$/.test(text) ? text.split('.').map(Number) : [];
  if (places.length !== count || !places.every(Number.isSafeInteger)) {
    throw invalidField('/query/after', 'is not a cursor that this list handed out');
  }
  return places;
}
