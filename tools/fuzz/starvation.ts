/** How long this process wanted to run and was not let, since the machine ran others. */
export interface Starvation {
  readonly starvedMs: number;
  stop(): void;
}

const TICK_MS = 20;

/**
 * Looks every 20 ms how much wall-clock time has gone by beyond that. What the process has used of it as CPU was its own
 * doing and does not count; the rest was the machine's.
 */
export function watchStarvation(): Starvation {
  let starvedMs = 0;
  let atMs = performance.now();
  let cpu = process.cpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(cpu);
    const late = performance.now() - atMs - TICK_MS;
    starvedMs += Math.max(0, late - (user + system) / 1_000);
    atMs = performance.now();
    cpu = process.cpuUsage();
  }, TICK_MS);
  timer.unref();
  return {
    get starvedMs() {
      return starvedMs;
    },
    stop: () => clearInterval(timer),
  };
}
