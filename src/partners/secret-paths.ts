import type { PartnerDocument } from './partner-schema.js';
import type { YamlPath } from './problem.js';

/** Where the secrets of a partner.yaml are that are there. */
export function secretPaths({ smpp, clients = [], provisioning }: Partial<PartnerDocument>): YamlPath[] {
  return [
    ...clients.flatMap(({ keys }, index) => (keys?.secret === undefined ? [] : [['clients', index, 'keys', 'secret']])),
    ...(smpp?.links ?? []).flatMap(({ tls }, index) => [
      ['smpp', 'links', index, 'password'],
      ...(typeof tls === 'object' && tls.key !== undefined ? [['smpp', 'links', index, 'tls', 'key']] : []),
    ]),
    ...(smpp?.listeners ?? []).map((_account, index) => ['smpp', 'listeners', index, 'password']),
    ...(typeof provisioning?.esim === 'object' ? [['provisioning', 'esim', 'key']] : []),
  ];
}
