import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { encodeGsm, type Link, openLink } from '../../src/smpp/index.js';
import { CERT } from '../../test/smpp/certificate.js';
import type { Bench, Comparison, OpenBench, Round } from './bench.js';
import type { Play, Told } from './sink-smsc.js';

const LINKS = 200;
const SEGMENTS_PER_SECOND = 50;
const ROUND_SECONDS = 5;
const TICK_MS = 5;
const TEXT = encodeGsm('Your code is 493021. It is good for five minutes. '.padEnd(160, 'Do not tell it to anybody. ')) ?? Buffer.alloc(0);

/** One link at its rate. A submit is late from the moment at which it was due, also when its link was not asked in time. */
interface Lane {
  readonly link: Link;
  /** Of the round that runs; what a former one left behind tells nobody. */
  latenciesMs: number[];
  sent: number;
}

function startLanes(lanes: readonly Lane[]): () => void {
  const startedMs = performance.now();
  for (const lane of lanes) {
    lane.latenciesMs = [];
    lane.sent = 0;
  }
  // Each link begins at another moment of its own period, as links of different operators do.
  const offsetMs = (index: number) => (index * 1_000) / SEGMENTS_PER_SECOND / lanes.length;
  const tick = () => {
    const elapsedMs = performance.now() - startedMs;
    for (const [index, lane] of lanes.entries()) {
      for (; offsetMs(index) + (lane.sent * 1_000) / SEGMENTS_PER_SECOND <= elapsedMs; lane.sent++) {
        const dueMs = startedMs + offsetMs(index) + (lane.sent * 1_000) / SEGMENTS_PER_SECOND;
        const { latenciesMs } = lane;
        const submitted = lane.link.submit({
          sourceAddr: 'CAUSEWAY',
          sourceAddrTon: 5,
          destinationAddr: '999570000001',
          shortMessage: TEXT,
        });
        submitted.then(
          () => latenciesMs.push(performance.now() - dueMs),
          // Of the dead link; on any other the segments that were not taken are missed at the end.
          () => undefined,
        );
      }
    }
  };
  const timer = setInterval(tick, TICK_MS);
  return () => clearInterval(timer);
}

/** Runs all links for a round. @returns what the living ones took, and how late the 99th percentile was. */
async function round(lanes: readonly Lane[], living: readonly Lane[]): Promise<{ perSecond: number; p99Ms: number; cpuMicros: number }> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const stop = startLanes(lanes);
  await new Promise((resolve) => setTimeout(resolve, ROUND_SECONDS * 1_000));
  stop();
  while (living.some(({ link }) => link.windowUsed > 0)) await new Promise((resolve) => setTimeout(resolve, 1));
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const latencies = living.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  return {
    perSecond: latencies.length / seconds,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    cpuMicros: (user + system) / latencies.length,
  };
}

async function open({ say }: { say: (progress: string) => void }): Promise<OpenBench> {
  const sink = fork(fileURLToPath(new URL('./sink-smsc.js', import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [{ port }] = (await once(sink, 'message')) as [Told];
  const lanes = await Promise.all(Array.from({ length: LINKS }, (_, index) => openLane(index, port)));
  say(`${lanes.length} links are bound over TLS`);
  const [mortal, ...others] = lanes;
  if (!mortal) throw new Error('no links');

  const held = async (): Promise<Round> => {
    const { perSecond, cpuMicros } = await round(lanes, lanes);
    return { value: perSecond, cpuMicros };
  };
  const p99OfOthers = (dead: string | null) => async (): Promise<Round> => {
    await play(sink, { dead });
    const { p99Ms, cpuMicros } = await round(lanes, others);
    return { value: p99Ms, cpuMicros };
  };
  const asked: Round = { value: LINKS * SEGMENTS_PER_SECOND };
  const comparisons: Comparison[] = [
    {
      name: 'p99 of 199 links while one is dead',
      unit: 'ms',
      isMoreBetter: false,
      ours: { name: 'one dead', round: p99OfOthers('link-0') },
      peer: { name: 'none dead', round: p99OfOthers(null) },
    },
    {
      name: `${LINKS} TLS links`,
      unit: 'segments/s',
      isMoreBetter: true,
      ours: { name: 'ours', round: held },
      peer: { name: `asked for: ${LINKS} × ${SEGMENTS_PER_SECOND}`, round: async () => asked },
    },
  ];
  return {
    comparisons,
    async close() {
      await play(sink, { dead: null });
      await Promise.all(others.map(({ link }) => link.close()));
      // What it never answered it still waits for.
      sink.disconnect();
      await once(sink, 'exit');
      await mortal.link.close();
    },
  };
}

async function openLane(index: number, port: number): Promise<Lane> {
  const link = await new Promise<Link>((resolve) => {
    const opened = openLink({
      host: '127.0.0.1', port, systemId: `link-${index}`, password: 'bench', tls: { ca: CERT, servername: 'localhost' },
      windowSizeMax: 50, clock: systemClock, log: createLog('silent'),
      onDeliver: async () => undefined,
      onStateChange: ({ state }) => state === 'bound' && resolve(opened),
    }); // biome-ignore format: where, then what happens
  });
  return { link, latenciesMs: [], sent: 0 };
}

async function play(sink: ChildProcess, told: Play): Promise<void> {
  const heard = once(sink, 'message');
  sink.send(told);
  await heard;
}

export const bench: Bench = {
  name: 'smpp-many',
  what: `${LINKS} links over TLS, each at ${SEGMENTS_PER_SECOND} segments/s, to a SMSC in a process of its own; how late a segment is counts from when it was due.`,
  open,
};
