import { statfs } from 'node:fs/promises';
import { GatewayError } from '../kernel/errors.js';

/** Below this a commit, a checkpoint or a rotated key may not fit. */
const BYTES_MIN = 16 * 1_048_576;

/** Whether the folder's disk has room to go on. @throws GatewayError `UNAVAILABLE` when it has less than 16 MiB. */
export async function checkDiskSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < BYTES_MIN) throw new GatewayError('UNAVAILABLE', { detail: 'The disk of the data folder is full.' });
}
