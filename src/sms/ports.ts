import type { Fallbacks, Line, SystemNotices } from '../engine/index.js';
import type { Partner, PartnerMarket } from '../partners/index.js';

/** What the bridge asks of the messaging engine. */
export interface SmsEngine {
  fallbacks: Fallbacks;
  system: {
    /**
     * Puts an envelope of the bridge into a device's queue, once per `id`.
     *
     * @returns false when the device is no more.
     */
    enqueue(envelope: SystemEnvelope): Promise<boolean>;
  };
  devices: {
    /** Where answers to this device are sealed to; undefined when it is no more or has published none. */
    replyKey(deviceId: string): Promise<{ suite: string; publicKey: string } | undefined>;
    /** The account's devices as they are now. */
    ofAccount(accountId: string): Promise<{ deviceId: string; replyKey: { suite: string; publicKey: string } | undefined }[]>;
  };
  lines: {
    get(msisdn: string): Promise<{ epoch: number } | undefined>;
    /** The lines of many numbers, by number. */
    among(msisdns: readonly string[]): Promise<ReadonlyMap<string, Line>>;
  };
  accounts: {
    /** The live accounts of many numbers, by number. */
    among(msisdns: readonly string[]): Promise<ReadonlyMap<string, string>>;
    byMsisdn(msisdn: string): Promise<{ accountId: string; language: string } | undefined>;
  };
  notices: SystemNotices;
}

export interface SystemEnvelope {
  /** `msg_…`; an envelope with an id that was queued already is not queued again. */
  id: string;
  deviceId: string;
  kind: 'sms-reply';
  suite: string;
  body: string;
}

/** What the bridge asks of the partners' registry. */
export interface SmsPartners {
  all(): readonly Partner[];
  get(partnerId: string): Partner | undefined;
  market(partnerId: string, code: string): PartnerMarket | undefined;
  /** The operator that lists the longest prefix of a number. */
  byMsisdn(msisdn: string): { partner: Partner; market: PartnerMarket } | undefined;
}

/** What the bridge asks of provisioning. */
export interface SmsSubscriptions {
  /** The live subscription on a number, if the partner has one. */
  liveOn(partnerId: string, msisdn: string): Promise<string | undefined>;
}
