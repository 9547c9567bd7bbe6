import { type Clock, toRfc3339 } from '../../kernel/clock.js';
import { GatewayError } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import { pageOf } from '../../kernel/page.js';
import type { SandboxNumberVerification, SharedSmsc, TestClock } from '../../sandbox/index.js';
import type { ApiRequest, PartnerRoutes } from '../route.js';

export interface SandboxRouteOptions {
  clock: Clock;
  testClock: TestClock;
  numberVerification: SandboxNumberVerification;
  smsc: Pick<SharedSmsc, 'received' | 'sendMo'>;
  /** Whether the number is in one of the caller's own ranges. */
  isOwn(request: ApiRequest, msisdn: string): boolean;
  /** The operator's accounts at the simulated SMSC, by partner. */
  systemIdOf(partnerId: string): string | undefined;
}

/** How long the simulated handset waits for the gateway to take its reply. */
const INBOUND_MS = 10_000;

/** What only the sandbox has: the test clock, the phone's side of number verification, the handset. */
export function createSandboxRoutes(options: SandboxRouteOptions): PartnerRoutes {
  const { clock, testClock, numberVerification, smsc, isOwn, systemIdOf } = options;
  const ownOnly = (request: ApiRequest, pointer: string, msisdn: string) => {
    if (isOwn(request, msisdn)) return;
    const message = "is outside the partner's ranges";
    throw new GatewayError('PROVISIONING.MSISDN_NOT_OURS', {
      detail: `${pointer}: ${message}`,
      errors: [{ pointer, code: 'PROVISIONING.MSISDN_NOT_OURS', message }],
    });
  };
  /** Replies on their way, by id: a replayed request must not make the handset write twice. */
  const sent = new Map<string, Promise<void>>();

  return {
    getSandboxClock: {
      handle: async ({ caller }) => ({ status: 200, body: testClock.show(caller.partnerId) }),
    },
    moveSandboxClock: {
      async act({ caller, body }, tx, hints) {
        return { status: 200, body: await testClock.move(tx, hints, caller.partnerId, body as { now?: string; advanceSeconds?: number }) };
      },
    },
    createNumberVerificationToken: {
      async act(request, tx) {
        const { msisdn } = request.body as { msisdn: string };
        ownOnly(request, '/msisdn', msisdn);
        const { token, expiresAt } = await numberVerification.issue(tx, request.caller.partnerId, msisdn);
        return { status: 201, body: { token, expiresAt: toRfc3339(expiresAt.getTime()) } };
      },
      sealedReplay: true,
    },
    sendSandboxInboundSms: {
      async act(request) {
        ownOnly(request, '/from', (request.body as { from: string }).from);
        return { status: 202, body: { id: newId('mo', clock.now()), acceptedAt: toRfc3339(clock.now()) } };
      },
      async after(request, answer) {
        const { id } = answer.body as { id: string };
        const message = request.body as { from: string; to: string; text: string };
        const systemId = systemIdOf(request.caller.partnerId);
        const sending = sent.get(id) ?? smsc.sendMo({ ...message, id, ...(systemId !== undefined && { systemId }) });
        sent.set(id, sending);
        clock.setTimer(72 * 60 * 60 * 1_000, () => sent.delete(id));
        await within(clock, INBOUND_MS, sending).catch((cause: unknown) => {
          sent.delete(id);
          throw new GatewayError('UNAVAILABLE', { detail: 'The gateway did not take the message from the simulated SMSC.', cause });
        });
      },
    },
    listSandboxSms: {
      async handle({ caller, query }) {
        const limit = Number(query['limit'] ?? 50);
        const after = query['after'] === undefined ? undefined : Buffer.from(String(query['after']), 'base64url').toString('utf8');
        const systemId = systemIdOf(caller.partnerId);
        const kept = await smsc.received({ ...(after !== undefined && { after }), limit: 10_000 });
        const own = kept.filter((message) => message.partnerSystemId === systemId);
        const body = pageOf(
          own,
          limit,
          (message) => message.smscMessageId,
          (message) => ({
            smscMessageId: message.smscMessageId,
            from: message.from,
            to: message.to,
            text: message.text,
            receivedAt: toRfc3339(message.receivedAt),
            segments: message.parts,
          }),
        );
        return { status: 200, body };
      },
    },
  };
}

/** Outside the sandbox each of its operations says so. */
export function createNoSandboxRoutes(): PartnerRoutes {
  const refuse = async () => {
    throw new GatewayError('SANDBOX.ONLY', { detail: 'This operation exists in the sandbox only.' });
  };
  const operations = ['getSandboxClock', 'moveSandboxClock', 'createNumberVerificationToken', 'sendSandboxInboundSms', 'listSandboxSms'];
  return Object.fromEntries(operations.map((operationId) => [operationId, { handle: refuse }]));
}

/** The answer waits for the gateway's own commit, but not for ever: the handset goes on trying. */
async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = clock.setTimer(ms, resolve);
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
