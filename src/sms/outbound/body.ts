import type { Ports } from '../../smpp/index.js';

/** What a partner's SMS says: a text, shown at once and not kept where it is flash, or octets for a program on the handset or the SIM. */
export type SmsBody =
  | { readonly text: string; readonly isFlash?: boolean | undefined; readonly ports?: Ports | undefined }
  | { readonly octets: Buffer; readonly dataCoding: number; readonly ports?: Ports | undefined };

/** An octet that no text begins with: what follows is a line that says how, and then the octets. */
const MARK = '\0';

/** A body as it waits, before it is wrapped: a text alone is itself. */
export function packBody(body: SmsBody): Buffer {
  const isPlain = 'text' in body && !body.isFlash && !body.ports && !body.text.startsWith(MARK);
  if (isPlain) return Buffer.from(body.text);
  const content = 'text' in body ? Buffer.from(body.text) : body.octets;
  const how = 'text' in body ? { isFlash: body.isFlash, ports: body.ports } : { dataCoding: body.dataCoding, ports: body.ports };
  return Buffer.concat([Buffer.from(`${MARK}${JSON.stringify(how)}\n`), content]);
}

export function unpackBody(packed: Buffer): SmsBody {
  if (packed[0] !== 0) return { text: packed.toString() };
  const end = packed.indexOf('\n');
  const { dataCoding, isFlash, ports } = JSON.parse(packed.toString('utf8', 1, end)) as {
    dataCoding?: number;
    isFlash?: boolean;
    ports?: Ports;
  };
  const content = packed.subarray(end + 1);
  return dataCoding === undefined ? { text: content.toString(), isFlash, ports } : { octets: content, dataCoding, ports };
}
