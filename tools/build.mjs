#!/usr/bin/env node
/**
 * Makes `dist/` from `src/`, `portal/` and `tools/`, and the Prisma clients from `prisma/`, and does nothing when none
 * of them changed since.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(root, 'node_modules', '.cache');

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(join('store', 'generated')))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) if (existsSync(file)) hash.update(file).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

/** Runs `make`, which says whether it did, unless the stamp says that it ran with the same input and its output is still there. */
function once(name, inputs, output, make) {
  const stamp = join(cache, `causeway-${name}.stamp`);
  const wanted = digest(inputs);
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (make() === false) return;
  mkdirSync(cache, { recursive: true });
  writeFileSync(stamp, wanted);
}

function run(step, script, args, { isNeeded = true } = {}) {
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    encoding: 'utf8',
    // A test run's own would build the portal with React's development half.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}\n${step} failed\n`);
    if (isNeeded) process.exit(1);
    return false;
  }
  process.stderr.write(`${step}: ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  return true;
}

const lock = join(root, 'package-lock.json');
const prismaInputs = [
  ...filesBelow(join(root, 'prisma', 'models')),
  ...['sqlite', 'postgresql'].map((provider) => join(root, 'prisma', provider, 'base.prisma')),
  join(root, 'tools', 'generate-prisma.mjs'),
];
once('prisma', [...prismaInputs, lock], join(root, 'src', 'store', 'generated', 'postgresql'), () =>
  run('prisma clients', join(root, 'tools', 'generate-prisma.mjs'), []),
);
once(
  'dist',
  [...filesBelow(join(root, 'src')), ...prismaInputs, join(root, 'tsconfig.json'), join(root, 'tsconfig.build.json'), lock],
  join(root, 'dist', 'main.js'),
  () => {
    run('build', join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ['-p', 'tsconfig.build.json']);
  },
);
const contract = join(root, 'openapi.yaml');
const contractJson = join(root, 'dist', 'openapi.json');
once('contract', [contract, join(root, 'tools', 'build.mjs'), lock], contractJson, () => {
  // Reading YAML of this size takes most of a second at each start; JSON takes none. The digest says of which text it is.
  const text = readFileSync(contract, 'utf8');
  const sha256 = createHash('sha256').update(text).digest('hex');
  writeFileSync(contractJson, JSON.stringify({ sha256, document: parse(text) }));
});
// Demo, benches and fuzz stand beside their own copy of what they use of src/, in dist/src.
once(
  'tools',
  [
    ...filesBelow(join(root, 'tools')),
    ...filesBelow(join(root, 'src')),
    ...filesBelow(join(root, 'sdks')),
    join(root, 'tsconfig.tools.json'),
    lock,
  ],
  join(root, 'dist', 'tools', 'demo', 'main.js'),
  () => {
    run('tools and SDKs', join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ['-p', 'tsconfig.tools.json']);
  },
);
once(
  'portal',
  [...filesBelow(join(root, 'portal')), join(root, 'tools', 'build.mjs'), join(root, 'tsconfig.json'), lock],
  join(root, 'dist', 'portal', 'index.html'),
  () => {
    // Built aside and put in place whole: a gateway that starts meanwhile finds the old one or the new one.
    const fresh = join(cache, `causeway-portal-${process.pid}`);
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    const args = ['build', 'portal', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'];
    // The gateway serves without it, and says so at /portal.
    if (!run('portal', vite, args, { isNeeded: false })) return false;
    rmSync(join(root, 'dist', 'portal'), { recursive: true, force: true });
    mkdirSync(join(root, 'dist'), { recursive: true });
    renameSync(fresh, join(root, 'dist', 'portal'));
    return true;
  },
);
