import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { explainIssue } from './explain-issue.js';
import { day, marketCode, rule, timeZone } from './fields.js';
import type { MarketHistory } from './market-policies.js';
import type { Problem } from './problem.js';
import { readYaml } from './yaml-file.js';

/**
 * Below the partners' folder, since a new market comes with a partner and one review should see both; in a folder of its
 * own with `_`, since the law of a market is the messaging company's to state and no single partner's.
 */
export const MARKETS_FILE = ['_markets', 'markets.yaml'] as const;

export const marketsSchema = z.strictObject({
  markets: z
    .record(
      marketCode(),
      z.strictObject({
        name: z.string().min(1).max(80).describe('What people read.'),
        timeZone: timeZone().describe('IANA name; a policy begins at midnight there.'),
        zeroRating: z
          .array(
            z.strictObject({
              since: day().describe('The first day of the policy.'),
              policy: z
                .enum(['allowed', 'open-class', 'application-agnostic-only', 'forbidden'])
                .describe('What is permitted from then on.'),
              legalReference: z.string().min(1).max(400).describe('The rule or ruling that says so.'),
            }),
          )
          .min(1)
          .max(50)
          .refine(
            (history) => history.every(({ since }, index) => index === 0 || since > (history[index - 1]?.since ?? '')),
            rule('is not in the order of its days', 'put the oldest first, one entry a day'),
          )
          .describe('The policies in the order of time; the last one holds until the next.'),
      }),
    )
    .describe('By ISO 3166 alpha-2 code, or XS.'),
});

export async function readMarkets(file: string): Promise<{ markets: Record<string, MarketHistory> | undefined; problems: Problem[] }> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const message = 'cannot be read; fix: put the market policies there; without them nothing can be zero-rated';
    return { markets: undefined, problems: [{ file, line: 0, path: [], message }] };
  }
  const read = readYaml(file, text);
  if ('problems' in read) return { markets: undefined, problems: read.problems };
  const { yaml } = read;
  const result = marketsSchema.safeParse(yaml.value);
  if (!result.success) {
    const found = result.error.issues.flatMap((issue) => explainIssue(issue, yaml.value));
    return { markets: undefined, problems: found.map((problem) => ({ file, line: yaml.lineOf(problem.path), ...problem })) };
  }
  const markets = Object.fromEntries(
    Object.entries(result.data.markets).map(([code, { timeZone: zone, zeroRating }]) => [code, { timeZone: zone, history: zeroRating }]),
  );
  return { markets, problems: [] };
}
