import { access, constants, statfs } from 'node:fs/promises';
import { GatewayError } from '../kernel/errors.js';

const MIB = 1_048_576;
/** Below this a commit, a checkpoint or a rotated key may not fit. */
const FREE_MIB_MIN = 16;

/**
 * Whether the data folder can be written and its disk has room to go on.
 *
 * @throws GatewayError `UNAVAILABLE` when it is read-only, or has less than 16 MiB.
 */
export async function checkDisk(folder: string): Promise<void> {
  await access(folder, constants.W_OK | constants.X_OK).catch((cause: NodeJS.ErrnoException) => {
    throw new GatewayError('UNAVAILABLE', { detail: `The data folder cannot be written (${cause.code}).`, cause });
  });
  const { bavail, bsize } = await statfs(folder);
  const free = Math.floor((bavail * bsize) / MIB);
  if (free < FREE_MIB_MIN) throw new GatewayError('UNAVAILABLE', { detail: `The disk of the data folder is full: ${free} MiB are left.` });
}
