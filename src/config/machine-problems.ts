import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { makeFolder } from '../kernel/make-folder.js';
import type { Environment, OptionName } from './environment.js';

/** Options whose value is known to be well formed; the others are absent. */
export type UsableOptions = Partial<Environment>;

const FOLDERS = ['CAUSEWAY_DATA_DIR', 'CAUSEWAY_KEYS_DIR'] as const;
const LISTENERS = [
  ['CAUSEWAY_HTTP_HOST', 'CAUSEWAY_HTTP_PORT'],
  ['CAUSEWAY_OPS_HOST', 'CAUSEWAY_OPS_PORT'],
] as const;

/**
 * Makes the folders that are absent, for their owner alone, and tries to write to each.
 *
 * @returns one sentence for each folder that cannot be written, with the variable that names it.
 */
export function folderProblems(options: UsableOptions): string[] {
  return FOLDERS.flatMap((name) => {
    const folder = options[name];
    if (folder === undefined) return [];
    try {
      makeFolder(folder);
      accessSync(folder, constants.W_OK | constants.X_OK);
      return [];
    } catch {
      return [
        `${name} is ${JSON.stringify(folder)}, which cannot be written; fix: make it a writable folder, or set ${name} to another one.`,
      ];
    }
  });
}

/**
 * Takes each port for a moment, before anything is opened for it.
 *
 * @returns one sentence for each port that is taken, or address that this machine does not have.
 */
export async function portProblems(options: UsableOptions): Promise<string[]> {
  const problems: string[] = [];
  for (const [hostName, portName] of LISTENERS) {
    const { [hostName]: host, [portName]: port } = options;
    if (host === undefined || port === undefined || port === 0) continue;
    const code = await tryPort(host, port);
    if (code !== undefined) problems.push(sentence(code, { hostName, portName, host, port }));
  }
  return problems;
}

function sentence(
  code: string,
  { hostName, portName, host, port }: { hostName: OptionName; portName: OptionName; host: string; port: number },
) {
  if (code === 'EADDRINUSE')
    return `${portName} is ${port}, and another program listens there; fix: stop that program, or set ${portName} to a free port.`;
  if (code === 'EACCES') return `${portName} is ${port}, which only an administrator may listen on; fix: set ${portName} to 1024 or more.`;
  return `${hostName} is ${JSON.stringify(host)}, which cannot be listened on (${code}); fix: set ${hostName} to an address of this machine.`;
}

/** @returns the system's error code when the address cannot be had. */
function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (failure: NodeJS.ErrnoException) => resolve(failure.code ?? 'unknown'));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}
