import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and the folders above it that are absent, each for its owner alone; one that is there stays as it is.
 * One step at a time, since Node's own `recursive` never returns where a parent takes no folder and does not say why
 * (below /proc, for instance).
 *
 * @throws the file system's error when one of them cannot be made, or is no folder.
 */
export function makeFolder(path: string): void {
  const folder = resolve(path);
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there?.isDirectory()) return;
  if (there || dirname(folder) === folder) throw Object.assign(new Error(`${folder} is not a folder`), { code: 'ENOTDIR' });
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (failure) {
    // Somebody else made it at the same moment.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw failure;
  }
}
