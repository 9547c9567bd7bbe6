import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWaitingRoom, type Waiting } from '../../src/sms/outbound/waiting-room.js';

let time = 0;
const now = () => time;
const a = (id: string, priority = 2, recipient = id, sender = 'S'): Waiting => ({ id, priority, recipient, sender });

describe('the room in which messages wait', () => {
  test('each class in the order of arrival, a higher one first', () => {
    const room = createWaitingRoom(now);
    for (const item of [a('n1', 3), a('c1'), a('u1', 1), a('c2'), a('o1', 0)]) room.add(item);
    expect(Array.from({ length: 6 }, () => room.next()?.id)).toEqual(['o1', 'u1', 'c1', 'n1', 'c2', undefined]);
  });

  test('a code passes a long queue at once, and the queue is not starved by codes', () => {
    const room = createWaitingRoom(now);
    for (let i = 0; i < 1_000; i++) room.add(a(`c${i}`));
    for (let i = 0; i < 100; i++) room.next();
    for (let i = 0; i < 1_000; i++) room.add(a(`o${i}`, 0));
    const taken = Array.from({ length: 500 }, () => room.next()?.id[0]);
    expect(taken[0]).toBe('o');
    const chats = taken.filter((kind) => kind === 'c').length;
    expect(chats).toBeGreaterThan(20);
    expect(chats).toBeLessThan(40);
  });

  test('one that waits for its next try holds up its handset’s own and lower classes, and nobody else', () => {
    time = 0;
    const room = createWaitingRoom(now);
    const first = a('c1', 2, 'her');
    for (const item of [first, a('c2', 2, 'her'), a('n1', 3, 'her'), a('x', 2, 'him')]) room.add(item);
    expect(room.next()).toBe(first);
    room.defer(first, 1_000);
    room.add(a('o1', 0, 'her'));
    expect([room.next()?.id, room.next()?.id, room.next()?.id]).toEqual(['o1', 'x', undefined]);
    room.release(a('o1', 0, 'her'));
    expect([room.next()?.id, room.nextDueAt()]).toEqual([undefined, 1_000]);
    time = 1_000;
    expect([room.next()?.id, room.next()?.id]).toEqual(['c1', undefined]);
    room.release(first);
    expect(room.next()?.id).toBe('c2');
  });

  test('a sender that has to wait holds up no other, and senders of a class take turns', () => {
    time = 0;
    const room = createWaitingRoom(now);
    for (const item of [a('a1', 2, '1', 'A'), a('a2', 2, '2', 'A'), a('b1', 2, '3', 'B'), a('b2', 2, '4', 'B')]) room.add(item);
    expect([room.next()?.id, room.next()?.id]).toEqual(['a1', 'b1']);
    room.holdSender('A', 500);
    expect([room.next()?.id, room.next()?.id]).toEqual(['b2', undefined]);
    time = 500;
    expect(room.next()?.id).toBe('a2');
  });

  test('one that is put back with its handset held goes when it may, before what came later', () => {
    time = 0;
    const room = createWaitingRoom(now);
    const first = a('c1', 2, 'her');
    room.add(first);
    room.add(a('o1', 0, 'her'));
    expect(room.next()?.id).toBe('o1');
    room.putBack(a('o1', 0, 'her'), 300);
    expect(room.next()).toBeUndefined();
    time = 300;
    expect(room.next()?.id).toBe('o1');
  });

  test('one goes at once only where nothing is before it', () => {
    const room = createWaitingRoom(now);
    expect(room.admit(a('c1', 2, 'her'))).toBe(true);
    expect(room.admit(a('c2', 2, 'her'))).toBe(false);
    expect(room.admit(a('c3', 2, 'him'))).toBe(true);
    room.add(a('u1', 1, 'them'));
    expect(room.admit(a('c4', 2, 'us'))).toBe(false);
    expect(room.admit(a('o1', 0, 'us'))).toBe(true);
    room.add(a('c2', 2, 'her'));
    expect([room.next()?.id, room.next()?.id]).toEqual(['u1', undefined]);
    room.release(a('c1', 2, 'her'));
    expect(room.next()?.id).toBe('c2');
  });

  test('whatever happens, nothing is lost or given out twice, each class of a handset keeps its order, and at most one is under way', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), priority: fc.integer({ min: 0, max: 3 }), recipient: fc.integer({ min: 0, max: 3 }), sender: fc.integer({ min: 0, max: 1 }) }),
      fc.record({ kind: fc.constantFrom('next' as const, 'next' as const, 'admit' as const), of: fc.nat(), priority: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constantFrom('release' as const, 'defer' as const, 'putBack' as const, 'remove' as const, 'hold' as const), of: fc.nat() }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 300 }) }),
    ); // biome-ignore format: one happening a line
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        time = 0;
        const room = createWaitingRoom(now);
        const waiting = new Map<string, Waiting>();
        const underWay: Waiting[] = [];
        const ended: Waiting[] = [];
        let made = 0;
        const item = (priority: number, recipient: number, sender: number) =>
          a(String(++made).padStart(4, '0'), priority, `r${recipient}`, `s${sender}`);
        const given = (next: Waiting) => {
          expect(underWay.map(({ recipient }) => recipient)).not.toContain(next.recipient);
          expect(waiting.delete(next.id)).toBe(true);
          // None of its handset and class that came before it waits.
          for (const other of waiting.values()) {
            if (other.recipient === next.recipient && other.priority === next.priority && other.sender === next.sender)
              expect(Number(other.id)).toBeGreaterThan(Number(next.id));
          }
          underWay.push(next);
        };
        const pick = (of: number) => underWay.splice(of % Math.max(1, underWay.length), 1)[0];
        for (const one of steps) {
          if (one.kind === 'add') {
            const fresh = item(one.priority, one.recipient, one.sender);
            waiting.set(fresh.id, fresh);
            room.add(fresh);
          } else if (one.kind === 'next') {
            const next = room.next();
            if (next) given(next);
          } else if (one.kind === 'admit') {
            const fresh = item(one.priority, one.of % 4, one.of % 2);
            if (!room.admit(fresh)) continue;
            waiting.set(fresh.id, fresh);
            given(fresh);
          } else if (one.kind === 'wait') time += one.ms;
          else if (one.kind === 'hold') room.holdSender(`s${one.of % 2}`, time + 100);
          else if (one.kind === 'remove') {
            const id = [...waiting.keys()][one.of % Math.max(1, waiting.size)];
            if (id !== undefined) expect(room.remove(id)).toBe(waiting.delete(id));
          } else {
            const chosen = pick(one.of);
            if (!chosen) continue;
            if (one.kind === 'release') ended.push(chosen);
            else waiting.set(chosen.id, chosen);
            if (one.kind === 'release') room.release(chosen);
            else if (one.kind === 'defer') room.defer(chosen, time + 100);
            else room.putBack(chosen, one.of % 2 ? time + 50 : undefined);
          }
          expect(room.size).toBe(waiting.size);
        }
        // In the end everything goes.
        for (let left = waiting.size + underWay.length; left > 0; left--) {
          time += 1_000;
          for (const one of underWay.splice(0)) room.release(one);
          for (let next = room.next(); next; next = room.next()) given(next);
        }
        expect(waiting.size).toBe(0);
        expect(room.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
