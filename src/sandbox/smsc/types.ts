import type { Clock, Instant } from '../../kernel/clock.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Log } from '../../kernel/log.js';

export type MessageIdForm = 'decimal' | 'hex';

/** How this SMSC writes what the standard leaves open. Real vendors differ in each. */
export interface Personality {
  /** The id in `submit_sm_resp`, and in the TLV `receipted_message_id`. */
  messageIdForm: MessageIdForm;
  /** The id in the text of a receipt. */
  receiptIdForm: MessageIdForm;
  /** Whether receipts carry `receipted_message_id` and `message_state`. */
  tlvs: boolean;
}

export interface SmscAccount {
  /** 1 to 15 characters (SMPP 3.4 §4.1.1). */
  systemId: string;
  /** At most 8 characters. */
  password: string;
  /** Handsets whose replies go to this account, `+99957` for instance; only needed when there are several accounts. */
  msisdnPrefixes?: readonly string[];
}

export interface SandboxSmscOptions {
  host: string;
  /** 0: an ephemeral port, to be read from `port` of what was opened. */
  port: number;
  accounts: readonly SmscAccount[];
  clock: Clock;
  log: Log;
  personality?: Partial<Personality>;
  /**
   * The operator's own durable memory: JSON lines, mode 0600, written before each answer. What was submitted, the receipts
   * and replies still owed, and the ids given survive the process. It holds texts: each line is encrypted under `stateWrap` when that is given.
   */
  stateFile?: string;
  stateWrap?: KeyWrap;
}

/** One message as it lies in a handset's inbox. */
export interface ReceivedMessage {
  /** The id given in `submit_sm_resp` (of part 1 when there are several). */
  smscMessageId: string;
  /** The ids of all parts, in the order of the parts. */
  partIds: string[];
  partnerSystemId: string;
  /** `+` and digits, or the alphanumeric sender as submitted. */
  from: string;
  /** `+` and digits. */
  to: string;
  /** Joined and decoded; what is not text (8-bit data) is written in hexadecimal digits. */
  text: string;
  parts: number;
  receivedAt: Instant;
  /** The concatenation reference that joined the parts (UDH or SAR); absent for a single message. */
  ref?: number;
}

/** One `submit_sm` that was accepted, part by part: what the operator would put on its invoice. */
export interface SubmittedPart {
  smscMessageId: string;
  partnerSystemId: string;
  from: string;
  to: string;
  outcome: 'delivered' | 'undeliverable' | 'expired';
  submittedAt: Instant;
}

export interface Page {
  /** The `smscMessageId` of the last one already seen. An id that is no longer kept starts from the oldest. */
  after?: string;
  limit: number;
}

export interface MobileOriginated {
  /** The handset: a number of the sandbox. */
  from: string;
  /** The sender that is answered: `+` and digits. */
  to: string;
  /** 1 to 1,530 characters. Past one segment it goes out in parts with an 8-bit UDH reference. */
  text: string;
  /** Of whoever asks: the handset writes once for each, however often it is asked and restarted. */
  id?: string;
  /** The account it goes to; found by `msisdnPrefixes`, then by who wrote to this handset last, when not given. */
  systemId?: string;
}

export interface AccountBinds {
  systemId: string;
  binds: { type: 'transmitter' | 'receiver' | 'transceiver'; boundAt: Instant; inFlight: number }[];
}

/** The simulated operator's short message service centre. */
export interface SandboxSmsc {
  readonly port: number;
  /** What handsets got, oldest first. The last 10,000 are kept. */
  received(page: Page): ReceivedMessage[];
  /** Calls `listener` for each message that reaches a handset. @returns the function that stops it. */
  onReceived(listener: (message: ReceivedMessage) => void): () => void;
  /** Every part that was accepted, oldest first, delivered or not. The last 20,000 are kept. */
  submitted(page: Page): SubmittedPart[];
  /**
   * Sends a handset's message as `deliver_sm`, to one bound receiver or transceiver of the account.
   * While nobody is bound it waits; a link that drops before the answer, a temporary refusal or a timeout sends it again.
   *
   * @returns resolves once every part was answered with status 0.
   * @throws GatewayError `INVALID_ARGUMENT` for a number that the sandbox may not use, an alphanumeric `to` or a bad text;
   *   `SMPP.REFUSED` when the peer refused it for good; `UNAVAILABLE` when 10,000 deliveries are waiting or the SMSC closes.
   */
  sendMo(message: MobileOriginated): Promise<void>;
  /** Deliveries (receipts and replies) that have not been answered yet. */
  owed(): number;
  /** Cuts every connection (or those of one account) without unbind, as a dead link would. @returns how many. */
  dropLinks(systemId?: string): number;
  binds(): AccountBinds[];
  close(): Promise<void>;
}
