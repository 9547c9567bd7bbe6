import { randomBytes } from 'node:crypto';

const HEADER = 32;
const FRAME_HEADER = 24;
/** As much as a transaction that was being written may have left behind. */
const RUBBISH_PAGES = 3;

/**
 * A write-ahead log as a power cut may leave it: every commit that is in it stays, and behind the last of them, where the
 * next transaction was perhaps being written, lies rubbish (SQLite file format §4.1).
 *
 * @param wal as it was read; empty where there is none.
 */
export function tornAfterLastCommit(wal: Buffer): Buffer {
  if (wal.length < HEADER) return wal;
  const frame = FRAME_HEADER + wal.readUInt32BE(8);
  const salts = wal.subarray(16, 24);
  let end = HEADER;
  for (let at = HEADER; at + frame <= wal.length; at += frame) {
    // Frames with other salts are left over from before the log began anew.
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break;
    const isCommit = wal.readUInt32BE(at + 4) !== 0;
    if (isCommit) end = at + frame;
  }
  return Buffer.concat([wal.subarray(0, end), randomBytes(RUBBISH_PAGES * frame)]);
}
