import { GatewayError } from '../kernel/errors.js';
import { statusName } from './statuses.js';

/**
 * What is known of a request that failed:
 * - `never-sent`: not one octet of it left; it may go out again, here or elsewhere.
 * - `refused`: the peer answered with a command_status that is not 0; it did not take it.
 * - `unknown`: it was written and no usable answer came; the peer may have taken it. Sending it again may send it twice.
 */
export type RequestOutcome = 'never-sent' | 'refused' | 'unknown';

type SmppErrorCode = 'SMPP.NOT_BOUND' | 'SMPP.REFUSED' | 'SMPP.LINK_LOST' | 'SMPP.RESPONSE_TIMEOUT' | 'SMPP.BAD_PDU' | 'UNAVAILABLE';

/**
 * How a request over SMPP fails. By code:
 * `SMPP.NOT_BOUND` never sent (no bind, or the link went down before it was written); `UNAVAILABLE` never sent (the queue
 * before the window is full); `SMPP.REFUSED` with the status; `SMPP.LINK_LOST` and `SMPP.RESPONSE_TIMEOUT` unknown;
 * `SMPP.BAD_PDU` never sent when a field of ours is out of bounds, unknown when the peer's answer was malformed.
 */
export class SmppError extends GatewayError {
  readonly outcome: RequestOutcome;
  /** The peer's command_status, and its name; only with `SMPP.REFUSED`. */
  readonly commandStatus: number | undefined;
  readonly statusName: string | undefined;
  /** How busy the peer says it is in its refusal: 0 idle to 99 congested (SMPP 5.0 §4.8.4.18). */
  readonly congestionState: number | undefined;

  constructor(code: SmppErrorCode, outcome: RequestOutcome, detail: string, commandStatus?: number, congestionState?: number) {
    super(code, { detail });
    this.outcome = outcome;
    this.commandStatus = commandStatus;
    this.congestionState = congestionState;
    this.statusName = commandStatus === undefined ? undefined : statusName(commandStatus);
  }
}

export const notBound = (detail: string): SmppError => new SmppError('SMPP.NOT_BOUND', 'never-sent', detail);

export const isSmppError = (failure: unknown): failure is SmppError => failure instanceof SmppError;

/**
 * Thrown by a handler of inbound messages to answer with a status of its choice. Any other failure of a handler answers
 * a temporary error, so that the peer tries again.
 */
export class RefusedWith extends Error {
  readonly commandStatus: number;

  constructor(commandStatus: number) {
    super(`refused with ${statusName(commandStatus)}`);
    this.commandStatus = commandStatus;
  }
}
