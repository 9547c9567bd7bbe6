import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createLeakSearch, createSearch } from '../gateway/scan.js';
import type { Finding } from './ledger.js';
import type { Place } from './place.js';

/** Secrets of a run, and what looks for them. */
export interface Leaks {
  note(secret: string, what: string): void;
  /** Looks through what a process has written. */
  readOutput(text: string): void;
  /** Looks through all that is at rest. @param planted what must be found there: a search that does not find it sees nothing. */
  readRest(place: Place, planted: string): Promise<void>;
  findings(): Finding[];
}

/** These hold a secret on purpose: the sandbox's credentials for its user, the master key for the gateway. */
const MAY_HOLD: Readonly<Record<string, RegExp>> = {
  'the client secret': /\/sandbox-credentials\.json$/,
  'the master key': /\/keys\/master\.key$/,
};

export function createLeaks(): Leaks {
  const secrets = new Map<string, string>();
  const found = new Map<string, string>();

  return {
    note: (secret, what) => void secrets.set(secret, what),
    readOutput(text) {
      const search = createLeakSearch(secrets);
      // As a whole first: almost always there is nothing to find.
      if (search(text).length === 0) return;
      for (const line of text.split('\n'))
        for (const kind of search(line)) found.set(`log ${kind} ${messageOf(line)}`, `the log holds ${kind}, in ${messageOf(line)}`);
    },
    async readRest(place, planted) {
      secrets.set(readFileSync(join(place.home.keysDir, 'master.key'), 'utf8').trim(), 'the master key');
      const search = createSearch([...secrets.keys(), planted]);
      let isSeen = false;
      for (const [where, content] of await place.atRest()) {
        for (const { text, form } of search(content)) {
          if (text === planted) isSeen = true;
          const what = secrets.get(text);
          if (what === undefined || MAY_HOLD[what]?.test(where)) continue;
          found.set(`${where} ${what}`, `${basename(where)} holds ${what} (${form})`);
        }
      }
      if (!isSeen) throw new Error('the search of what is at rest is blind: it does not find what is there');
    },
    findings: () => [...found.values()].map((what) => ({ kind: 'leaked', what })),
  };
}

/** A log line by its constant message. */
function messageOf(line: string): string {
  try {
    return `"${(JSON.parse(line) as { msg: string }).msg}"`;
  } catch {
    return 'a line that is not JSON';
  }
}
