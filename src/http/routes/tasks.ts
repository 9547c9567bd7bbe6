import { type Provisioning, showTask } from '../../provisioning/index.js';
import { filters, pageRequest } from '../list-query.js';
import type { PartnerRoutes } from '../route.js';

/** @param linesSettled resolves when every line change that was committed is in messages.db. */
export function createTaskRoutes({ tasks, linesSettled }: Pick<Provisioning, 'tasks'> & { linesSettled(): Promise<void> }): PartnerRoutes {
  return {
    listTasks: {
      async handle({ caller, query }) {
        const page = await tasks.list(caller, pageRequest(query), filters(query, 'status'));
        return { status: 200, body: { ...page, items: page.items.map(showTask) } };
      },
    },
    getTask: {
      async handle({ caller, params }) {
        return { status: 200, body: showTask(await tasks.get(caller, String(params['taskId']))) };
      },
    },
    confirmTask: {
      async act({ caller, correlator, params, body }, tx, hints) {
        const { confirmedAt, ...facts } = (body ?? {}) as { confirmedAt?: string; operatorReference?: string; imsi?: string };
        const confirmation = { ...facts, ...(confirmedAt !== undefined && { confirmedAt: new Date(confirmedAt) }) };
        const task = await tasks.confirm(tx, hints, { ...caller, correlator }, String(params['taskId']), confirmation);
        return { status: 200, body: showTask(task) };
      },
      // Whoever is told "confirmed" may register a phone on the line at once: the engine must know the line by then.
      after: () => linesSettled(),
    },
    rejectTask: {
      async act({ caller, correlator, params, body }, tx) {
        const facts = body as { reason: string; operatorReference?: string };
        return { status: 200, body: showTask(await tasks.reject(tx, { ...caller, correlator }, String(params['taskId']), facts)) };
      },
    },
  };
}
