import type { Clock } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import type { Log } from '../../kernel/log.js';
import type { Partner, SmppLink } from '../../partners/index.js';
import { type DataSm, type DeliverSm, type Link, type LinkOptions, openLink } from '../../smpp/index.js';
import type { Leases } from '../../store/leases.js';
import { createBindDuty } from './bind-duty.js';
import { showBind } from './show-bind.js';

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
  /** Those that this node keeps up. */
  readonly binds: readonly Bind[];
  /** Each bind of the link by its number: ours, or what the node that keeps it tells of it. */
  everyBind(): ({ bind: Bind } | { id: string; told: unknown })[];
  /** The binds of this node that are up and may transmit. */
  usable(): readonly Bind[];
  isBound(): boolean;
  /** Whether other nodes keep binds of it. */
  isElsewhere(): boolean;
  /** The part of the link's rate that is this node's. */
  share(): number;
  /** Whether that session is one of ours and up. */
  isLive(sessionId: string): boolean;
  /** Looks again which binds are this node's. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface OperatorLinkOptions {
  partner: Partner;
  config: SmppLink;
  /** Where `host: sandbox` is; the link stays down without one. */
  sandboxSmsc: (() => { host: string; port: number } | undefined) | undefined;
  clock: Clock;
  log: Log;
  leases: Leases | undefined;
  /** Drawn anew by each process, so that no session's name comes twice. */
  processId: string;
  /** A receipt, or a message from a handset. */
  onDeliver(bind: Bind, pdu: DeliverSm | DataSm): Promise<void>;
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

  const key = linkKey(partner.id, config.id);
  const duty = createBindDuty(key, config.binds, options.leases);
  const idOf = (index: number): string => `${config.id}/${index + 1}`;
  const open = new Map<number, Bind>();
  /** Not ours any more, and waiting for what is in flight. */
  const retiring = new Map<Bind, Promise<void>>();
  /** Asked for with each message; a bind that comes or goes makes it anew. */
  let usable: Bind[] | undefined;
  let settling: Promise<void> | undefined;
  let isClosed = false;

  function openBind(index: number): Bind {
    let session = 0;
    const id = idOf(index);
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
        onData: (pdu) => options.onDeliver(bind, pdu),
        onStateChange: ({ state }) => {
          if (state === 'bound') session += 1;
          usable = undefined;
          if (open.get(index) === bind) tell(index, bind);
          options.onChange();
        },
      }),
      sessionId: () => `${processId}/${id}/${session}`,
    };
    return bind;
  }

  const tell = (index: number, bind: Bind): void =>
    duty.tell(index, { sessionId: isUp(bind) ? bind.sessionId() : undefined, shown: showBind(bind) });
  const ours = (): Bind[] => [...open].sort(([a], [b]) => a - b).map(([, bind]) => bind);
  const isUp = ({ link }: Bind) => link.state.state === 'bound';
  const isElsewhere = (): boolean => Array.from({ length: config.binds }, (_, index) => duty.elsewhere(index)).some(Boolean);

  function retire(index: number, bind: Bind): void {
    open.delete(index);
    usable = undefined;
    const done = bind.link.close().finally(() => retiring.delete(bind));
    retiring.set(bind, done);
    void done.then(() => (open.has(index) ? undefined : duty.release(index))).catch(() => undefined);
  }

  async function look(): Promise<void> {
    const wanted = await duty.settle();
    if (isClosed) return;
    for (const [index, bind] of open) if (!wanted.includes(index)) retire(index, bind);
    for (const index of wanted) if (!open.has(index)) open.set(index, openBind(index));
    usable = undefined;
    for (const [index, bind] of open) tell(index, bind);
  }

  // Alone, every bind is ours at once; among nodes it takes a look at the leases first.
  if (!options.leases) for (let index = 0; index < config.binds; index++) open.set(index, openBind(index));

  return {
    partner,
    config,
    key,
    get binds() {
      return ours();
    },
    everyBind: () =>
      Array.from({ length: config.binds }, (_, index) => {
        const bind = open.get(index);
        return bind ? { bind } : { id: idOf(index), told: duty.elsewhere(index) };
      }),
    usable() {
      usable ??= config.bindType === 'receiver' ? [] : ours().filter(isUp);
      return usable;
    },
    isBound: () => ours().some(isUp),
    isElsewhere,
    share: () => (options.leases ? ours().length / config.binds : 1),
    isLive: (sessionId) => [...open.values(), ...retiring.keys()].some((bind) => isUp(bind) && bind.sessionId() === sessionId),
    async settle() {
      settling ??= look().finally(() => {
        settling = undefined;
      });
      await settling;
    },
    async close() {
      isClosed = true;
      await settling?.catch(() => undefined);
      await Promise.all([...ours().map(({ link }) => link.close()), ...retiring.values()]);
      await Promise.all([...open.keys()].map((index) => duty.release(index)));
    },
  };
}
