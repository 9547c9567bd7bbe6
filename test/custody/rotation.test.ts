import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createCausewayClient } from '../../sdks/typescript/index.js';
import { rotateMasterKey } from '../../src/cli/rotate-master-key.js';
import { readMasterKey } from '../../src/identity/index.js';
import { openSqliteStore } from '../../src/store/index.js';
import { freshMsisdn } from '../../tools/demo/numbers.js';
import { playStory } from '../../tools/demo/story.js';
import { startWebhookReceiver } from '../../tools/demo/webhook-receiver.js';
import { createHome, type GatewayHome, startGateway } from '../../tools/gateway/gateway-process.js';
import { createPlace, linesOf, type Place } from '../process/program.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let home: GatewayHome;
let place: Place;
let firstKey: string;
/** What the first key wrapped begins with. */
let firstPrefix: string;
/** A request whose answer holds a secret that is shown once, and that answer. */
const request = {
  body: { sink: 'http://127.0.0.1:9/hook', types: ['com.causeway.v1.order.completed'], scheme: 'v1' as const },
  headers: { 'Idempotency-Key': 'the-request-of-this-test' },
};
let secretOnce: unknown;

const keyFile = () => join(home.keysDir, 'master.key');
const keysInFile = (): string[] => linesOf(readFileSync(keyFile(), 'utf8'));
const partner = () => createCausewayClient({ serverUrl: home.url, ...home.credentials() });
const filesWith = (text: string): string[] => [...home.files()].filter(([, content]) => content.includes(text)).map(([file]) => file);

async function story(): Promise<void> {
  const receiver = await startWebhookReceiver();
  try {
    await playStory({ url: home.url, ...home.credentials(), receiver, onStep: () => undefined });
  } finally {
    await receiver.close();
  }
}

async function rotate(...args: string[]): Promise<{ code: number | null; said: string }> {
  const program = place.run('dist/cli/main.js', ['keys', 'rotate', ...args], home.variables);
  const { code } = await program.ended;
  return { code, said: program.output() };
}

beforeAll(async () => {
  place = await createPlace();
  home = await createHome();
  const gateway = await startGateway(home);
  await story();
  secretOnce = (await partner().createEventSubscription(request)).secret;
  expect(secretOnce).toMatch(/^whsec_/);
  // An SMS that answers nothing stays, encrypted.
  await partner().sendSandboxInboundSms({
    body: { from: freshMsisdn(), to: '+9995790000001', text: 'nobody waits for this' },
    headers: { 'Idempotency-Key': 'the-sms-of-this-test' },
  });
  const refused = await rotate();
  expect(refused).toEqual({ code: 1, said: expect.stringContaining('Stop the gateway first') });
  await gateway.stop();
  firstKey = keysInFile()[0] ?? '';
  firstPrefix = readMasterKey(home.keysDir).prefix();
});
afterAll(async () => {
  await place.leave();
  home.remove();
});

describe('rotation of the master key', () => {
  test('before it, the first key wraps what is in both databases, the keys folder and the simulated SMSC’s file', () => {
    const names = filesWith(firstPrefix).map((file) => file.split('/').at(-1));
    for (const name of ['gateway.db', 'messages.db', 'opener-ring.json', 'sandbox-smsc.jsonl']) expect(names).toContain(name);
  });

  test('dead after any step, everything opens, with both keys in the file, and the gateway starts', async () => {
    let steps = 0;
    for (let deadAfter = 1; ; deadAfter += 1) {
      const store = await openSqliteStore(home.dataDir);
      steps = 0;
      const died = rotateMasterKey({
        store,
        dataDir: home.dataDir,
        keysDir: home.keysDir,
        isLast: false,
        onStep() {
          steps += 1;
          if (steps === deadAfter) throw new Error('dead');
        },
      }).then(
        () => false,
        () => true,
      );
      const isDead = await died;
      await store.close();
      expect(keysInFile()).toEqual([expect.not.stringMatching(firstKey), firstKey]);
      if (!isDead) break;
    }
    expect(steps, 'it died after each of these').toBeGreaterThan(5);
    const gateway = await startGateway(home);
    expect((await partner().createEventSubscription(request)).secret).toBe(secretOnce);
    await gateway.stop();
  });

  test('run again it goes on, and then one new key is left that opens everything; of the first nothing is', async () => {
    const [second] = keysInFile();
    const { code, said } = await rotate();
    expect(said).toContain('going on with the rotation that was begun before');
    expect(code).toBe(0);
    expect(keysInFile()).toEqual([second]);
    expect(filesWith(firstPrefix)).toEqual([]);
    expect(filesWith('"w1.')).toEqual([]);
    expect(filesWith(firstKey)).toEqual([]);

    const gateway = await startGateway(home);
    try {
      expect((await partner().createEventSubscription(request)).secret, 'the stored answer is the first one').toBe(secretOnce);
      expect((await partner().listPlans({ query: { market: 'XS' } })).items.length).toBeGreaterThan(0);
    } finally {
      await gateway.stop();
    }
  });

  test('a backup from before it opens again with its key put below the new one, by going on', async () => {
    const { size } = readMasterKey(home.keysDir);
    expect(size()).toBe(1);
    writeFileSync(keyFile(), `${keysInFile()[0]}\n${firstKey}\n`);
    const gateway = await startGateway(home);
    await gateway.stop();
    expect((await rotate()).code).toBe(0);
    expect(keysInFile()).toHaveLength(1);
  });

  test('keys that do not open the data are not rotated, and the file stays as it is', async () => {
    const before = readFileSync(keyFile());
    try {
      writeFileSync(keyFile(), `${Buffer.alloc(32, 9).toString('base64url')}\n`);
      const { code, said } = await rotate();
      expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining('does not open with the master key') });
      expect(keysInFile()).toHaveLength(1);
    } finally {
      writeFileSync(keyFile(), before);
    }
  });
});
