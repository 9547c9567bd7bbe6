import type { BindRights } from './bind-guard.js';
import type { DataName, PduOf } from './pdu.js';
import type { AnswerTo, BindType, Handler, Handlers } from './session-options.js';
import { RefusedWith } from './smpp-error.js';
import { STATUS } from './statuses.js';
import { isSubmission, type Submission, submittedSegments } from './submitted-segments.js';

/** What an ESME may ask of us. */
export type EsmeRequest = Exclude<DataName, 'deliver_sm'>;

/** One bind of an account. */
export interface EsmeBind {
  readonly systemId: string;
  readonly boundAs: BindType;
  readonly remoteAddress: string;
  /** What the ESME speaks: 0x34 is SMPP 3.4. One below that gets no TLVs (3.4 §5.2.4). */
  readonly interfaceVersion: number;
  /** Requests of ours that it has not answered. */
  readonly windowUsed: number;
}

/** Who may bind, and what happens with what it asks for. */
export interface ListenerAccount extends BindRights {
  /**
   * By command: `submit_sm: async (pdu, from) => ({ messageId })`. Status 0 is answered only after it resolved;
   * `RefusedWith` chooses a status, any other failure answers ESME_RSYSERR. One without a handler is answered
   * ESME_RINVCMDID. The PDU is well-formed, and its buffers are views: copy what is kept.
   */
  readonly handlers: { readonly [C in EsmeRequest]?: (pdu: PduOf<C>, from: EsmeBind) => Promise<AnswerTo<C>> };
  /**
   * Asked before the handler of submit_sm, submit_multi and data_sm, with the SMS that it asks for; on false it is answered
   * ESME_RTHROTTLED and the handler does not see it.
   */
  readonly take?: (segments: number) => boolean | Promise<boolean>;
  /**
   * Asked for a bind that is welcome but for the account's binds elsewhere: undefined answers it ESME_RALYBND. What it
   * resolves with is called once, when the bind has ended.
   */
  readonly admit?: (bind: EsmeBind) => Promise<(() => void) | undefined>;
  /** A bind of the account is up: what was kept for it can be sent. */
  readonly onBound?: (bind: EsmeBind) => void;
}

const ESME_REQUESTS: readonly EsmeRequest[] = ['submit_sm', 'submit_multi', 'data_sm', 'query_sm', 'cancel_sm', 'replace_sm'];

type EsmeHandler = (pdu: PduOf<EsmeRequest>, from: EsmeBind) => Promise<AnswerTo<EsmeRequest>>;

/** Hands each request to its handler of whoever is bound, within what the account may submit. */
export function accountHandlers(bound: () => { readonly account: ListenerAccount; readonly bind: EsmeBind } | undefined): Handlers {
  const handlerOf =
    (command: EsmeRequest): Handler<EsmeRequest> =>
    (pdu) => {
      const { account, bind } = bound() ?? {};
      const handle = account?.handlers[command] as EsmeHandler | undefined;
      if (!bind || !handle) return Promise.reject(new RefusedWith(STATUS.ESME_RINVCMDID));
      return account?.take && isSubmission(pdu) ? takeThenHandle(account.take, handle, pdu, bind) : handle(pdu, bind);
    };
  return Object.fromEntries(ESME_REQUESTS.map((command) => [command, handlerOf(command)]));
}

async function takeThenHandle(
  take: NonNullable<ListenerAccount['take']>,
  handle: EsmeHandler,
  pdu: Submission,
  bind: EsmeBind,
): Promise<AnswerTo<EsmeRequest>> {
  if (!(await take(submittedSegments(pdu)))) throw new RefusedWith(STATUS.ESME_RTHROTTLED);
  return handle(pdu, bind);
}
