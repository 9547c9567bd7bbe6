import type { Clock } from '../kernel/clock.js';
import { isGatewayError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import { type Periodic, runPeriodically } from '../kernel/periodic.js';
import type { ControlStore } from '../store/index.js';
import { behaviourOf, magicNumbers } from './magic-numbers.js';

export interface SandboxNetworkOptions {
  control: Pick<ControlStore, 'read'>;
  clock: Clock;
  log: Log;
  /** Rejects the task in the name of its partner, as the operator's system would over the API. */
  reject(taskId: string, reason: string, partnerId: string): Promise<void>;
}

export const REFUSAL = 'The simulated network refuses to activate this number.';

const SWEEP_MS = 1_000;
const PAGE = 200;
const SUFFIX = magicNumbers.find(({ name }) => name === 'activationRefused')?.suffix ?? '';

/**
 * The simulated operator's network: it refuses to activate the magic numbers ending in 000120. Every other task waits
 * for the operator's system, which confirms or rejects it over the API.
 */
export function startSandboxNetwork({ control, clock, log, reject }: SandboxNetworkOptions): Periodic {
  async function pass(): Promise<void> {
    for (let after = ''; ; ) {
      const tasks = await control.read.task.findMany({
        where: { status: 'awaitingOperator', msisdn: { endsWith: SUFFIX }, id: { gt: after } },
        select: { id: true, msisdn: true, partnerId: true },
        orderBy: { id: 'asc' },
        take: PAGE,
      });
      for (const { id, msisdn, partnerId } of tasks) {
        if (behaviourOf(msisdn) === 'activationRefused') await refuse(id, partnerId);
      }
      const last = tasks.at(-1);
      if (!last || tasks.length < PAGE) return;
      after = last.id;
    }
  }

  /** One task that cannot be rejected must not keep the others waiting. */
  async function refuse(taskId: string, partnerId: string): Promise<void> {
    try {
      await reject(taskId, REFUSAL, partnerId);
    } catch (failure) {
      // Somebody decided it in between.
      if (isGatewayError(failure, 'INCOMPATIBLE_STATE')) return;
      log.error({ taskId, err: failure }, 'the sandbox network could not reject a task');
    }
  }

  return runPeriodically({ name: 'sandbox network', everyMs: SWEEP_MS, clock, log }, pass);
}
