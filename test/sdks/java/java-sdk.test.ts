import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshIccid, freshImsi, freshMsisdn } from '../../../tools/demo/numbers.js';
import { startTestGateway, type TestGateway } from '../../fakes/gateway.js';

/** The SDK is written for Java 17, the oldest that its generated part takes. */
const JAVA_MIN = 17;
const jdk = Number(/^javac (\d+)/.exec(spawnSync('javac', ['-version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
const isMissing = jdk < JAVA_MIN;
const isRequired = (process.env['CAUSEWAY_REQUIRE'] ?? '').split(/[\s,]+/).includes('java');

const root = fileURLToPath(new URL('../../../', import.meta.url));
const javaFiles = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.java'))
    .map((name) => join(root, folder, name));

/** A loaded machine compiles the generated file in a quarter of a minute. */
const COMPILE_MS_MAX = 120_000;
const RUN_MS_MAX = 90_000;

if (isMissing && isRequired) {
  test('CAUSEWAY_REQUIRE names java, so a JDK has to be here', () => {
    expect(jdk).toBeGreaterThanOrEqual(JAVA_MIN);
  });
}

describe.skipIf(isMissing)(`the Java SDK${isMissing ? ` (skipped: no JDK ${JAVA_MIN} or newer; javac is what it needs)` : ''}`, () => {
  let folder: string;
  let compiled: { status: number | null; output: string };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'causeway-java-'));
    const classes = join(folder, 'classes');
    compiled = await run('javac', [
      ...['-Xlint:all', '-Werror', '--release', String(JAVA_MIN), '-d', classes],
      ...[...javaFiles('sdks/java/causeway'), ...javaFiles('test/sdks/java'), readmeExample()],
    ]);
  }, COMPILE_MS_MAX);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The README's first example as a class, so that it compiles for as long as it stands there. */
  function readmeExample(): string {
    const [, example = ''] = /```java\n(.*?)```/s.exec(readFileSync(join(root, 'sdks/java/README.md'), 'utf8')) ?? [];
    expect(example.trim().split('\n')).toHaveLength(10);
    const parameters = ['clientId', 'clientSecret', 'planId', 'iccid', 'msisdn'].map((name) => `String ${name}`).join(', ');
    const file = join(folder, 'ReadmeExample.java');
    writeFileSync(
      file,
      `import causeway.*;\nimport java.util.List;\nfinal class ReadmeExample {\nstatic void run(${parameters}) {\n${example}}\n}\n`,
    );
    return file;
  }

  const java = (program: string, input?: unknown) =>
    run('java', ['-XX:TieredStopAtLevel=1', '-cp', join(folder, 'classes'), program], JSON.stringify(input));

  test('it compiles without one warning, and so does the example of its README', () => {
    expect(compiled).toEqual({ status: 0, output: '' });
  });

  test(
    'webhooks verify or are refused, and tokens are kept, as the TypeScript SDK does it',
    async () => {
      const { status, output } = await java('SdkChecks');
      const lines = output.trim().split('\n');
      expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([]);
      // Each check of the program has run: a program that ends early is no success.
      const checks = readFileSync(join(root, 'test/sdks/java/SdkChecks.java'), 'utf8');
      for (const [, promise] of checks.matchAll(/check\("([^"]+)"/g)) expect(lines).toContain(`ok ${promise}`);
      for (const [, what] of checks.matchAll(/new Refusal\("([^"]+)"/g)) expect(lines).toContain(`ok ${what} is refused`);
      expect(status).toBe(0);
    },
    RUN_MS_MAX,
  );

  describe('against a running gateway', () => {
    let gateway: TestGateway;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

    beforeAll(async () => {
      gateway = await startTestGateway({ env: { CAUSEWAY_PARTNERS_DIR: partnersWithAKeyClient() } });
    }, RUN_MS_MAX);

    afterAll(() => gateway?.close());

    /** The sandbox's partners, and a client of E-Plus that proves itself with a key. */
    function partnersWithAKeyClient(): string {
      const partners = join(folder, 'partners');
      cpSync(join(root, 'partners'), partners, { recursive: true });
      mkdirSync(join(partners, 'e-plus', 'keys'));
      const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };
      writeFileSync(join(partners, 'e-plus', 'keys', 'java.jwks.json'), JSON.stringify({ keys: [jwk] }));
      const file = join(partners, 'e-plus', 'partner.yaml');
      const client = '  - { id: e-plus-java, scopes: ["plans:read"], keys: { jwksFile: keys/java.jwks.json } }';
      writeFileSync(file, readFileSync(file, 'utf8').replace('clients:\n', `clients:\n${client}\n`));
      return partners;
    }

    test(
      'a Java program lists plans, orders once, reads what was wrong, and verifies the webhooks that it gets',
      async () => {
        const { partners } = JSON.parse(readFileSync(join(gateway.dataDir, 'sandbox-credentials.json'), 'utf8'));
        const { status, output } = await java('RoundTrip', {
          url: gateway.url,
          ...partners['e-plus'],
          iccid: freshIccid(),
          imsi: freshImsi(),
          msisdn: freshMsisdn(),
          keyClientId: 'e-plus-java',
          privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }),
        });
        expect(status, output).toBe(0);
        const seen = JSON.parse(output);
        expect(seen).toMatchObject({
          sim: 'registered',
          orderStatus: 201,
          orderId: expect.stringMatching(/^ord_/),
          repeatedOrderId: seen.orderId,
          replayed: 'true',
          'event v1': `com.causeway.v1.order.acknowledged ${seen.orderId}`,
          'event v1a': `com.causeway.v1.order.acknowledged ${seen.orderId}`,
          strangersSecret: true,
          deleteWithoutIfMatch: 428,
          afterDelete: 404,
          problem: '400 INVALID_ARGUMENT /items/0/msisdn',
          exportOfNothing: 404,
          byAssertion: 'e-plus',
        });
        const token = await gateway.token();
        for (const format of ['cidr', 'csv', 'pfd']) {
          const answer = await fetch(`${gateway.url}/v1/traffic-lists/messaging-text/export?format=${format}`, {
            headers: { authorization: `Bearer ${token}` },
          });
          expect(seen[`export ${format}`]).toBe(await answer.text());
        }
      },
      RUN_MS_MAX,
    );
  });
});

/** Runs a program to its end. `output` is what it wrote to both of its outputs. */
async function run(program: string, args: readonly string[], input = ''): Promise<{ status: number | null; output: string }> {
  // With these, every Java says first what it picked up.
  const { JAVA_TOOL_OPTIONS: _, JDK_JAVA_OPTIONS: __, ...env } = process.env;
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: RUN_MS_MAX });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output: chunks.join('') };
}
