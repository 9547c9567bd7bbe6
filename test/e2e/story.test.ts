import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildGateway, type Gateway } from '../../src/build.js';
import { readConfig } from '../../src/config/index.js';
import { createLog } from '../../src/kernel/log.js';
import { playStory, type StoryStep } from '../../tools/demo/story.js';
import { startWebhookReceiver } from '../../tools/demo/webhook-receiver.js';
import { type GatewayHome, type GatewayProcess, startGateway } from '../../tools/gateway/gateway-process.js';
import { createTestHome, type TestHome } from '../fakes/home.js';

/** Every step of the story, in its order (one name has a comma of its own). */
const STEPS =
  'plan read, webhook subscribed, test clock set, SIM registered, order taken, network asked, line active, zero-rated, phones registered, message sent, fallback armed, SMS delivered, sender knows, SMS reply in the chat, app copy paired with the SMS, webhooks verified, timeline shows it all';
const STORY_MS_MAX = 60_000;

async function play(home: Pick<GatewayHome, 'credentials'>, url: string): Promise<StoryStep[]> {
  const steps: StoryStep[] = [];
  const receiver = await startWebhookReceiver();
  try {
    await playStory({ url, ...home.credentials(), receiver, onStep: (step) => void steps.push(step) });
  } finally {
    await receiver.close();
  }
  return steps;
}

describe('against the program as npm start runs it', () => {
  let home: TestHome;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    home = await createTestHome();
    gateway = await startGateway(home);
  });
  afterAll(async () => {
    await gateway.stop();
    await home.remove();
  });

  test('the story goes from end to end, again and again', { timeout: 2 * STORY_MS_MAX }, async () => {
    const first = await play(home, home.url);
    const second = await play(home, home.url);
    expect(first.map(({ step }) => step).join(', ')).toBe(STEPS);
    expect(second.map(({ step }) => step).join(', ')).toBe(STEPS);
    const ids = (steps: StoryStep[]) => steps.filter(({ step }) => step !== 'plan read' && step !== 'zero-rated').map(({ id }) => id);
    const repeated = ids(first).filter((id) => id !== undefined && ids(second).includes(id));
    expect(repeated).toEqual([]);
  });

  test('it drains and exits with 0 when it is told to stop', { timeout: STORY_MS_MAX }, async () => {
    const own = await createTestHome();
    try {
      const other = await startGateway(own);
      expect(await other.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await own.remove();
    }
  });
});

/** Makes it that hour of the day in Berlin, E-Plus's time zone, for the gateway and for the phones. @returns what undoes it. */
function setMachineClock(hour: number): () => void {
  const real = globalThis.Date;
  const berlin = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', hourCycle: 'h23' });
  const offsetMs = ((hour - Number(berlin.format(real.now())) + 24) % 24) * 3_600_000;
  globalThis.Date = class extends real {
    constructor(...given: [] | [number]) {
      super(...((given.length === 0 ? [real.now() + offsetMs] : given) as [number]));
    }
    static override now = () => real.now() + offsetMs;
  } as DateConstructor;
  return () => {
    globalThis.Date = real;
  };
}

describe('at any hour of the day', () => {
  // Within quiet hours, and on both sides of midnight in Berlin and in UTC.
  test.each([0, 23])('the story goes from end to end at %i o’clock', { timeout: STORY_MS_MAX }, async (hour) => {
    const home = await createTestHome();
    const resetClock = setMachineClock(hour);
    let gateway: Gateway | undefined;
    try {
      gateway = await buildGateway(readConfig(home.variables), {}, { log: createLog('silent') });
      expect((await play(home, gateway.url)).map(({ step }) => step).join(', ')).toBe(STEPS);
    } finally {
      await gateway?.close();
      resetClock();
      await home.remove();
    }
  });
});
