import { type ListenerAccount, type PduOf, RefusedWith, readTlv, STATUS } from '../../smpp/index.js';
import type { EsmeAccount } from './account.js';
import type { Commands } from './commands.js';
import { writeMessageId } from './message-id.js';
import { refuse } from './read-wish.js';
import type { Address } from './receipt.js';
import { refusalOf } from './refusal.js';
import type { Submit, Submits } from './submits.js';

type Sourced = PduOf<'submit_sm' | 'submit_multi' | 'data_sm'>;
type Destined = PduOf<'submit_sm' | 'data_sm'>;

const sourceOf = ({ sourceAddrTon, sourceAddrNpi, sourceAddr }: Sourced): Address => ({
  ton: sourceAddrTon,
  npi: sourceAddrNpi,
  address: sourceAddr,
});
const destinationOf = ({ destAddrTon, destAddrNpi, destinationAddr }: Pick<Destined, 'destAddrTon' | 'destAddrNpi' | 'destinationAddr'>): Address => ({
  ton: destAddrTon,
  npi: destAddrNpi,
  address: destinationAddr,
}); // biome-ignore format: one line of fields

/** submit_multi's destinations; we keep no lists of any. */
const destinationsOf = ({ destinations }: PduOf<'submit_multi'>): Address[] =>
  destinations.map((destination) => {
    if ('dlName' in destination) throw refuse('ESME_RINVDLNAME');
    return destinationOf(destination);
  });

const submitOfData = (pdu: PduOf<'data_sm'>): Submit => ({
  pdu: { ...pdu, timeToLiveSeconds: readTlv(pdu.tlvs, 'qos_time_to_live') },
  source: sourceOf(pdu),
  destinations: [destinationOf(pdu)],
});

/** What an account's binds may ask, in the words of SMPP; a failure of ours becomes the status that says most of it. */
export function createHandlers(account: EsmeAccount, submits: Submits, commands: Commands): ListenerAccount['handlers'] {
  const { response } = account.config.messageIds;

  async function answered<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (failure) {
      throw refusalOf(failure);
    }
  }

  const take = async (submit: Submit) => {
    const { messageId, statuses } = await submits.take(account, submit);
    return { messageId: writeMessageId(messageId, response), statuses };
  };
  const takeOne = (submit: Submit) =>
    answered(async () => {
      const { messageId, statuses } = await take(submit);
      const [status = STATUS.ESME_RSYSERR] = statuses;
      if (status !== STATUS.ESME_ROK) throw new RefusedWith(status);
      return { messageId };
    });

  return {
    submit_sm: (pdu) => takeOne({ pdu, source: sourceOf(pdu), destinations: [destinationOf(pdu)] }),
    data_sm: (pdu) => takeOne(submitOfData(pdu)),
    submit_multi: (pdu) =>
      answered(async () => {
        const destinations = destinationsOf(pdu);
        const { messageId, statuses } = await take({ pdu, source: sourceOf(pdu), destinations });
        const unsuccessSmes = destinations.flatMap(({ ton, npi, address }, place) => {
          const errorStatusCode = statuses[place] ?? STATUS.ESME_RSYSERR;
          return errorStatusCode === STATUS.ESME_ROK
            ? []
            : [{ destAddrTon: ton, destAddrNpi: npi, destinationAddr: address, errorStatusCode }];
        });
        return { messageId, unsuccessSmes };
      }),
    query_sm: (pdu) => answered(() => commands.query(account, { messageId: pdu.messageId, source: pdu.sourceAddr })),
    cancel_sm: ({ messageId, serviceType, sourceAddr, destinationAddr }) =>
      answered(async () => {
        await commands.cancel(account, { messageId, serviceType, source: sourceAddr, destination: destinationAddr });
        return {};
      }),
    replace_sm: ({ sourceAddr, ...fields }) =>
      answered(async () => {
        await commands.replace(account, { ...fields, source: sourceAddr });
        return {};
      }),
  };
}
