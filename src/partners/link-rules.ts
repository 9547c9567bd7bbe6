import type { Found } from './partner-rules.js';
import type { PartnerDocument } from './partner-schema.js';
import type { YamlPath } from './problem.js';

const LOOPBACK = /^(127\.[0-9.]+|::1|localhost)$/;

/** What SMPP links and accounts must keep beside their fields: the sandbox dials only itself, production speaks encrypted. */
export function linkRules({ environment, smpp, sms }: Partial<PartnerDocument>): Found[] {
  const found: Found[] = [];
  const say = (path: YamlPath, message: string) => found.push({ path, message });
  const { links = [], listeners = [] } = smpp ?? {};
  for (const [index, link] of links.entries()) {
    const path = ['smpp', 'links', index];
    if (links.findIndex(({ id }) => id === link.id) < index) say([...path, 'id'], 'is the id of another link; fix: give it one of its own');
    for (const [at, { host, port }] of link.sites.entries()) {
      const simulated = host === 'sandbox';
      if (environment === 'production' && (simulated || LOOPBACK.test(host)))
        say([...path, 'sites', at, 'host'], "is not an operator's; fix: write the address of its SMSC");
      if (environment === 'sandbox' && !simulated && !LOOPBACK.test(host))
        say(
          [...path, 'sites', at, 'host'],
          'is a real address; fix: write sandbox, since the sandbox dials nothing else (loopback is allowed)',
        );
      if (port === 0 && !simulated)
        say([...path, 'sites', at, 'port'], 'is 0, which only the simulated SMSC has; fix: write the port of the SMSC');
    }
    if (environment === 'production' && link.tls === 'off' && !link.vpn)
      say(
        [...path, 'tls'],
        'is off without a VPN; fix: set tls to on or to ca, cert and key, or say vpn: true when a VPN carries the link',
      );
    if (typeof link.tls === 'object' && (link.tls.cert === undefined) !== (link.tls.key === undefined))
      say([...path, 'tls'], 'has only one of cert and key; fix: give both, or neither');
    if (link.nationalShift.length > 0 && link.dataCodingDefault !== 'gsm0338')
      say(
        [...path, 'nationalShift'],
        'needs an SMSC whose default alphabet is GSM; fix: leave it out, or set dataCodingDefault to gsm0338',
      );
    if (link.nationalShift.length > 0 && link.longMessages !== 'udh8' && link.longMessages !== 'udh16')
      say(
        [...path, 'nationalShift'],
        'needs a user data header, which the SMSC writes here; fix: leave it out, or set longMessages to udh16',
      );
    if (link.packedSeptets && link.dataCodingDefault !== 'gsm0338')
      say([...path, 'packedSeptets'], 'is about GSM text only; fix: leave it out, or set dataCodingDefault to gsm0338');
  }
  for (const [index, account] of listeners.entries()) {
    const path = ['smpp', 'listeners', index];
    for (const [at, address] of account.allowedAddresses.entries()) {
      if (environment === 'production' && address.endsWith('/0'))
        say([...path, 'allowedAddresses', at], 'is everywhere; fix: list the addresses of the operator');
    }
    for (const [at, address] of account.senders.entries()) {
      if (address === '*' ? account.senders.length === 1 : sms === undefined || sms.senders.some((sender) => sender.address === address))
        continue;
      say([...path, 'senders', at], 'is not in sms.senders, or is * beside others; fix: list the sender there, or write "*" alone');
    }
  }
  return found;
}
