import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEnvFile } from '../../src/cli/env-file.js';
import { type InitOptions, init } from '../../src/cli/init.js';
import { optionNames } from '../../src/config/read-config.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-init-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const modeOf = (path: string) => statSync(path).mode & 0o777;

async function run(given: Partial<InitOptions> = {}, answers?: readonly string[]): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const options = { file: at('.env'), dataDir: at('data'), keysDir: at('keys'), yes: false, force: false, ...given };
  const input = new PassThrough();
  const output = new PassThrough();
  // Each question is answered when it has been asked.
  let next = 0;
  output.on('data', (text: Buffer) => {
    said.push(String(text));
    if (/[?)\]] $/.test(text.toString())) input.write(`${answers?.[next++] ?? ''}\n`);
  });
  const code = await init({ env: {}, write: (text) => void said.push(text), now: () => 0 }, options, answers && { input, output });
  return { code, said: said.join('') };
}

test('it makes private folders, a master key and a .env that explains every option', async () => {
  const { code } = await run({ yes: true });
  expect(code).toBe(0);
  for (const name of ['data', 'keys']) expect(modeOf(at(name))).toBe(0o700);
  for (const name of ['keys/master.key', '.env']) expect(modeOf(at(name))).toBe(0o600);
  const text = readFileSync(at('.env'), 'utf8');
  for (const name of optionNames) expect(text).toContain(`${name}=`);
  expect(readEnvFile(at('.env'))).toEqual({
    CAUSEWAY_ENV: 'sandbox',
    CAUSEWAY_HTTP_PORT: '8080',
    CAUSEWAY_OPS_PORT: '9090',
    CAUSEWAY_DATA_DIR: at('data'),
    CAUSEWAY_KEYS_DIR: at('keys'),
  });
});

test('a second run changes nothing; with force the old file is kept beside the new', async () => {
  await run({ yes: true });
  writeFileSync(at('.env'), `${readFileSync(at('.env'), 'utf8')}\nMY_OWN=1\n`);
  const before = [readFileSync(at('.env'), 'utf8'), readFileSync(at('keys/master.key'), 'utf8')];
  const { said } = await run({ yes: true, httpPort: '8181' });
  expect(said).toContain('was left as it is');
  expect([readFileSync(at('.env'), 'utf8'), readFileSync(at('keys/master.key'), 'utf8')]).toEqual(before);
  await run({ yes: true, httpPort: '8181', force: true });
  expect(readEnvFile(at('.env'))['CAUSEWAY_HTTP_PORT']).toBe('8181');
  expect(readFileSync(at('.env.before'), 'utf8')).toBe(before[0]);
  expect(readFileSync(at('keys/master.key'), 'utf8')).toBe(before[1]);
});

test('a folder that is open to others is closed', async () => {
  mkdirSync(at('data'), { mode: 0o755 });
  await run({ yes: true });
  expect(modeOf(at('data'))).toBe(0o700);
});

test('no new master key is made beside data that another one wrapped', async () => {
  mkdirSync(at('data'));
  writeFileSync(at('data/gateway.db'), '');
  const { said } = await run({ yes: true });
  expect(existsSync(at('keys/master.key'))).toBe(false);
  expect(said).toContain('put the one there that wrapped the data');
});

test('a flag that is not valid is refused in words, and nothing is written', async () => {
  await expect(run({ yes: true, httpPort: 'many' })).rejects.toMatchObject({ problems: [expect.stringContaining('CAUSEWAY_HTTP_PORT')] });
  expect(existsSync(at('.env'))).toBe(false);
});

test('asked, Enter takes the default, and an answer that is not valid is asked again', async () => {
  const { said } = await run({}, ['sandbox', 'many', '', '8282', '', '']);
  expect(said).toContain('CAUSEWAY_HTTP_PORT is "many"');
  expect(readEnvFile(at('.env'))).toMatchObject({ CAUSEWAY_HTTP_PORT: '8282', CAUSEWAY_OPS_PORT: '9090' });
});

test('for production it asks for the origins, and says what is still to do', async () => {
  const { said } = await run({ env: 'production' }, ['', '', 'https://gateway.example', '', 'https://media.example', '', '']);
  expect(readEnvFile(at('.env'))).toMatchObject({ CAUSEWAY_ENV: 'production', CAUSEWAY_ORIGIN_MEDIA: 'https://media.example' });
  expect(said).toContain('still to do: CAUSEWAY_ORIGIN_TEXT');
});
