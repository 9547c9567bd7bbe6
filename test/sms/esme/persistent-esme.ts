import { type MessageFields, messageText } from '../../../src/smpp/index.js';
import { type Esme, type EsmeRig, SENDER } from './rig.js';

/** An ESME that binds again after each death of the bridge, and takes whatever it is sent. */
export interface PersistentEsme {
  /** The states that receipts told, by message id. */
  readonly receipts: ReadonlyMap<string, readonly string[]>;
  /** Messages from handsets. */
  readonly texts: readonly string[];
  /** Binds now rather than with the next submit. */
  bind(): Promise<void>;
  /** @returns the message id; undefined when no answer came, or none of status 0. */
  submit(command: 'submit_sm' | 'submit_multi', fields: Partial<MessageFields> & object): Promise<string | undefined>;
  end(): void;
}

export function createPersistentEsme(rig: EsmeRig): PersistentEsme {
  const receipts = new Map<string, string[]>();
  const texts: string[] = [];
  let esme: Esme | undefined;

  async function bound(): Promise<Esme> {
    if (esme) return esme;
    const fresh = await rig.bind();
    esme = fresh;
    void fresh.ended.then(() => {
      if (esme === fresh) esme = undefined;
    });
    listen(fresh).catch(() => undefined);
    return fresh;
  }

  async function listen(to: Esme): Promise<void> {
    for (;;) {
      const pdu = await to.take();
      const text = messageText(pdu) ?? '';
      const [, id, state] = /^id:(\d+) .* stat:(\w+)/.exec(text) ?? [];
      if (id === undefined || state === undefined) texts.push(text);
      else receipts.set(id, [...(receipts.get(id) ?? []), state]);
    }
  }

  return {
    receipts,
    texts,
    bind: async () => void (await bound()),
    async submit(command, fields) {
      const to = await bound();
      const source = { sourceAddr: SENDER, sourceAddrTon: 1, sourceAddrNpi: 1, destAddrTon: 1, destAddrNpi: 1, registeredDelivery: 1 };
      const answer = await to.ask(command, { ...source, ...fields }).catch(() => undefined);
      return answer?.commandStatus === 0 ? answer.messageId : undefined;
    },
    end: () => esme?.destroy(),
  };
}
