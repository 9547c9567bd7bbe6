import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ZeroRatedPartner } from '../../src/zero-rating/index.js';
import { canonicalJson } from '../../src/zero-rating/traffic-lists/canonical-json.js';
import { effectiveAt } from '../../src/zero-rating/traffic-lists/effective-at.js';
import { NOW, ORIGINS, openWorld, sha256, type World } from './world.js';

const DAY = 86_400_000;
const CLASSES = ['messaging-media', 'messaging-text', 'voip'];
let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const list = async (partnerId = 'e-plus') => (await world.trafficLists.list(partnerId, { after: undefined, limit: 50 })).items;
const acknowledge = (version: number, partnerId = 'e-plus') =>
  world.control.transact((tx) =>
    world.trafficLists.acknowledge(tx, { partnerId, correlator: 'c-1' }, 'messaging-text', { version, deployedAt: new Date(NOW) }),
  );

describe('publication', () => {
  test('the first start publishes version 1 of each class to each operator, with an event for each; hubs get none', async () => {
    await world.start();
    expect(new Set((await list()).map(({ trafficClass, version }) => `${trafficClass} ${version}`))).toEqual(
      new Set(CLASSES.map((name) => `${name} 1`)),
    );
    expect(await list('hub-sandbox')).toEqual([]);
    const published = world.reports.filter(({ type, partnerId }) => type === 'traffic-list.published' && partnerId === 'e-plus');
    expect(published.map(({ resource }) => resource)).toEqual(
      await Promise.all(
        published.map(({ resource }) => world.trafficLists.get('e-plus', (resource as { trafficClass: string }).trafficClass)),
      ),
    );
    expect(published).toHaveLength(3);
  });

  test('a start with the same addresses publishes nothing and changes no byte', async () => {
    await world.trafficLists.publish();
    const before = await world.trafficLists.get('e-plus', 'messaging-text');
    world.reports.length = 0;
    await world.clock.advance(DAY);
    await world.trafficLists.publish();
    expect(world.reports).toEqual([]);
    expect(await world.trafficLists.get('e-plus', 'messaging-text')).toEqual(before);
  });

  test('an origin that moved makes the next version of its class only, and supersedes the one before', async () => {
    await world.trafficLists.publish();
    world.sources.current = { origins: { ...ORIGINS, text: 'https://text2.chat.example' } };
    await world.trafficLists.publish();
    world.sources.current = { origins: ORIGINS };
    await world.trafficLists.publish();
    expect(Object.fromEntries((await list()).map(({ trafficClass, version }) => [trafficClass, version]))).toEqual({
      'messaging-text': 3,
      'messaging-media': 1,
      voip: 1,
    });
    const rows = await world.control.read.trafficListVersion.findMany({
      where: { trafficClass: 'messaging-text' },
      orderBy: { version: 'asc' },
    });
    expect(rows.map(({ version, status }) => [version, status])).toEqual([
      [1, 'superseded'],
      [2, 'superseded'],
      [3, 'published'],
    ]);
  });

  test('two nodes that start at the same instant publish one version', async () => {
    await Promise.all([world.trafficLists.publish(), world.trafficLists.publish()]);
    expect(await world.control.read.trafficListVersion.count()).toBe(3);
    expect(world.reports.filter(({ partnerId }) => partnerId === 'e-plus')).toHaveLength(3);
  });

  test('addresses that nobody may deploy stop the start with all problems, and publish nothing', async () => {
    world.sources.current = { origins: { text: 'https://0.0.0.0', media: 'https://example', calls: ORIGINS.calls } };
    await expect(world.start()).rejects.toMatchObject({
      code: 'CONFIG.INVALID',
      detail: expect.stringMatching(/messaging-text: .*0\.0\.0\.0.*messaging-media: example is a public suffix/),
    });
    expect(await world.control.read.trafficListVersion.count()).toBe(0);
  });

  test('an operator whose only market forbids telling apps apart gets no list', async () => {
    await world.close();
    const policies = { at: () => ({ policy: 'application-agnostic-only' as const, legalReference: 'Law 1', since: '2020-01-01' }) };
    world = await openWorld({ policies });
    await world.trafficLists.publish();
    expect(await list()).toEqual([]);
    await expect(world.trafficLists.get('e-plus', 'messaging-text')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a published list', () => {
  test('its hash is that of the canonical rules, and its signature is over class, version, times and hash', async () => {
    await world.trafficLists.publish();
    const { signature, rules, dependencies, ...shown } = await world.trafficLists.get('e-plus', 'messaging-text');
    expect(shown.sha256).toBe(sha256(canonicalJson(rules)));
    const { trafficClass, version, effectiveAt: from, validUntil } = shown;
    expect(world.signer.verify(signature)).toEqual({ trafficClass, version, effectiveAt: from, validUntil, sha256: shown.sha256 });
    expect(dependencies.length).toBeGreaterThan(1);
    expect(Date.parse(from)).toBe(NOW + 10 * DAY);
    expect(Date.parse(validUntil)).toBeGreaterThan(Date.parse(from));
  });

  test('is signed anew when the key was replaced, and only then', async () => {
    await world.start();
    const before = await world.trafficLists.get('e-plus', 'voip');
    await world.trafficLists.renew();
    expect(await world.trafficLists.get('e-plus', 'voip')).toEqual(before);
    world.signer.rotate();
    await world.trafficLists.renew();
    const after = await world.trafficLists.get('e-plus', 'voip');
    expect(() => world.signer.verify(after.signature)).not.toThrow();
    expect({ ...after, signature: '' }).toEqual({ ...before, signature: '' });
  });

  test('stays valid as long as somebody keeps it, and its version stays', async () => {
    await world.trafficLists.publish();
    for (let month = 0; month < 12; month++) {
      await world.clock.advance(30 * DAY);
      await world.trafficLists.renew();
      const { validUntil, version } = await world.trafficLists.get('e-plus', 'voip');
      expect(Date.parse(validUntil)).toBeGreaterThan(world.clock.now() + 45 * DAY);
      expect(version).toBe(1);
    }
  });

  test.each([
    ['nothing frozen', [], NOW + 10 * DAY],
    ['a freeze over the day', [{ from: '2026-12-01', to: '2026-12-05' }], Date.parse('2026-12-05T23:00:00Z')],
    [
      'two freezes in a row',
      [
        { from: '2026-12-06', to: '2026-12-07' },
        { from: '2026-12-01', to: '2026-12-05' },
      ],
      Date.parse('2026-12-07T23:00:00Z'),
    ],
    ['a freeze that is over', [{ from: '2026-11-20', to: '2026-12-01' }], NOW + 10 * DAY],
  ])('takes effect after the lead time and outside freezes: %s', (_, freeze, expected) => {
    const partner: ZeroRatedPartner = {
      id: 'p',
      kind: 'operator',
      markets: [{ code: 'XS', timeZone: 'Europe/Berlin' }],
      zeroRating: { classes: {}, delivery: { leadTimeDays: 10, freeze } },
    };
    expect(effectiveAt(partner, NOW)).toBe(expected);
  });
});

describe('acknowledgement', () => {
  beforeEach(() => world.trafficLists.publish());

  test('says which version the network uses, in the list and as an event', async () => {
    expect(await acknowledge(1)).toMatchObject({ trafficClass: 'messaging-text', version: 1, currentVersion: 1 });
    expect(await world.trafficLists.get('e-plus', 'messaging-text')).toMatchObject({
      acknowledgedVersion: 1,
      acknowledgedAt: '2026-11-22T10:00:00.000Z',
    });
    expect(world.reports.at(-1)).toMatchObject({ type: 'traffic-list.acknowledged', correlator: 'c-1', resource: { version: 1 } });
    // Another partner's network is another network.
    expect(await world.trafficLists.get('cable-and-wireless', 'messaging-text')).not.toHaveProperty('acknowledgedVersion');
  });

  test('a version that was never published is refused, and nothing is noted', async () => {
    await expect(acknowledge(2)).rejects.toMatchObject({
      code: 'ZERO_RATING.VERSION_UNKNOWN',
      status: 422,
      errors: [{ pointer: '/version' }],
    });
    expect(await world.control.read.trafficListAcknowledgement.count()).toBe(0);
  });

  test('an older version is a rollback, and counts', async () => {
    world.sources.current = { origins: { ...ORIGINS, text: 'https://text2.chat.example' } };
    await world.trafficLists.publish();
    await acknowledge(2);
    expect(await acknowledge(1)).toMatchObject({ version: 1, currentVersion: 2 });
    expect(await world.trafficLists.get('e-plus', 'messaging-text')).toMatchObject({ version: 2, acknowledgedVersion: 1 });
  });

  test('an operator that stays behind is seen', async () => {
    await acknowledge(1);
    for (const text of ['https://b.chat.example', 'https://c.chat.example']) {
      world.sources.current = { origins: { ...ORIGINS, text } };
      await world.trafficLists.publish();
    }
    const lagging = await world.trafficLists.lagging(2);
    expect(lagging.filter(({ partnerId }) => partnerId === 'e-plus')).toEqual([
      { partnerId: 'e-plus', trafficClass: 'messaging-text', currentVersion: 3, acknowledgedVersion: 1 },
    ]);
    await acknowledge(3);
    expect((await world.trafficLists.lagging(2)).filter(({ partnerId }) => partnerId === 'e-plus')).toEqual([]);
  });
});

test('after close no timer is left', async () => {
  await world.start();
  await world.clock.advance(61_000);
  await world.close();
  expect(world.clock.pending()).toBe(0);
  world = await openWorld();
});
