import { DeviceId, UserId } from '@matrix-org/matrix-sdk-crypto-wasm';

/** The library wants Matrix ids, and an invalid server name fails as late as at decryption. `.invalid` is nobody's (RFC 2606). */
const SERVER_NAME = 'causeway.invalid';

export const toMatrixUser = (accountId: string): string => `@${accountId}:${SERVER_NAME}`;

/** The account behind a Matrix user id, or `undefined` when it is not one of ours. */
export function toAccountId(matrixUser: string): string | undefined {
  const suffix = `:${SERVER_NAME}`;
  return matrixUser.startsWith('@') && matrixUser.endsWith(suffix) ? matrixUser.slice(1, -suffix.length) : undefined;
}

/** The library consumes the ids it is given, so each call makes fresh ones. */
export const userIdOf = (accountId: string): UserId => new UserId(toMatrixUser(accountId));
export const deviceIdOf = (deviceId: string): DeviceId => new DeviceId(deviceId);
