import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPlace, linesOf, type Place, PROCESS_TEST_MS_MAX, ROOT, type Variables } from './program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });

let place: Place;
beforeEach(async () => {
  place = await createPlace();
});
afterEach(() => place.leave());

/** The sentences that a start is refused with. It must not have served, nor speak as programs do. */
async function refusal(variables: Variables): Promise<string[]> {
  const program = place.start(variables);
  expect(await program.ended).toEqual({ code: 1, signal: null });
  expect(program.stdout()).toBe('');
  expect(program.stderr(), 'no stack trace').not.toMatch(/^\s+at |\.js:\d|node:internal|Error:/m);
  return linesOf(program.stderr());
}

async function takenPort(): Promise<{ port: number; free(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, free: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** A copy of partners/ whose e-plus/partner.yaml was changed. */
function partnersWith(change: (text: string) => string): string {
  const folder = join(place.folder, 'partners');
  cpSync(join(ROOT, 'partners'), folder, { recursive: true });
  const file = join(folder, 'e-plus', 'partner.yaml');
  const text = readFileSync(file, 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(file, changed);
  return folder;
}

const lineOf = (file: string, text: string): number =>
  readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

test('a port in use is one sentence with the variable to change, and nothing was made before it was found', async () => {
  const taken = await takenPort();
  try {
    expect(await refusal({ CAUSEWAY_HTTP_PORT: String(taken.port) })).toEqual([
      `CAUSEWAY_HTTP_PORT is ${taken.port}, and another program listens there; fix: stop that program, or set CAUSEWAY_HTTP_PORT to a free port.`,
    ]);
    expect(await refusal({ CAUSEWAY_OPS_PORT: String(taken.port) })).toEqual([expect.stringMatching(/^CAUSEWAY_OPS_PORT is \d+, and /)]);
    expect(existsSync(join(place.dataDir, 'gateway.db'))).toBe(false);
  } finally {
    await taken.free();
  }
});

test('a PostgreSQL that is not there is one sentence with the variable to correct, and no password', async () => {
  const [sentence, ...more] = await refusal({ CAUSEWAY_DATABASE_URL: 'postgresql://causeway:hidden-word@127.0.0.1:1/causeway' });
  expect(sentence).toMatch(/^The PostgreSQL server at 127\.0\.0\.1:1 cannot be used: connect ECONNREFUSED .*CAUSEWAY_DATABASE_URL/);
  expect(sentence).not.toContain('hidden-word');
  expect(more).toEqual([]);
});

test.each(['CAUSEWAY_DATA_DIR', 'CAUSEWAY_KEYS_DIR'])('a %s that cannot be written is one sentence', async (name) => {
  const file = join(place.folder, 'file');
  writeFileSync(file, '');
  for (const folder of [file, join(file, 'below')]) {
    expect(await refusal({ [name]: folder })).toEqual([
      `${name} is ${JSON.stringify(folder)}, which cannot be written; fix: make it a writable folder, or set ${name} to another one.`,
    ]);
  }
});

test('a link that leads nowhere is not a folder either', async () => {
  const link = join(place.folder, 'link');
  symlinkSync(join(place.folder, 'absent', 'deeper'), link);
  expect(await refusal({ CAUSEWAY_DATA_DIR: link })).toEqual([expect.stringContaining('CAUSEWAY_DATA_DIR')]);
});

test('what is wrong with variables, ports, folders and partners is all told at once', async () => {
  const taken = await takenPort();
  const file = join(place.folder, 'file');
  writeFileSync(file, '');
  const partners = partnersWith((text) => text.replace('kind: operator', 'kind: carrier'));
  try {
    const sentences = await refusal({
      CAUSEWAY_HTTP_PORT: String(taken.port),
      CAUSEWAY_OPS_PORT: 'many',
      CAUSEWAY_KEYS_DIR: join(file, 'keys'),
      CAUSEWAY_HTTPPORT: '1',
      CAUSEWAY_LOG_LEVEL: 'loud',
      CAUSEWAY_PARTNERS_DIR: partners,
    });
    expect(new Set(sentences.map((sentence) => sentence.split(/[ :]/)[0]))).toEqual(
      new Set([
        'CAUSEWAY_HTTPPORT',
        'CAUSEWAY_HTTP_PORT',
        'CAUSEWAY_KEYS_DIR',
        'CAUSEWAY_LOG_LEVEL',
        'CAUSEWAY_OPS_PORT',
        join(partners, 'e-plus', 'partner.yaml'),
      ]),
    );
    for (const sentence of sentences) expect(sentence).toMatch(/; fix: .+[.?]?$/);
  } finally {
    await taken.free();
  }
});

test('a broken partner.yaml is named by file and line, with the fix', async () => {
  const folder = partnersWith((text) => text.replace('currency: EUR', 'currency: EURO').replace('binds: 2', 'binds: two'));
  const file = join(folder, 'e-plus', 'partner.yaml');
  const sentences = await refusal({ CAUSEWAY_PARTNERS_DIR: folder });
  expect(sentences).toHaveLength(2);
  expect(sentences[0]).toContain(`${file}:${lineOf(file, 'currency: EURO')}`);
  expect(sentences[1]).toContain(`${file}:${lineOf(file, 'binds: two')}`);
  for (const sentence of sentences) expect(sentence).toContain('fix: ');
});

test('a partners folder that is not there, or empty, is one sentence', async () => {
  const absent = join(place.folder, 'nowhere');
  expect(await refusal({ CAUSEWAY_PARTNERS_DIR: absent })).toEqual([
    expect.stringMatching(/nowhere.*cannot be read; fix: set CAUSEWAY_PARTNERS_DIR/),
  ]);
  mkdirSync(absent);
  expect(await refusal({ CAUSEWAY_PARTNERS_DIR: absent })).toEqual([expect.stringContaining('holds no partner; fix: ')]);
});

test('a master key that is not one is refused in words, and is not replaced', async () => {
  mkdirSync(place.keysDir, { recursive: true });
  const file = join(place.keysDir, 'master.key');
  writeFileSync(file, 'not a key\n', { mode: 0o600 });
  const [sentence, ...others] = await refusal({});
  expect(others).toEqual([]);
  expect(sentence).toContain(file);
  expect(readFileSync(file, 'utf8')).toBe('not a key\n');
});

test('data that another master key wrapped is refused in words', async () => {
  const first = place.start();
  await first.url();
  first.child.kill('SIGTERM');
  expect((await first.ended).code).toBe(0);
  const sentences = await refusal({ CAUSEWAY_KEYS_DIR: join(place.folder, 'other-keys') });
  expect(sentences).toHaveLength(1);
  expect(sentences[0]).toMatch(/key/i);
});

test('production refuses sandbox partners, missing origins and a missing key, and says so', async () => {
  const missing = await refusal({ CAUSEWAY_ENV: 'production' });
  for (const name of ['CAUSEWAY_PUBLIC_URL', 'CAUSEWAY_ORIGIN_TEXT', 'CAUSEWAY_ORIGIN_MEDIA', 'CAUSEWAY_ORIGIN_CALLS'])
    expect(missing.filter((sentence) => sentence.startsWith(name))).toHaveLength(1);
  for (const partner of ['e-plus', 'cable-and-wireless', 'hub-sandbox']) {
    const told = missing.filter(
      (sentence) => sentence.includes(join(partner, 'partner.yaml')) && sentence.includes('this gateway is production'),
    );
    expect(told, partner).toHaveLength(1);
  }
  const withOrigins = await refusal({
    CAUSEWAY_ENV: 'production',
    CAUSEWAY_PUBLIC_URL: 'https://gateway.example',
    CAUSEWAY_ORIGIN_TEXT: 'https://text.example',
    CAUSEWAY_ORIGIN_MEDIA: 'https://media.example',
    CAUSEWAY_ORIGIN_CALLS: 'https://calls.example',
  });
  expect(withOrigins.every((sentence) => sentence.includes('partner.yaml'))).toBe(true);
  expect(existsSync(join(place.keysDir, 'master.key'))).toBe(false);
});
