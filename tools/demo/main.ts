/** `npm run demo`: plays the story against a running gateway. Exit code 0 when every step was as it should be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { playStory, type StoryStep } from './story.js';
import { startWebhookReceiver } from './webhook-receiver.js';

const json = process.argv.includes('--json');
const env = process.env;
const url = env['CAUSEWAY_URL'] ?? `http://127.0.0.1:${env['CAUSEWAY_HTTP_PORT'] ?? '8080'}`;
const dataDir = env['CAUSEWAY_DATA_DIR'] ?? './data';

function say(step: StoryStep | { step: string; at: string; ok: false; error: string }): void {
  if (json) return void process.stdout.write(`${JSON.stringify(step)}\n`);
  const { step: name, at, ok, id, state, error, ...facts } = step as StoryStep & { error?: string };
  const rest = Object.entries(facts).map(([fact, value]) => `${fact}=${String(value)}`);
  const line = [ok ? 'ok  ' : 'FAIL', at.slice(11, 23), name.padEnd(30), (id ?? '').padEnd(32), (state ?? error ?? '').padEnd(18), ...rest];
  process.stdout.write(`${line.join(' ').trimEnd()}\n`);
}

function readCredentials(): { clientId: string; clientSecret: string } {
  const file = join(dataDir, 'sandbox-credentials.json');
  try {
    const { partners } = JSON.parse(readFileSync(file, 'utf8')) as { partners: Record<string, { clientId: string; clientSecret: string }> };
    const own = partners['e-plus'];
    if (own) return own;
  } catch {
    // Said below, with what to do about it.
  }
  process.stderr.write(`No sandbox credentials in ${file}. Start the gateway with npm start, or name its folder with CAUSEWAY_DATA_DIR.\n`);
  process.exit(2);
}

async function answers(): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}

const { clientId, clientSecret } = readCredentials();
if (!(await answers())) {
  process.stderr.write(`No gateway answers at ${url}. Start it with npm start, or name it with CAUSEWAY_URL.\n`);
  process.exit(1);
}
const receiver = await startWebhookReceiver();
try {
  const { subscriptionId } = await playStory({ url, clientId, clientSecret, receiver, onStep: say });
  if (!json) process.stdout.write(`\nThe story went to its end. All of it is in GET ${url}/v1/subscriptions/${subscriptionId}/timeline\n`);
} catch (failure) {
  const { message, body } = failure as { message: string; body?: { detail?: string; code?: string } };
  say({ step: 'story', at: new Date().toISOString(), ok: false, error: [message, body?.code, body?.detail].filter(Boolean).join(' – ') });
  process.exitCode = 1;
} finally {
  await receiver.close();
}
