import { GatewayError, notFound } from '../../kernel/errors.js';
import type { MessagingCalls } from '../calls.js';
import type { DeviceIdentity } from '../hooks.js';

export interface StreamAnswer {
  status: number;
  body: unknown;
}

/** The calls that a device may make over its stream: REST's verbs and paths without the base. */
export function answerCall(calls: MessagingCalls, device: DeviceIdentity, verb: string, path: string, body: unknown): Promise<unknown> {
  switch (`${verb} ${path}`) {
    case 'PUT /keys':
      return calls.uploadKeys(device, body);
    case 'GET /keys/count':
      return calls.countKeys(device);
    case 'POST /keys/query':
      return calls.queryKeys(device, body);
    case 'POST /keys/claim':
      return calls.claimKeys(device, body);
    case 'POST /contacts/search':
      return calls.searchContacts(device, body);
    case 'GET /bridge-keys':
      return calls.listBridgeKeys(device);
    case 'POST /queue/acks':
      return calls.ackQueue(device, body);
  }
  const recipient = /^\/messages\/([a-z0-9_]{1,40})$/.exec(path)?.[1];
  if (verb === 'PUT' && recipient !== undefined) return calls.sendMessage(device, recipient, body);
  throw notFound('call');
}

/** What a failed call is answered with: the members of the problem body that do not depend on HTTP. */
export function problemAnswer(failure: unknown): StreamAnswer {
  const known =
    failure instanceof GatewayError
      ? failure
      : new GatewayError('INTERNAL', { detail: 'The call could not be served because of a fault on our side.' });
  const { status, title, code, detail, hint, errors, extra } = known;
  const page = `/docs/errors/${code}`;
  const body = {
    type: page,
    title,
    status,
    detail,
    code,
    message: detail,
    ...(hint === undefined ? {} : { hint }),
    ...(errors === undefined ? {} : { errors }),
    ...extra,
  };
  return { status, body };
}
