import type { GatewayConfig } from '../config/index.js';
import type { Partner } from '../partners/index.js';
import type { PartnerCredentials } from '../sandbox/index.js';
import type { SmsBridge } from '../sms/index.js';

/** Where operators' ESMEs bind. */
export interface EsmeListener {
  readonly host: string;
  readonly port: number;
}

/** Opens our own SMPP listener for the accounts of every partner.yaml. @throws the socket's error when the port is taken. */
export async function openEsmeListener(
  { smppListenHost: host, smppListenPort }: Pick<GatewayConfig, 'smppListenHost' | 'smppListenPort'>,
  { esmes }: Pick<SmsBridge, 'esmes'>,
): Promise<EsmeListener> {
  const { port } = await esmes.listen({ host, port: smppListenPort });
  return { host, port };
}

/** Any address of ours is one that a program on this machine reaches by loopback. */
const ANY: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** The account that a partner's programs bind with in the sandbox: the first that carries both directions, or the first. */
export function esmeCredentials({ smpp }: Partner, { host, port }: EsmeListener): PartnerCredentials['smpp'] {
  const account = smpp.listeners.find(({ bindTypes }) => bindTypes.includes('transceiver')) ?? smpp.listeners[0];
  return account && { host: ANY[host] ?? host, port, systemId: account.systemId, password: account.password.reveal() };
}
