import type { Comparison, Round, Side } from './bench.js';

/** The line that `--json` prints for each comparison; the headline's is the last. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly peerName: string | null;
  /** Above 1 we are ahead, whichever way the unit points. */
  readonly ratio: number | null;
  readonly runs: number;
  /** Least and most of the rounds. */
  readonly spread: { readonly ours: readonly [number, number]; readonly peer: readonly [number, number] | null };
  /** Microseconds of CPU per operation, medians. */
  readonly cpuOurs: number | null;
  readonly cpuPeer: number | null;
}

export interface CompareOptions {
  readonly benchName: string;
  readonly runs: number;
  readonly say: (progress: string) => void;
}

/** Runs both sides in turn, `runs` times each after one round that is not counted: what slows the machine for a while slows both. */
export async function compare(comparison: Comparison, { benchName, runs, say }: CompareOptions): Promise<Result> {
  const { ours, peer, unit } = comparison;
  const rounds = new Map<Side, Round[]>([[ours, []]]);
  if (peer) rounds.set(peer, []);
  const title = [benchName, comparison.name].filter(Boolean).join(' ');
  for (let run = 0; run <= runs; run++) {
    for (const [side, done] of rounds) {
      globalThis.gc?.();
      const round = await side.round();
      say(`${title}: ${run === 0 ? 'warm-up' : `run ${run} of ${runs}`}, ${side.name} ${shown(round.value)} ${unit}`);
      if (run > 0) done.push(round);
    }
  }
  const mine = summary(rounds.get(ours) ?? []);
  const theirs = peer && summary(rounds.get(peer) ?? []);
  const ratio = theirs && (comparison.isMoreBetter ? mine.median / theirs.median : theirs.median / mine.median);
  return {
    name: title,
    unit,
    ours: rounded(mine.median),
    peer: theirs ? rounded(theirs.median) : null,
    peerName: peer?.name ?? null,
    ratio: ratio === undefined ? null : rounded(ratio),
    runs,
    spread: { ours: mine.spread, peer: theirs?.spread ?? null },
    cpuOurs: mine.cpu,
    cpuPeer: theirs?.cpu ?? null,
  };
}

function summary(rounds: readonly Round[]): { median: number; spread: [number, number]; cpu: number | null } {
  const values = rounds.map(({ value }) => value);
  const cpu = rounds.flatMap(({ cpuMicros }) => cpuMicros ?? []);
  return {
    median: medianOf(values),
    spread: [rounded(Math.min(...values)), rounded(Math.max(...values))],
    cpu: cpu.length > 0 ? rounded(medianOf(cpu)) : null,
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Three digits that mean something; whole numbers from 1,000 on. */
const rounded = (value: number): number => (Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4)));
const shown = (value: number): string => rounded(value).toLocaleString('en');

/** The comparisons of one bench as a table for people. */
export function table(results: readonly Result[]): string {
  const heads = ['', 'unit', 'ours', '[range]', 'µs CPU', 'peer', '[range]', 'µs CPU', 'ratio'];
  const range = (spread: readonly [number, number] | null) => (spread ? `[${shown(spread[0])}–${shown(spread[1])}]` : '');
  const number = (value: number | null) => (value === null ? '' : shown(value));
  const rows = results.map((result) => [
    result.name, result.unit, shown(result.ours), range(result.spread.ours), number(result.cpuOurs),
    number(result.peer), range(result.spread.peer), number(result.cpuPeer), result.ratio === null ? '' : `${shown(result.ratio)}×`,
  ]); // biome-ignore format: one row
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ');
  const peers = new Set(results.flatMap(({ peerName }) => peerName ?? []));
  const note = peers.size > 0 ? `\npeer: ${[...peers].join(', ')}; medians of ${results[0]?.runs} interleaved runs` : '';
  return `${[heads, ...rows].map(line).join('\n')}${note}\n`;
}
