import { answeredIds, type MessageIdForm, plainMessageId, type ReceiptId } from '../../smpp/index.js';

/** A part that an SMSC accepted under an id which could be the receipt's, to the receipt's recipient. */
export interface CandidatePart {
  readonly smsId: string;
  readonly number: number;
  /** As submit_sm_resp had it. */
  readonly smscMessageId: string;
  /** How it ended is not known yet. */
  readonly isOpen: boolean;
  /** When it was accepted. */
  readonly at: number;
}

/** How the link's receipts write ids: what partner.yaml says, or for each place of an id what was learned, if anything. */
export type KnownForm =
  | { readonly configured: MessageIdForm }
  | { readonly learned: Readonly<Record<ReceiptId['from'], MessageIdForm | undefined>> };

export interface ChosenPart {
  readonly part: CandidatePart;
  /** What the match says of the link's form: nothing where the id could be read in more ways than one. */
  readonly evidence: { readonly from: ReceiptId['from']; readonly form: MessageIdForm } | undefined;
}

/**
 * The part that a receipt is of, among those of its link and its recipient. In this order: the form that is configured or was learned;
 * the very same id; and, where nothing is known, any form, if that leads to one part only.
 *
 * @returns `ambiguous` when it could be of more than one: then it is of none until more is known.
 */
export function choosePart(
  ids: readonly ReceiptId[],
  parts: readonly CandidatePart[],
  known: KnownForm,
): ChosenPart | 'ambiguous' | undefined {
  const steps = 'configured' in known ? configuredSteps(known.configured) : autoSteps(known.learned);
  for (const step of steps) {
    for (const id of ids) {
      const found = only(parts.filter((part) => step(id, part)));
      if (found === 'ambiguous') return found;
      if (found) return { part: found, evidence: evidenceOf(id, found) };
    }
  }
  if ('configured' in known) return undefined;
  const any = only(parts.filter((part) => ids.some((id) => formsOf(id.id, part).length > 0)));
  if (any === undefined || any === 'ambiguous') return any;
  const id = ids.find((each) => formsOf(each.id, any).length > 0);
  return { part: any, evidence: id && evidenceOf(id, any) };
}

type Step = (id: ReceiptId, part: CandidatePart) => boolean;

const isSame: Step = ({ id }, part) => id === part.smscMessageId.trim();
const inForm =
  (form: MessageIdForm): Step =>
  ({ id }, part) =>
    formsOf(id, part).includes(form);

/** receipted_message_id mostly is what the response had, also where the text is in another form. */
const configuredSteps = (form: MessageIdForm): Step[] => [
  (id, part) => (id.from === 'tlv' || form === 'text') && isSame(id, part),
  inForm(form),
  (id, part) => id.from === 'tlv' && inForm('text')(id, part),
];

const autoSteps = (learned: Readonly<Record<ReceiptId['from'], MessageIdForm | undefined>>): Step[] => [
  // A link that converts its ids may give one that is another message's own.
  (id, part) => {
    const form = learned[id.from];
    return form !== undefined && form !== 'text' && inForm(form)(id, part);
  },
  isSame,
  (id, part) => learned[id.from] === 'text' && inForm('text')(id, part),
];

/** Every form in which the receipt's id explains the part's. */
function formsOf(id: string, { smscMessageId }: CandidatePart): MessageIdForm[] {
  const answered = plainMessageId(smscMessageId);
  return answeredIds(id).flatMap(({ form, key }) => (key === answered ? [form] : []));
}

function evidenceOf(id: ReceiptId, part: CandidatePart): ChosenPart['evidence'] {
  const [form, ...others] = formsOf(id.id, part);
  return form === undefined || others.length > 0 ? undefined : { from: id.from, form };
}

/** The one there is; of several the one that is still open. Of the same id given twice, which SMSCs do after a restart, the latest. */
function only(parts: readonly CandidatePart[]): CandidatePart | 'ambiguous' | undefined {
  const open = parts.filter(({ isOpen }) => isOpen);
  const left = open.length > 0 ? open : parts;
  if (left.length < 2) return left[0];
  const isOneId = left.every(({ smscMessageId }) => smscMessageId === left[0]?.smscMessageId);
  return isOneId ? left.reduce((latest, part) => (part.at > latest.at ? part : latest)) : 'ambiguous';
}
