import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, fail, ok, warn } from './check.js';

const NODE_MIN = [20, 19] as const;
const MIB = 1_048_576;
const SPACE_WARN_MIB = 1_024;
const SPACE_FAIL_MIB = 100;

export function checkNode(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return isEnough ? ok('node', version) : fail('node', version, `install Node ${NODE_MIN.join('.')} or newer`);
}

/** The folders and what lies in them: written by us, read by nobody else. */
export function checkFolders(dataDir: string, keysDir: string): Check[] {
  const checks = [checkFolder('data folder', dataDir, 'CAUSEWAY_DATA_DIR'), checkFolder('keys folder', keysDir, 'CAUSEWAY_KEYS_DIR')];
  for (const file of [join(keysDir, 'master.key'), join(keysDir, 'opener-ring.json'), join(dataDir, 'sandbox-credentials.json')]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o077) !== 0) checks.push(fail('secret file', `${file} is readable by others`, `chmod 600 ${file}`));
  }
  return checks;
}

function checkFolder(name: string, folder: string, variable: string): Check {
  if (!existsSync(folder)) return ok(name, `${folder} is not there yet; the first start makes it`);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    return fail(
      name,
      `${folder} cannot be written`,
      `make it writable for the user that runs the gateway, or set ${variable} to another folder`,
    );
  }
  const { mode } = statSync(folder);
  if ((mode & 0o077) !== 0) return warn(name, `${folder} is open to others (mode ${(mode & 0o777).toString(8)})`, `chmod 700 ${folder}`);
  return ok(name, `${folder}, its owner's alone`);
}

export function checkSpace(folder: string): Check {
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / MIB);
  const detail = `${free} MiB free where ${folder} is`;
  if (free >= SPACE_WARN_MIB) return ok('disk space', detail);
  const fix = 'make room (docs/runbooks/full-disk.md)';
  return free < SPACE_FAIL_MIB ? fail('disk space', detail, fix) : warn('disk space', detail, fix);
}
