#!/usr/bin/env node
/**
 * Makes the client SDKs from openapi.yaml: `node tools/generate-sdks.mjs` writes them, `--check` says whether what is
 * committed is what the contract makes (exit 1 when not). Each SDK is one generated file beside a small hand-written
 * token cache and webhook verifier.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** What is generated: the generator's name, the committed file, and the client's name on the wire. */
const SDKS = [
  { generator: 'typescript', file: 'sdks/typescript/generated/client.ts', client: 'causeway-sdk-typescript' },
  { generator: 'java', file: 'sdks/java/causeway/Client.java', client: 'causeway-sdk-java' },
];
const isTypeScript = (sdk) => sdk.generator === 'typescript';

/** Where the sandbox is served; every SDK takes another address at run time. */
const SERVER_URL = 'http://127.0.0.1:8080';

/**
 * The generated client is written for browsers' types and looser options than ours: it is type-checked by itself
 * (`typeErrors`), and left alone where it is imported.
 */
const UNCHECKED = '// @ts-nocheck: checked by itself, see tools/generate-sdks.mjs\n';

/** @returns the text of one SDK's generated file. */
export function generateSdk(sdk) {
  const { generator, file, client } = sdk;
  const folder = mkdtempSync(join(tmpdir(), 'causeway-sdk-'));
  try {
    // The command takes a TypeScript name only; each generator makes a name of its own language from it (client.ts, Client.java).
    const output = join(folder, 'client.ts');
    const redocly = join(root, 'node_modules', '@redocly', 'cli', 'bin', 'cli.js');
    const args = ['generate-client', join(root, 'openapi.yaml'), '-o', output, '--server-url', SERVER_URL, '--generator', generator];
    const { status, stdout, stderr } = spawnSync(process.execPath, [redocly, ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
    if (status !== 0) throw new Error(`redocly generate-client failed:\n${stdout}${stderr}`);
    const text = readFileSync(join(folder, file.split('/').at(-1)), 'utf8');
    const named = text.replace(/(clientHeader(?::| =) )"redocly-client-generator"/, `$1"${client}"`);
    if (named === text) throw new Error(`${file}: the generator writes the client's name elsewhere now; see where, and put ours there`);
    return (isTypeScript(sdk) ? UNCHECKED : '') + named;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns the committed files that differ from what the contract makes now. */
export function driftedSdks() {
  return SDKS.filter((sdk) => generateSdk(sdk) !== readFileSync(join(root, sdk.file), 'utf8')).map((sdk) => sdk.file);
}

/** @returns what the compiler says of the committed TypeScript client, under strict options and browsers' types. */
export function typeErrors() {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-sdk-types-'));
  try {
    for (const { file } of SDKS.filter(isTypeScript)) {
      writeFileSync(join(folder, file.split('/').at(-1)), readFileSync(join(root, file), 'utf8').replace(UNCHECKED, ''));
    }
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true },
      ...{ target: 'es2023', lib: ['es2023', 'dom', 'dom.iterable'], module: 'nodenext', moduleResolution: 'nodenext', types: [] },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder], {
      encoding: 'utf8',
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const drifted = driftedSdks();
    for (const file of drifted) process.stdout.write(`${file} is not what openapi.yaml makes: run npm run generate\n`);
    const errors = typeErrors();
    process.stdout.write(errors);
    if (drifted.length === 0 && errors === '') process.stdout.write('sdks: as the contract makes them, and their types are sound\n');
    process.exit(drifted.length > 0 || errors !== '' ? 1 : 0);
  }
  for (const sdk of SDKS) {
    mkdirSync(dirname(join(root, sdk.file)), { recursive: true });
    writeFileSync(join(root, sdk.file), generateSdk(sdk));
    process.stdout.write(`${sdk.file}\n`);
  }
}
