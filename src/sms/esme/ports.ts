import type { GatewayError } from '../../kernel/errors.js';
import type { Sender } from '../../partners/index.js';
import type { EsmeAccount } from './account.js';
import type { Content } from './read-content.js';
import type { Wish } from './read-wish.js';

/** One SMS that an ESME asks for, read from its PDU. */
export interface EsmeSms {
  /** `sms_…`. */
  readonly id: string;
  readonly account: EsmeAccount;
  /** What its submit is answered with. */
  readonly messageId: string;
  /** E.164 with `+`. */
  readonly recipient: string;
  readonly sender: Sender;
  readonly content: Content;
  readonly wish: Wish;
}

/** What the ESMEs' submits ask of the bridge: the way of every message of a partner. */
export interface EsmeSends {
  /**
   * Sends each, in the app first where the recipient has it. Resolves once all that are not refused are durable; a second
   * call with the same ids sends nothing again.
   *
   * @returns why each was refused, in their order; undefined for those that were not. `UNAVAILABLE`: for now only, since the
   *   store is behind or closing.
   */
  send(messages: readonly EsmeSms[]): Promise<(GatewayError | undefined)[]>;
  /** Takes one back that has not gone out. @returns whether it did. */
  cancel(smsId: string): Promise<boolean>;
  /** Puts another text into one that has not gone out, and other times. @returns whether it did. */
  replace(message: EsmeSms): Promise<boolean>;
}
