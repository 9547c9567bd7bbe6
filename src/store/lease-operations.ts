import { defineOperation, settleNothing } from './operation.js';

const str = (name: string): string => `b.value ->> '${name}'`;

/** Takes a lease that is free, or from the owner and beat that were seen. Answers whether `owner` has it now. */
export const takeLease = defineOperation<{ name: string; owner: string; fromOwner: string; fromBeat: number }, boolean>({
  name: 'leases.take',
  statements: [
    `UPDATE node_lease AS l SET owner = ${str('owner')}, beat = l.beat + 1, detail = ''
     FROM :batch
     WHERE l.name = ${str('name')} AND l.owner = ${str('fromOwner')} AND l.beat = CAST(${str('fromBeat')} AS BIGINT)`,
    `INSERT INTO node_lease (name, owner, beat, detail)
     SELECT ${str('name')}, ${str('owner')}, 0, '' FROM :batch WHERE true ON CONFLICT DO NOTHING`,
    `SELECT b.key AS place FROM :batch JOIN node_lease l ON l.name = ${str('name')} AND l.owner = ${str('owner')}`,
  ],
  settle: (items, rows) => {
    const ours = new Set(rows[2]?.map((row) => Number(row['place'])));
    return items.map((_, place) => ours.has(place));
  },
});

/** Shows that the owner lives. Answers whether it still has the lease. */
export const renewLease = defineOperation<{ name: string; owner: string; detail: string }, boolean>({
  name: 'leases.renew',
  statements: [
    `UPDATE node_lease AS l SET beat = l.beat + 1, detail = ${str('detail')} FROM :batch
     WHERE l.name = ${str('name')} AND l.owner = ${str('owner')} RETURNING name`,
  ],
  settle: (items, [renewed]) => {
    const ours = new Set(renewed?.map((row) => row['name']));
    return items.map(({ name }) => ours.has(name));
  },
});

export const dropLease = defineOperation<{ name: string; owner: string }, undefined>({
  name: 'leases.drop',
  statements: [`DELETE FROM node_lease WHERE (name, owner) IN (SELECT ${str('name')}, ${str('owner')} FROM :batch)`],
  settle: settleNothing,
});
