import { connect } from 'node:net';

/** Where each service is looked for when nothing else is said. */
const PLACES = {
  postgres: process.env['CAUSEWAY_TEST_DATABASE_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres',
  nats: process.env['CAUSEWAY_TEST_NATS_URL'] ?? 'nats://127.0.0.1:4222',
} as const;

const NAMES = { postgres: 'PostgreSQL', nats: 'NATS' } as const;

export type Service = keyof typeof PLACES;

/** The services without which a run counts as failed: `CAUSEWAY_REQUIRE=postgres,nats`. */
const required = (process.env['CAUSEWAY_REQUIRE'] ?? '').split(',').map((name) => name.trim());

/**
 * The addresses of services that a test needs, or why it is skipped: nothing answers there. A service that
 * `CAUSEWAY_REQUIRE` names is never skipped: its address is given and the test meets the failure itself.
 */
export async function findServices<Needed extends Service>(
  ...needed: readonly Needed[]
): Promise<{ urls: Readonly<Record<Service, string>>; skipped: string | undefined }> {
  const missing: string[] = [];
  for (const service of needed) {
    if (required.includes(service) || (await answers(PLACES[service]))) continue;
    const { host } = new URL(PLACES[service]);
    missing.push(`no ${NAMES[service]} at ${host}`);
  }
  const skipped = missing.length > 0 ? `skipped: ${missing.join(', ')}` : undefined;
  if (skipped) process.stderr.write(`${skipped}\n`);
  return { urls: PLACES, skipped };
}

function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 1_000 });
    const end = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
