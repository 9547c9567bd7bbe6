import { fileURLToPath } from 'node:url';
import { createCausewayClient } from '../../sdks/typescript/index.js';
import { patiently } from '../../tools/demo/patience.js';
import { playStory, type StoryResult, type StoryStep } from '../../tools/demo/story.js';
import { startWebhookReceiver, type WebhookReceiver } from '../../tools/demo/webhook-receiver.js';
import { createHome, type GatewayHome, type GatewayProcess, startGateway } from '../../tools/gateway/gateway-process.js';

/** The nth commit at a boundary, after which the gateway dies. */
export interface Kill {
  boundary: string;
  nth: number;
}

/** A moment of the story: so many milliseconds after its nth step. */
export interface Moment {
  step: number;
  ms: number;
}

/** What became of a story that a gateway died in. */
export interface Aftermath {
  /** How often it died. */
  deaths: number;
  /** `unknown`: nobody can say whether the SMS went out, and the gateway says that and does not send it again. */
  outcome: 'complete' | 'unknown';
  /** What is not as it should be; empty when all is well. */
  problems: string[];
}

/** One gateway and its folder, used by one story after the other. */
export interface Lane {
  /** How often it has died since it was opened. */
  deaths(): number;
  /** What was crossed since the start or the latest story began, in order: each with how often it had been by then. */
  crossed(): Promise<Kill[]>;
  /**
   * Plays a story. Its gateway dies at each of these in turn, is started again each time, and lets the story go on.
   * The counting for a kill begins when the one before it has happened.
   */
  play(deaths?: { kills?: readonly Kill[]; moment?: Moment }): Promise<Aftermath>;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('run-gateway.mjs', import.meta.url));
/** What an SMS costs by E-Plus's agreement. */
const PRICE_MINOR = 4;
/** A start takes seconds on a busy machine, and a step may wait for several. */
const STEP_MS_MAX = 60_000;

/**
 * @param atStart makes the first start die at this boundary. The lane then starts again in the same folder.
 */
export async function openLane(atStart?: Kill): Promise<Lane> {
  const home = await createHome();
  const start = (kill?: Kill) => startGateway(home, { program, args: [JSON.stringify({ kill })] }).then(supervise);
  let toCome: Kill[] = [];
  let deaths = 0;
  let closed = false;
  let gateway = start(atStart);

  /** Starts it again whenever it is killed; anything else that ends it is a fault. */
  function supervise(process: GatewayProcess): GatewayProcess {
    void process.exited.then(({ signal }) => {
      if (signal !== 'SIGKILL' || closed) return;
      deaths++;
      gateway = start(toCome.shift());
    });
    return process;
  }

  /** The gateway that serves now. */
  async function running(): Promise<GatewayProcess> {
    for (;;) {
      const { child, output } = await gateway;
      if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}:\n${output()}`);
      if (child.signalCode === null) return gateway;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function ask<T>(message: object): Promise<T> {
    const { child, exited } = await running();
    const answered = new Promise<T>((resolve) => child.once('message', (answer) => resolve(answer as T)));
    child.send(message);
    const answer = await Promise.race([answered, exited.then(() => undefined)]);
    return answer ?? ask(message);
  }

  await running();
  return {
    deaths: () => deaths,
    async crossed() {
      const counts = new Map<string, number>();
      return (await ask<{ crossed: string[] }>({ report: true })).crossed.map((boundary) => {
        const nth = (counts.get(boundary) ?? 0) + 1;
        counts.set(boundary, nth);
        return { boundary, nth };
      });
    },
    async play({ kills = [], moment } = {}) {
      const before = await everySms(home);
      const deathsBefore = deaths;
      const [kill, ...others] = kills;
      toCome = others;
      await ask({ kill });
      let timer: NodeJS.Timeout | undefined;
      async function onStep(number: number): Promise<void> {
        if (number !== moment?.step) return;
        const { child } = await running();
        timer = setTimeout(() => child.kill('SIGKILL'), moment.ms);
      }
      try {
        const judged = await judge(home, before, (number) => void onStep(number));
        await running();
        return { deaths: deaths - deathsBefore, ...judged };
      } finally {
        clearTimeout(timer);
        toCome = [];
      }
    },
    async close() {
      closed = true;
      await (await running()).stop();
      home.remove();
    },
  };
}

/** A gateway as its clients see it. */
export type Reached = Pick<GatewayHome, 'url' | 'credentials'> & { phonesUrl?: string };

/** Plays the story and looks afterwards whether anything was lost or happened twice. */
export async function judge(
  home: Reached,
  before: readonly string[],
  onStep: (number: number) => void,
): Promise<Omit<Aftermath, 'deaths'>> {
  const receiver = await startWebhookReceiver();
  const steps: StoryStep[] = [];
  try {
    const story = {
      url: home.url,
      ...(home.phonesUrl !== undefined && { phonesUrl: home.phonesUrl }),
      ...home.credentials(),
      receiver,
      patienceMs: STEP_MS_MAX,
      onStep: (step: StoryStep) => onStep(steps.push(step)),
    };
    const result = await playStory(story).catch((failure: Error) => failure);
    const fallbackId = steps.find(({ step }) => step === 'message sent, fallback armed')?.id;
    const sent = (await everySms(home)).slice(before.length);
    const twice = [...repeatedEvents(receiver), ...(sent.length > 1 ? [`${sent.length} SMS were sent`] : [])];
    if (!(result instanceof Error)) {
      const problems = [...twice, ...(await bookProblems(home, result, sent))];
      return { outcome: 'complete', problems };
    }
    const isUnknown = result.message.startsWith('the fallback is unknown') && fallbackId !== undefined;
    if (!isUnknown) return { outcome: 'complete', problems: [...twice, `after "${steps.at(-1)?.step}": ${told(result)}`] };
    return { outcome: 'unknown', problems: [...twice, ...(await unknownProblems(home, fallbackId, sent))] };
  } finally {
    await receiver.close();
  }
}

const told = ({ message, ...rest }: Error & { body?: { code?: string; detail?: string } }): string =>
  [message, rest.body?.code, rest.body?.detail].filter(Boolean).join(' – ');

const partnerOf = (home: Reached) => createCausewayClient({ serverUrl: home.url, ...home.credentials() });

/** Every item of a list, also when the gateway dies while it is read. */
const all = <T>(list: () => AsyncIterable<T>): Promise<T[]> =>
  patiently(async () => {
    const items: T[] = [];
    for await (const item of list()) items.push(item);
    return items;
  });

/** The texts on every handset of the sandbox, oldest first. */
export async function everySms(home: Reached): Promise<string[]> {
  const items = await all(() => partnerOf(home).listSandboxSms.items({ query: { limit: 200 } }));
  return items.map(({ text }) => text);
}

/** Events that came with a second id: a webhook may come twice, what it tells of happens once. */
function repeatedEvents(receiver: WebhookReceiver): string[] {
  const ids = new Map<string, Set<string>>();
  for (const { id, type, subject } of receiver.received()) {
    const event = `${type} of ${subject}`;
    ids.set(event, (ids.get(event) ?? new Set()).add(id));
  }
  return [...ids].filter(([, of]) => of.size > 1).map(([event, of]) => `${event} has ${of.size} ids`);
}

/** What the books say of a story that came to its end: one SMS, one price, each event once. */
async function bookProblems(home: Reached, { smsId, smsText, subscriptionId }: StoryResult, sent: readonly string[]): Promise<string[]> {
  const partner = partnerOf(home);
  const problems: string[] = [];
  if (sent.length !== 1 || !sent[0]?.startsWith(smsText)) problems.push(`the handsets got ${sent.length} SMS, not this one`);
  const sms = await patiently(() => partner.getSmsMessage({ path: { smsId } }));
  if (sms.price?.amountMinor !== PRICE_MINOR) problems.push(`the SMS cost ${sms.price?.amountMinor}`);
  if (sms.segments.length !== 1) problems.push(`the SMS has ${sms.segments.length} segments`);
  const counts = new Map<string, number>();
  const priced = new Set<string>();
  for (const item of await all(() => partner.listTimeline.items({ path: { subscriptionId }, query: { limit: 200 } }))) {
    const event = `${item.type} of ${item.resourceId}`;
    counts.set(event, (counts.get(event) ?? 0) + 1);
    if (item.price) priced.add(`${item.resourceId} ${item.price.amountMinor}`);
    if (item.type.endsWith('sms-reply.received')) counts.set('the reply', (counts.get('the reply') ?? 0) + 1);
  }
  // A phone that got no answer registers again, with another token of its operator: that is another registration.
  for (const [event, count] of counts)
    if (count !== 1 && !event.startsWith('account.registered')) problems.push(`${event} stands ${count} times in the timeline`);
  // The SMS and the fallback that it was sent for both name what was paid for it.
  if ([...priced].filter((one) => one.startsWith('sms_')).length !== 1) problems.push(`prices in the timeline: ${[...priced].join(', ')}`);
  return problems;
}

async function unknownProblems(home: Reached, fallbackId: string, sent: readonly string[]): Promise<string[]> {
  const partner = partnerOf(home);
  const problems: string[] = [];
  const { smsId } = await patiently(() => partner.getFallback({ path: { fallbackId } }));
  const sms = await patiently(() => partner.getSmsMessage({ path: { smsId: smsId ?? '' } }));
  if (sent.length === 0 && sms.state !== 'unknown') problems.push(`the SMS is ${sms.state}, and no handset has it`);
  if (!['unknown', 'delivered'].includes(sms.state)) problems.push(`the SMS is ${sms.state}`);
  return problems;
}
