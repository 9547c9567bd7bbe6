/** One round of one side. */
export interface Round {
  /** In the comparison's unit: operations per second, or milliseconds. */
  readonly value: number;
  /** CPU of one operation in microseconds, of every process that takes part on this side; undefined where it says nothing. */
  readonly cpuMicros?: number;
}

/** What is measured: us or the peer. */
export interface Side {
  readonly name: string;
  /** Does some seconds of work and checks that it was done. @throws when the work went wrong: a bench that fails has no figure. */
  round(): Promise<Round>;
}

/** Two sides doing the same work; without a peer a figure of ours alone. */
export interface Comparison {
  /** `window 100`; empty for a bench of one comparison. */
  readonly name: string;
  readonly unit: string;
  /** Whether more is better; then `ratio` is ours ÷ peer, else peer ÷ ours: above 1 we are ahead. */
  readonly isMoreBetter: boolean;
  readonly ours: Side;
  readonly peer?: Side;
}

/** Servers and sockets that the comparisons share. */
export interface OpenBench {
  /** In the order in which they are measured; the last is the headline. */
  readonly comparisons: readonly Comparison[];
  close(): Promise<void>;
}

export interface Bench {
  readonly name: string;
  /** One sentence: what is done, with what on either side. */
  readonly what: string;
  open(options: { readonly say: (progress: string) => void }): Promise<OpenBench>;
}

/**
 * Times `work`, which does `operations` of something in this process.
 * @returns operations per second, and the process's CPU for each.
 */
export async function timed(operations: number, work: () => void | Promise<void>): Promise<Round> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await work();
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { value: operations / seconds, cpuMicros: (user + system) / operations };
}
