/** Where a text was found, and in which form it was written there. */
export interface Hit {
  where: string;
  form: string;
}

/** What no output may look like, whatever the run. Digits that follow digits or a point belong to a longer number. */
export const SECRET_SHAPES: Readonly<Record<string, RegExp>> = {
  'an MSISDN': /(?<![\d.])\+?999[58]7\d{8}(?!\d)/,
  'an ICCID': /(?<![\d.])89999[58]7\d{11,13}(?!\d)/,
  'an IMSI': /(?<![\d.])0010[12]\d{10}(?!\d)/,
  'a JWT': /eyJ[\w-]{8,}\.[\w-]{8,}/,
  'a webhook secret': /whsec_[\w+/=-]{8,}/,
  'a private key': /-----BEGIN [A-Z ]*PRIVATE KEY|"d"\s*:\s*"[\w-]{16,}"/,
  'a bearer or basic header': /\b(?:bearer|basic)[ .][\w.~+/=-]{12,}/i,
};

/** Members of requests and answers whose values are secrets. */
export const SECRET_MEMBERS =
  /^(access_?token|refresh_?token|verificationToken|token|secret|deviceSecret|clientSecret|client_secret|client_assertion|privateKey)$/i;

/** Every value of such a member in an answer's body, with the member's name. */
export function secretsIn(value: unknown): [value: string, member: string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]): [string, string][] =>
    typeof member === 'string' && member.length >= 8 && SECRET_MEMBERS.test(name) ? [[member, name]] : secretsIn(member),
  );
}

/** The same text as it may lie in a database page, a log line, a URL or an SMPP body. */
function formsOf(text: string): Map<string, Buffer> {
  const utf8 = Buffer.from(text, 'utf8');
  const utf16le = Buffer.from(text, 'utf16le');
  const forms = new Map([
    ['UTF-8', utf8],
    ['UTF-16LE', utf16le],
    ['UTF-16BE', Buffer.from(utf16le).swap16()],
    ['hexadecimal', Buffer.from(utf8.toString('hex'))],
    ['percent-encoded', Buffer.from(encodeURIComponent(text))],
  ]);
  for (const [name, octets] of [...forms].slice(0, 2)) {
    for (const offset of [0, 1, 2]) {
      const base64 = base64Within(octets, offset);
      forms.set(`base64 of ${name}, offset ${offset}`, Buffer.from(base64));
      forms.set(`base64url of ${name}, offset ${offset}`, Buffer.from(base64.replaceAll('+', '-').replaceAll('/', '_')));
    }
  }
  return forms;
}

/** What base64 shows of these octets when they begin `offset` octets (modulo 3) into what is encoded, without its borders. */
function base64Within(octets: Buffer, offset: number): string {
  const whole = Buffer.concat([Buffer.alloc(offset), octets]);
  return whole.toString('base64').slice(offset === 0 ? 0 : offset + 1, Math.floor((whole.length * 8) / 6));
}

const HEAD = 3;

/**
 * A search for many texts at once, each in all its forms. Texts shorter than 4 characters would be found everywhere.
 *
 * @returns what tells which of them a content holds, and in which form.
 */
export function createSearch(texts: readonly string[]): (content: Buffer) => { text: string; form: string }[] {
  /** By their first octets, so that a content is walked through once, however many texts there are. */
  const byHead = new Map<number, { text: string; form: string; octets: Buffer }[]>();
  const heads = new Uint8Array(1 << (8 * HEAD - 3));
  for (const text of texts) {
    if (text.length < 4) throw new Error('too short to be searched for');
    for (const [form, octets] of formsOf(text)) {
      const head = octets.readUIntBE(0, HEAD);
      heads[head >> 3] = (heads[head >> 3] ?? 0) | (1 << (head & 7));
      byHead.set(head, [...(byHead.get(head) ?? []), { text, form, octets }]);
    }
  }
  return (content) => {
    const found = new Map<string, { text: string; form: string }>();
    let head = 0;
    for (let at = 0; at < content.length; at++) {
      head = ((head << 8) | (content[at] ?? 0)) & 0xff_ff_ff;
      if (((heads[head >> 3] ?? 0) & (1 << (head & 7))) === 0 || at < HEAD - 1) continue;
      const start = at - HEAD + 1;
      for (const { text, form, octets } of byHead.get(head) ?? [])
        if (content.subarray(start, start + octets.length).equals(octets)) found.set(`${form} ${text}`, { text, form });
    }
    return [...found.values()];
  };
}

/** Every place that holds one of the texts in any form. */
export function search(places: ReadonlyMap<string, Buffer>, texts: readonly string[]): Hit[] {
  const find = createSearch(texts);
  return [...places].flatMap(([where, content]) => find(content).map(({ form }) => ({ where, form })));
}

/**
 * A search of what leaves the gateway sideways: log lines, metrics, error answers.
 *
 * @param secrets each with what it is.
 * @returns what tells what a text holds, by kind; never the secret itself, since that ends up in a report.
 */
export function createLeakSearch(secrets: ReadonlyMap<string, string>): (text: string) => string[] {
  const find = createSearch([...secrets.keys()]);
  return (text) => {
    const shapes = Object.entries(SECRET_SHAPES).filter(([, shape]) => shape.test(text));
    const known = find(Buffer.from(text)).map((hit) => secrets.get(hit.text) ?? 'a secret');
    return [...new Set([...shapes.map(([kind]) => kind), ...known])];
  };
}
