import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { aMessage, openRig } from './rig.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'src');

const files = readdirSync(join(source, 'engine'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name));

const imports = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:import|export)\s[^'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|import\s+'([^']+)'/g)].map(
    ([statement, from, dynamic, bare]) => ({ file, statement, target: from ?? dynamic ?? bare ?? '' }),
  ),
);

describe('the engine could be lifted out', () => {
  test('it imports only the kernel, the store and the bus', () => {
    expect(imports.length).toBeGreaterThan(50);
    const parts = imports
      .filter(({ target }) => target.startsWith('.'))
      .map(({ file, target }) => relative(source, resolve(dirname(file), target)).split(sep)[0] ?? '');
    expect([...new Set(parts)].sort()).toEqual(['bus', 'engine', 'kernel', 'store']);
  });

  test('no library of its own can open a message: of node:crypto it uses hashing and randomness', () => {
    const packages = imports.filter(({ target }) => !target.startsWith('.'));
    expect([...new Set(packages.map(({ target }) => target))].sort()).toEqual([
      'node:crypto',
      'node:http',
      'node:stream',
      'rate-limiter-flexible',
      'ws',
      'zod',
    ]);
    const names = packages
      .filter(({ target }) => target === 'node:crypto')
      .flatMap(({ statement }) => (/\{([^}]*)\}/.exec(statement)?.[1] ?? 'all of it').split(',').map((name) => name.trim()));
    expect([...new Set(names)].sort()).toEqual(['createHash', 'randomBytes', 'randomInt', 'timingSafeEqual']);
  });

  test('it compiles with nothing beside it but kernel, store and bus', () => {
    const cache = join(root, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'engine-alone-'));
    try {
      for (const part of ['engine', 'kernel', 'store', 'bus']) cpSync(join(source, part), join(folder, 'src', part), { recursive: true });
      const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { compilerOptions: object };
      const config = {
        compilerOptions: { ...compilerOptions, incremental: false, tsBuildInfoFile: undefined },
        files: ['src/engine/index.ts'],
      };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
      const tsc = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder], { encoding: 'utf8' });
      expect(tsc.stdout).toBe('');
      expect(tsc.status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('it runs so: somebody registers, is written to, and acknowledges', async () => {
    const rig = await openRig();
    const [from, to] = [await rig.person('+999100001'), await rig.person('+999100002')];
    const { messageId } = await rig.engine.calls.sendMessage(from, to.accountId, aMessage(to, 'c1'));
    expect(await rig.engine.calls.ackQueue(to, { envelopeIds: [messageId] })).toEqual({ acknowledged: 1 });
    await rig.close();
  });
});
