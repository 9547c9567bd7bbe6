import type { PartnerDocument } from './partner-schema.js';
import type { Problem, YamlPath } from './problem.js';
import type { PartnerFile } from './read-partner.js';

interface Claim {
  /** What must be unique, and its kind. */
  value: string;
  path: YamlPath;
}

/**
 * What only all files together show: names and ranges that two claim, and markets whose law nobody has written down.
 *
 * @param policies the markets that have a policy; undefined when that file is not valid.
 */
export function acrossPartners(files: readonly PartnerFile[], policies: ReadonlySet<string> | undefined): Problem[] {
  const problems: Problem[] = [];
  const first = new Map<string, { file: string; line: number }>();
  for (const { yaml, document } of files) {
    for (const { value, path } of claims(document)) {
      const line = yaml.lineOf(path);
      const other = first.get(value);
      if (other === undefined) first.set(value, { file: yaml.file, line });
      else problems.push({ file: yaml.file, line, path, message: `is taken at ${other.file}:${other.line}; fix: let one of them have it` });
    }
    for (const [index, { code }] of (document.markets ?? []).entries()) {
      if (policies === undefined || policies.has(code)) continue;
      const path = ['markets', index, 'code'];
      problems.push({
        file: yaml.file,
        line: yaml.lineOf(path),
        path,
        message: 'has no market policy; fix: write it in _markets/markets.yaml',
      });
    }
  }
  return problems;
}

function claims({ markets = [], clients = [], smpp, sms }: Partial<PartnerDocument>): Claim[] {
  return [
    ...markets.flatMap(({ msisdnPrefixes, iccidPrefixes }, index) => [
      ...msisdnPrefixes.map((prefix, at) => ({ value: `msisdn ${prefix}`, path: ['markets', index, 'msisdnPrefixes', at] })),
      ...iccidPrefixes.map((prefix, at) => ({ value: `iccid ${prefix}`, path: ['markets', index, 'iccidPrefixes', at] })),
    ]),
    ...clients.map(({ id }, index) => ({ value: `client ${id}`, path: ['clients', index, 'id'] })),
    ...(smpp?.listeners ?? []).map(({ systemId }, index) => ({
      value: `account ${systemId}`,
      path: ['smpp', 'listeners', index, 'systemId'],
    })),
    // The same letters may stand for several partners; an answer to a number must have one owner.
    ...(sms?.senders ?? []).flatMap(({ type, address, markets: of }, index) => {
      const path = ['sms', 'senders', index, 'address'];
      if (type === 'number') return [{ value: `sender ${address}`, path }];
      return type === 'shortcode' ? of.map((market) => ({ value: `sender ${address} ${market}`, path })) : [];
    }),
  ];
}
