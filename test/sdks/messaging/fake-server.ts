import type { BridgeKey, DeviceBody, Envelope, KeyUpload, SendRequest } from '../../../sdks/messaging/index.js';
import type { FakeClock } from '../../fakes/clock.js';

interface Answer {
  status: number;
  body?: Record<string, unknown>;
}

interface Key {
  id: string;
  body: string;
}

interface DeviceRow {
  accountId: string;
  deviceId: string;
  deviceSecret: string;
  registrationId: number;
  identity?: KeyUpload['identity'];
  replyKey?: KeyUpload['replyKey'];
  oneTimeKeys: Key[];
  fallbackKeys: Key[];
  queue: Envelope[];
  sent: Map<string, Record<string, unknown>>;
}

const problem = (status: number, code: string, more: Record<string, unknown> = {}): Answer => ({
  status,
  body: { type: 'about:blank', title: code, status, code, detail: `${code} happened.`, ...more },
});
const ok = (body: Record<string, unknown>, status = 200): Answer => ({ status, body });
const id = (prefix: string, n: number) => `${prefix}_${String(n).padStart(26, '0')}`;

/** The messaging API in memory: one-time keys once and in order, one device per account, FIFO queues, 409 and 410. */
export function createFakeServer(clock: FakeClock) {
  const devices = new Map<string, DeviceRow>();
  const byNumber = new Map<string, string>();
  const tokens = new Map<string, { deviceId: string; expiresAt: number }>();
  const calls: { verb: string; path: string; body: unknown; bearer: string | undefined }[] = [];
  const sends: { accountId: string; request: SendRequest }[] = [];
  const bridgeKeys: BridgeKey[] = [];
  const refusals: Answer[] = [];
  let refusedForEver: { start: string; answer: Answer } | undefined;
  let count = 0;
  let seq = 0;

  const devicesOf = (accountId: string) => [...devices.values()].filter((device) => device.accountId === accountId);

  function issue(deviceId: string) {
    const accessToken = `token-${++count}`;
    tokens.set(accessToken, { deviceId, expiresAt: clock.now() + 900_000 });
    return { accessToken, expiresInSeconds: 900 };
  }

  function register(body: { msisdn: string; device: { registrationId: number } }): Answer {
    const accountId = byNumber.get(body.msisdn) ?? id('acc', ++count);
    byNumber.set(body.msisdn, accountId);
    for (const old of devicesOf(accountId)) devices.delete(old.deviceId);
    const deviceId = id('dev', ++count);
    const row = { accountId, deviceId, deviceSecret: `secret-${deviceId}`, registrationId: body.device.registrationId };
    devices.set(deviceId, { ...row, oneTimeKeys: [], fallbackKeys: [], queue: [], sent: new Map() });
    return ok({ accountId, deviceId, deviceSecret: row.deviceSecret, ...issue(deviceId) }, 201);
  }

  function claim({ devices: wanted }: { devices: { accountId: string; deviceId: string }[] }): Answer {
    const keys = wanted.flatMap(({ accountId, deviceId }) => {
      const device = devices.get(deviceId);
      const oneTime = device?.oneTimeKeys.shift();
      const key = oneTime ?? device?.fallbackKeys[0];
      return key ? [{ accountId, deviceId, ...key, fallback: oneTime === undefined }] : [];
    });
    return ok({ keys });
  }

  function deliver(to: string, envelope: Omit<Envelope, 'envelopeId' | 'seq' | 'sentAt'>): Envelope {
    const whole = { ...envelope, envelopeId: id('msg', ++count), seq: ++seq, sentAt: new Date(clock.now()).toISOString() };
    devices.get(to)?.queue.push(whole);
    return whole;
  }

  function send(sender: DeviceRow, accountId: string, request: SendRequest): Answer {
    const first = sender.sent.get(request.clientMsgId);
    if (first) return ok({ ...first, replayed: true });
    const expected = devicesOf(accountId);
    if (expected.length === 0) return problem(404, 'MESSAGING.ACCOUNT_NOT_FOUND');
    const missingDevices = expected.filter((d) => !request.devices.some((b) => b.deviceId === d.deviceId)).map((d) => d.deviceId);
    const extraDevices = request.devices.filter((b) => !expected.some((d) => d.deviceId === b.deviceId)).map((b) => b.deviceId);
    if (missingDevices.length + extraDevices.length > 0)
      return problem(409, 'MESSAGING.DEVICES_MISMATCH', { missingDevices, extraDevices });
    const isStale = (b: DeviceBody) => devices.get(b.deviceId)?.registrationId !== b.registrationId;
    const staleDevices = request.devices.filter(isStale).map((b) => b.deviceId);
    if (staleDevices.length > 0) return problem(410, 'MESSAGING.DEVICES_STALE', { staleDevices });
    sends.push({ accountId, request });
    const from = { accountId: sender.accountId, deviceId: sender.deviceId };
    const { clientMsgId, ref } = request;
    for (const { deviceId, suite, body } of request.devices) {
      deliver(deviceId, { kind: 'message', from, clientMsgId, ...(ref ? { ref } : {}), suite, body });
    }
    const answer: Record<string, unknown> = {
      messageId: id('msg', ++count),
      storedAt: new Date(clock.now()).toISOString(),
      replayed: false,
    };
    if (request.fallback)
      answer['fallback'] = { id: id('fb', ++count), state: 'armed', dueAt: new Date(clock.now() + 300_000).toISOString() };
    sender.sent.set(clientMsgId, answer);
    return ok(answer);
  }

  function upload(device: DeviceRow, keys: KeyUpload): Answer {
    if (keys.identity) device.identity = keys.identity;
    if (keys.replyKey) device.replyKey = keys.replyKey;
    device.oneTimeKeys.push(...(keys.oneTimeKeys ?? []));
    if (keys.fallbackKeys?.length) device.fallbackKeys = keys.fallbackKeys;
    return ok({ oneTimeKeyCount: device.oneTimeKeys.length });
  }

  function query({ accountIds }: { accountIds: string[] }): Answer {
    const accounts = accountIds.flatMap((accountId) => {
      const known = devicesOf(accountId);
      const published = known.filter((d) => d.identity);
      const listed = published.map(({ deviceId, registrationId, identity }) => ({ deviceId, registrationId, identity }));
      return known.length > 0 ? [{ accountId, devices: listed }] : [];
    });
    return ok({ accounts });
  }

  /** One call of a device that has shown its token; REST and the stream both end here. */
  function handle(device: DeviceRow, verb: string, path: string, body: unknown): Answer {
    const refusal = refusals.shift();
    if (refusal) return refusal;
    const [route = ''] = path.split('?');
    const call = `${verb} ${route}`;
    if (refusedForEver && call.startsWith(refusedForEver.start)) return refusedForEver.answer;
    if (call.startsWith('PUT /messages/')) return send(device, route.slice('/messages/'.length), body as SendRequest);
    if (call === 'PUT /keys') return upload(device, body as KeyUpload);
    if (call === 'GET /keys/count') return ok({ oneTimeKeyCount: device.oneTimeKeys.length });
    if (call === 'POST /keys/query') return query(body as { accountIds: string[] });
    if (call === 'POST /keys/claim') return claim(body as { devices: { accountId: string; deviceId: string }[] });
    if (call === 'GET /bridge-keys') return ok({ items: bridgeKeys });
    if (call === 'GET /queue') return ok({ items: device.queue.slice(0, 100), hasMore: device.queue.length > 100 });
    if (call === 'POST /contacts/search') {
      const { msisdns } = body as { msisdns: string[] };
      const items = msisdns.flatMap((msisdn) => ({ msisdn, accountId: byNumber.get(msisdn) })).filter((item) => item.accountId);
      return ok({ items });
    }
    if (call === 'POST /queue/acks') {
      const { envelopeIds } = body as { envelopeIds: string[] };
      const before = device.queue.length;
      device.queue = device.queue.filter((envelope) => !envelopeIds.includes(envelope.envelopeId));
      return ok({ acknowledged: before - device.queue.length });
    }
    return problem(404, 'HTTP.NOT_FOUND');
  }

  function deviceOf(bearer: string | undefined): DeviceRow | undefined {
    const token = tokens.get(bearer ?? '');
    return token && token.expiresAt > clock.now() ? devices.get(token.deviceId) : undefined;
  }

  const fakeFetch: typeof fetch = async (input, init) => {
    const path = (input instanceof Request ? input.url : input.toString()).split('/messaging/v1')[1] ?? '';
    const verb = init?.method ?? 'GET';
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined;
    const bearer = new Headers(init?.headers).get('authorization')?.replace('Bearer ', '');
    calls.push({ verb, path, body, bearer });
    const answer = open(verb, path, body) ?? authorized(bearer, verb, path, body);
    return new Response(JSON.stringify(answer.body ?? {}), { status: answer.status });
  };

  function open(verb: string, path: string, body: unknown): Answer | undefined {
    if (verb === 'POST' && path === '/accounts') return register(body as { msisdn: string; device: { registrationId: number } });
    if (verb !== 'POST' || path !== '/token') return undefined;
    const { deviceId, deviceSecret } = body as { deviceId: string; deviceSecret: string };
    return devices.get(deviceId)?.deviceSecret === deviceSecret ? ok(issue(deviceId)) : problem(401, 'AUTH.DEVICE_UNKNOWN');
  }

  function authorized(bearer: string | undefined, verb: string, path: string, body: unknown): Answer {
    const device = deviceOf(bearer);
    return device ? handle(device, verb, path, body) : problem(401, 'AUTH.TOKEN_INVALID');
  }

  return {
    fetch: fakeFetch,
    handle,
    deviceOf,
    deliver,
    calls,
    sends,
    bridgeKeys,
    /** The next authorised calls are answered with these, one each. */
    refuseNext: (status: number, code: string, more: Record<string, unknown> = {}) => refusals.push(problem(status, code, more)),
    refuseEvery: (start: string, status: number, code: string) => {
      refusedForEver = { start, answer: problem(status, code) };
    },
    device(deviceId: string): DeviceRow {
      const device = devices.get(deviceId);
      if (!device) throw new Error('no such device');
      return device;
    },
    revokeTokens: () => tokens.clear(),
  };
}

export type FakeServer = ReturnType<typeof createFakeServer>;
