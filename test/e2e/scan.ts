/** Where a text was found, and in which form it was written there. */
export interface Hit {
  where: string;
  form: string;
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

/** Every place that holds one of the texts in any form. Texts shorter than 4 characters would be found everywhere. */
export function search(places: ReadonlyMap<string, Buffer>, texts: readonly string[]): Hit[] {
  return texts.flatMap((text) => {
    if (text.length < 4) throw new Error('too short to be searched for');
    return [...formsOf(text)].flatMap(([form, octets]) =>
      [...places].filter(([, content]) => content.includes(octets)).map(([where]) => ({ where, form })),
    );
  });
}
