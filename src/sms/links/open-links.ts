import type { Clock } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import type { Log } from '../../kernel/log.js';
import type { Partner, SmppLink } from '../../partners/index.js';
import { type DeliverSm, type Link, type LinkOptions, openLink } from '../../smpp/index.js';

/** One bind of an operator's link. */
export interface Bind {
  /** `e-plus-main/1`. */
  readonly id: string;
  readonly link: Link;
  /** Names this bind's life from one bind to the next: an answer of ours on it has arrived for certain while it lasts. */
  sessionId(): string;
}

/** An operator's link: several binds over its sites, used as one. */
export interface OperatorLink extends Closable {
  readonly partner: Partner;
  readonly config: SmppLink;
  /** The link among those of all partners: `e-plus/e-plus-main`. Message ids and receipts are told apart by it. */
  readonly key: string;
  readonly binds: readonly Bind[];
  /** The bound transmitter with the most room in its window, or undefined. */
  freest(): Bind | undefined;
  isBound(): boolean;
  close(): Promise<void>;
}

export interface OperatorLinkOptions {
  partner: Partner;
  config: SmppLink;
  /** Where `host: sandbox` is; the link stays down without one. */
  sandboxSmsc: (() => { host: string; port: number } | undefined) | undefined;
  clock: Clock;
  log: Log;
  /** Drawn anew by each process, so that no session's name comes twice. */
  processId: string;
  onDeliver(bind: Bind, pdu: DeliverSm): Promise<void>;
  /** A bind came up or went down. */
  onChange(): void;
}

export const linkKey = (partnerId: string, linkId: string): string => `${partnerId}/${linkId}`;

/** An address that refuses at once: nothing listens on the discard port of the loopback here. */
const NOWHERE = { host: '127.0.0.1', port: 9 };

/** Opens the binds of one link; they come up and stay up by themselves. */
export function openOperatorLink(options: OperatorLinkOptions): OperatorLink {
  const { partner, config, sandboxSmsc, clock, log, processId } = options;

  function site(index: number): Pick<LinkOptions, 'host' | 'port'> {
    const { host, port } = config.sites[index % config.sites.length] ?? NOWHERE;
    if (host !== 'sandbox') return { host, port };
    return { host: sandboxSmsc?.()?.host ?? NOWHERE.host, port: () => sandboxSmsc?.()?.port ?? NOWHERE.port };
  }

  function tls(): LinkOptions['tls'] {
    if (config.tls === 'off') return undefined;
    if (config.tls === 'on') return {};
    const { ca, cert, key } = config.tls;
    return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key: key.reveal() }) };
  }

  function openBind(index: number): Bind {
    let session = 0;
    const id = `${config.id}/${index + 1}`;
    const secure = tls();
    const bind: Bind = {
      id,
      link: openLink({
        ...site(index),
        systemId: config.systemId,
        password: config.password.reveal(),
        systemType: config.systemType,
        bindType: config.bindType,
        interfaceVersion: config.interfaceVersion === '5.0' ? 0x50 : 0x34,
        ...(secure && { tls: secure }),
        windowSizeMax: config.windowSizeMax,
        enquireLinkMs: config.enquireLinkSeconds * 1_000,
        responseTimeoutMs: config.responseTimeoutMs,
        clock,
        log: log.child({ partnerId: partner.id, bindId: id }),
        onDeliver: (pdu) => options.onDeliver(bind, pdu),
        onStateChange: ({ state }) => {
          if (state === 'bound') session += 1;
          options.onChange();
        },
      }),
      sessionId: () => `${processId}/${id}/${session}`,
    };
    return bind;
  }

  const binds = Array.from({ length: config.binds }, (_, index) => openBind(index));
  const used = ({ link }: Bind) => link.windowUsed + link.waiting;
  const isUp = ({ link }: Bind) => link.state.state === 'bound';

  return {
    partner,
    config,
    key: linkKey(partner.id, config.id),
    binds,
    freest() {
      if (config.bindType === 'receiver') return undefined;
      return binds.filter((bind) => isUp(bind) && used(bind) < bind.link.windowSizeMax).sort((a, b) => used(a) - used(b))[0];
    },
    isBound: () => binds.some(isUp),
    async close() {
      await Promise.all(binds.map(({ link }) => link.close()));
    },
  };
}
