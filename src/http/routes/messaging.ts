import type { MessagingCalls } from '../../engine/index.js';
import type { Answer, ApiRequest, DeviceCaller, DeviceRoutes, PlainRoute } from '../route.js';

const QUEUE_LIMIT_DEFAULT = 100;

const ok = (body: unknown): Answer => ({ status: 200, body });

/** The messaging API's calls for a device with a token (`/messaging/v1`). All are idempotent by themselves. */
export function createMessagingRoutes(calls: MessagingCalls): DeviceRoutes {
  const withBody = (call: (device: DeviceCaller, body: unknown) => Promise<unknown>) => ({
    handle: async ({ caller, body }: ApiRequest<DeviceCaller>) => ok(await call(caller, body)),
  });

  return {
    uploadKeys: withBody(calls.uploadKeys),
    countKeys: withBody(calls.countKeys),
    queryKeys: withBody(calls.queryKeys),
    claimKeys: withBody(calls.claimKeys),
    searchContacts: withBody(calls.searchContacts),
    listBridgeKeys: withBody(calls.listBridgeKeys),
    ackQueue: withBody(calls.ackQueue),
    sendMessage: {
      handle: async ({ caller, params, body, correlator }) =>
        ok(await calls.sendMessage(caller, params['accountId'] ?? '', body, correlator)),
    },
    readQueue: {
      handle: async ({ caller, query }) => ok(await calls.readQueue(caller, Number(query['limit'] ?? QUEUE_LIMIT_DEFAULT))),
    },
    // An upgrade never comes here: the engine takes it from the HTTP server before.
    openStream: { handle: async ({ correlator }) => upgradeRequired(correlator) },
  };
}

/** The calls that a device makes before it has a token; their limits count by address. */
export function createMessagingPublicRoutes(calls: MessagingCalls): Record<'registerAccount' | 'createDeviceToken', PlainRoute<undefined>> {
  return {
    registerAccount: {
      handle: async ({ remoteAddress, body }) => ({ status: 201, body: await calls.registerAccount(remoteAddress, body) }),
    },
    createDeviceToken: {
      handle: async ({ remoteAddress, body }) => ok(await calls.createDeviceToken(remoteAddress, body)),
    },
  };
}

function upgradeRequired(correlator: string): Answer {
  const detail = 'Send a WebSocket handshake.';
  return {
    status: 426,
    headers: { 'content-type': 'application/problem+json', upgrade: 'websocket', connection: 'Upgrade' },
    body: {
      type: '/docs/errors/INVALID_ARGUMENT',
      title: 'The request is not valid',
      status: 426,
      detail,
      instance: '/messaging/v1/stream',
      code: 'INVALID_ARGUMENT',
      message: detail,
      correlator,
    },
  };
}
