import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createPlace, type Place, PROCESS_TEST_MS_MAX, type Program } from './program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });

let place: Place;
beforeEach(async () => {
  place = await createPlace();
});
afterEach(() => place.leave());

const DRAINS = /finishing what is under way/g;

interface HeldRequest {
  /** Sends the rest of the request; resolves with the whole answer. */
  finish(): Promise<string>;
  socket: Socket;
}

/** The Authorization header of E-Plus's sandbox client. */
function basicOfEPlus(): string {
  const { partners } = JSON.parse(readFileSync(join(place.dataDir, 'sandbox-credentials.json'), 'utf8')) as {
    partners: Record<string, { clientId: string; clientSecret: string }>;
  };
  const { clientId, clientSecret } = partners['e-plus'] ?? { clientId: '', clientSecret: '' };
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
}

/** A token request that the gateway has begun to read, and whose last byte it waits for. */
async function holdRequest(url: string): Promise<HeldRequest> {
  const { hostname, port } = new URL(url);
  const body = 'grant_type=client_credentials';
  const socket = connect(Number(port), hostname).setEncoding('utf8');
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
  });
  const closed = once(socket, 'close');
  socket.on('error', () => socket.destroy());
  socket.write(
    [
      'POST /oauth2/token HTTP/1.1',
      'Host: gateway',
      'Content-Type: application/x-www-form-urlencoded',
      `Authorization: ${basicOfEPlus()}`,
      `Content-Length: ${body.length}`,
      'Expect: 100-continue',
      '\r\n',
    ].join('\r\n'),
  );
  // The interim answer says that the request is under way.
  while (!answer.includes('100 Continue')) await once(socket, 'data');
  answer = '';
  socket.write(body.slice(0, -1));
  return {
    socket,
    async finish() {
      socket.write(body.slice(-1));
      await closed;
      return answer;
    },
  };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s lets the request that is under way finish, and ends with 0', async (signal) => {
  const program = place.start();
  const request = await holdRequest(await program.url());
  program.child.kill(signal);
  await program.shows(DRAINS);
  const operations = /(http:\/\/\S+)\/readyz/.exec(program.stdout())?.[1];
  const readiness = await vi.waitFor(async () => {
    const ready = await fetch(`${operations}/readyz`);
    expect(ready.status).toBe(503);
    return ready.json();
  }, 10_000);
  expect(readiness).toMatchObject({ status: 'unavailable', notReady: ['draining'] });
  const answer = await request.finish();
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain('"access_token"');
  expect(answer).toMatch(/\r\nConnection: close\r\n/i);
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

test('the same signal twice at once is one wish: npm passes Ctrl-C on to a program that had it already', async () => {
  const program = place.start();
  const request = await holdRequest(await program.url());
  program.child.kill('SIGINT');
  program.child.kill('SIGINT');
  await program.shows(DRAINS);
  program.child.kill('SIGINT');
  expect(await request.finish()).toMatch(/^HTTP\/1\.1 200 /);
  expect(await program.ended).toEqual({ code: 0, signal: null });
  expect(program.stderr().match(DRAINS)).toHaveLength(1);
});

test('asked again later, it ends at once though a request is under way', async () => {
  const program = place.start();
  const request = await holdRequest(await program.url());
  program.child.kill('SIGTERM');
  await program.shows(DRAINS);
  const asking = setInterval(() => program.child.kill('SIGTERM'), 50);
  const ending = await program.ended.finally(() => clearInterval(asking));
  request.socket.destroy();
  expect(ending).toEqual({ code: 1, signal: null });
});

test('an open stream is told that the gateway goes away and does not hold it up', async () => {
  const program = place.start();
  const url = await program.url();
  const device = await registerDevice(url);
  const stream = new WebSocket(`${url.replace('http', 'ws')}/messaging/v1/stream`, ['causeway.v1'], {
    headers: { authorization: `Bearer ${device}` },
  });
  await once(stream, 'open');
  const closed = once(stream, 'close');
  program.child.kill('SIGTERM');
  const [code] = (await closed) as [number];
  expect(code).toBe(1001);
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

/** @returns the token of a phone that has just registered. */
async function registerDevice(url: string): Promise<string> {
  const post = async (path: string, body: unknown, authorization?: string): Promise<Record<string, string>> => {
    const form = body instanceof URLSearchParams;
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { ...(authorization && { authorization }), ...(!form && { 'content-type': 'application/json' }) },
      body: form ? body : JSON.stringify(body),
    });
    expect(answer.ok, await answer.clone().text()).toBe(true);
    return (await answer.json()) as Record<string, string>;
  };
  const { access_token } = await post('/oauth2/token', new URLSearchParams({ grant_type: 'client_credentials' }), basicOfEPlus());
  const msisdn = '+9995701234567';
  const { token } = await post('/v1/sandbox/number-verification-tokens', { msisdn }, `Bearer ${access_token}`);
  const { accessToken } = await post('/messaging/v1/accounts', {
    msisdn,
    verification: { method: 'number-verification', token },
    device: { name: 'Phone', registrationId: 4711, platform: 'bot' },
    language: 'de',
  });
  return accessToken ?? '';
}

test('stopped while it starts, it ends with 0, and the next start goes on where that one was', async () => {
  const hasty = place.start();
  await hasty.shows(/preparing the database/);
  hasty.child.kill('SIGINT');
  expect(await hasty.ended).toEqual({ code: 0, signal: null });
  expect(hasty.stdout()).toBe('');
  const next: Program = place.start();
  expect((await fetch(`${await next.url()}/healthz`)).status).toBe(200);
  next.child.kill('SIGTERM');
  expect(await next.ended).toEqual({ code: 0, signal: null });
});
