import { randomBytes } from 'node:crypto';
import { patiently } from '../demo/patience.js';
import { createRandom } from '../fuzz/random.js';
import { createBookReader } from './books.js';
import { check, type Evidence } from './check.js';
import { createLeaks } from './leaks.js';
import { createLedger, type Finding, type Ledger, refusalOf } from './ledger.js';
import { type Load, startLoad, TOLD } from './load.js';
import { openPlace, type Place } from './place.js';
import { createReach, type Reach } from './reach.js';
import { type HandsetSms, openSmsc } from './smsc.js';

export interface CrashOptions {
  /** 1 unless told otherwise; 2 need PostgreSQL and NATS. */
  nodes?: 1 | 2;
  /** A server of PostgreSQL; SQLite without it. */
  databaseUrl?: string | undefined;
  natsUrl?: string | undefined;
  seed: number;
  /** How many requests are kept to be sent again; 2,000. */
  repeatablesMax?: number;
}

/** What came of a run. */
export interface Outcome {
  readonly answered: number;
  readonly findings: readonly Finding[];
}

/** Gateways under a load, for somebody to disturb, and the judgement of what became of everything that was answered. */
export interface Crash {
  readonly place: Place;
  readonly ledger: Ledger;
  readonly load: Load;
  /** A number in [0, bound), by the seed. */
  random(bound: number): number;
  readonly reach: Reach;
  /** What lies on the handsets. */
  readonly handsets: readonly HandsetSms[];
  /** Waits until the load got so many more answers. @throws when nothing at all was answered for long. */
  answers(more: number): Promise<void>;
  /** Sends again what was answered, up to so many requests, and compares the answers. */
  repeat(most: number): Promise<void>;
  /** What there is to compare now. */
  evidence(): Promise<Evidence>;
  /** Looks for secrets in all that is at rest. */
  lookForLeaks(): Promise<void>;
  /** Ends the load, waits until all that was begun has come to its end, and compares. Every gateway must be up. */
  settle(): Promise<Finding[]>;
  /** Settles, looks for secrets, and ends the gateways. */
  judge(): Promise<Outcome>;
  /** Leaves nothing behind. */
  close(): Promise<void>;
}

const LOOK_MS = 50;
/** Longer than a start on a busy machine. */
const SILENCE_MS_MAX = 180_000;
/** What is on its way comes by itself: a webhook whose node died, for instance, is due again within this time. */
const SETTLE_MS_MAX = 120_000;

export async function openCrash({ nodes = 1, databaseUrl, natsUrl, seed, repeatablesMax = 2_000 }: CrashOptions): Promise<Crash> {
  const random = createRandom(seed);
  const ledger = createLedger({ repeatablesMax });
  const leaks = createLeaks();
  const password = randomBytes(4).toString('hex');
  leaks.note(password, 'the SMPP password');
  const smsc = await openSmsc(password, () => ledger.came('an SMS'));
  const place = await openPlace({
    ...{ nodes, databaseUrl, natsUrl, smsc },
    onOutput: leaks.readOutput,
    onFault: (what) => ledger.fault({ kind: 'lost', what }),
  });
  try {
    await Promise.all(place.nodes.map((node) => node.start()));
    const credentials = place.home.credentials();
    leaks.note(credentials.clientSecret, 'the client secret');
    const reach = createReach({ url: place.doors[0], phonesUrl: place.doors[1], ...credentials, onSecret: leaks.note });
    const load = await startLoad({ reach, ledger, smsc, random });
    leaks.note(load.secretWord, 'the text of an SMS');
    const books = createBookReader(reach.partner);

    async function compare(): Promise<Finding[]> {
      for (const phone of ledger.phones) await phone.drain();
      if (smsc.owed() > 0) return [{ kind: 'lost', what: `${smsc.owed()} receipts that the gateway does not take` }];
      return check(await evidence());
    }

    async function evidence(): Promise<Evidence> {
      const { offsetSeconds, receiver } = load;
      const seen = { books: await books.read(ledger.fallbacks), handsets: smsc.handsets, webhooks: receiver.received() };
      return { ledger, ...seen, told: TOLD, offsetSeconds };
    }

    const crash: Crash = {
      ...{ place, ledger, load, random, reach, handsets: smsc.handsets },
      async answers(more) {
        const wanted = ledger.answered() + more;
        for (
          let before = -1, since = Date.now();
          ledger.answered() < wanted;
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
        ) {
          if (ledger.answered() !== before) since = Date.now();
          before = ledger.answered();
          if (Date.now() - since > SILENCE_MS_MAX) throw new Error(`nothing was answered for ${SILENCE_MS_MAX / 1_000} s`);
        }
      },
      async repeat(most) {
        const left = [...ledger.repeatables];
        for (let count = 0; count < most && left.length > 0; count++) {
          const [chosen] = left.splice(random(left.length), 1);
          if (!chosen) return;
          try {
            const answer = await patiently(() => chosen.again(reach), SILENCE_MS_MAX);
            if (answer !== chosen.answer)
              ledger.fault({ kind: 'doubled', what: `${chosen.what}: sent again, it was answered ${answer} and not ${chosen.answer}` });
          } catch (failure) {
            ledger.fault({ kind: 'lost', what: `${chosen.what}: sent again, it was refused: ${refusalOf(failure)}` });
          }
        }
      },
      evidence,
      async lookForLeaks() {
        await leaks.readRest(place, load.run);
      },
      async settle() {
        await load.stop();
        for (const phone of ledger.phones) phone.close();
        const end = Date.now() + SETTLE_MS_MAX;
        let findings = await compare();
        while (findings.length > 0 && Date.now() < end) {
          await new Promise((resolve) => setTimeout(resolve, 10 * LOOK_MS));
          findings = await compare();
        }
        return [...ledger.faults, ...findings];
      },
      async judge() {
        const findings = await crash.settle();
        await crash.lookForLeaks();
        // What they wrote is looked through when they have ended.
        await Promise.all(place.nodes.map((node) => node.stop()));
        return { answered: ledger.answered(), findings: [...findings, ...leaks.findings()] };
      },
      async close() {
        await load.close();
        await place.close();
        await smsc.close();
      },
    };
    return crash;
  } catch (failure) {
    await place.close();
    await smsc.close();
    throw failure;
  }
}
