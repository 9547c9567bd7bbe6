import { portProblems, type UsableOptions } from '../../config/index.js';
import { type Check, fail, ok, warn } from './check.js';

const ANSWER_MS_MAX = 3_000;

interface Readiness {
  status?: string;
  notReady?: string[];
  links?: { partnerId: string; id: string; binds: { id: string; state: string; reason?: string }[] }[];
}

/** Whether the ports are ours to take, or served by our gateway; and then how its dependencies and links do. */
export async function checkGateway(options: UsableOptions): Promise<Check[]> {
  const { CAUSEWAY_OPS_HOST: host, CAUSEWAY_OPS_PORT: port } = options;
  const readiness = host === undefined || port === undefined || port === 0 ? undefined : await askReadiness(host, port);
  if (readiness === undefined) {
    const problems = await portProblems(options);
    const ports = problems.map((problem) => {
      const [detail, fix] = problem.split('; fix: ');
      return fail('ports', detail ?? problem, fix ?? 'choose another port');
    });
    if (ports.length === 0) ports.push(ok('ports', 'free'));
    return [...ports, warn('gateway', 'does not run here, so its links were not asked', 'npm start, then npm run causeway -- doctor')];
  }
  const checks: Check[] = [ok('ports', 'served by this gateway')];
  const { notReady = [] } = readiness;
  checks.push(
    notReady.length === 0
      ? ok('gateway', 'runs and is ready')
      : fail('gateway', `runs and is not ready: ${notReady.join(', ')}`, 'its log says why; docs/runbooks/start.md has what to look at'),
  );
  for (const { partnerId, id, binds } of readiness.links ?? []) {
    const bound = binds.filter(({ state }) => state === 'bound').length;
    const name = `link ${partnerId}/${id}`;
    const reasons = [...new Set(binds.flatMap(({ reason }) => reason ?? []))].join(', ');
    const detail = `${bound} of ${binds.length} binds are up${reasons === '' ? '' : ` (${reasons})`}`;
    if (bound === binds.length) checks.push(ok(name, detail));
    else checks.push((bound === 0 ? fail : warn)(name, detail, 'docs/runbooks/dead-link.md'));
  }
  return checks;
}

/** @returns undefined when nobody answers there as our gateway does. */
async function askReadiness(host: string, port: number): Promise<Readiness | undefined> {
  const shown = host.includes(':') ? `[${host}]` : host;
  const reached = shown === '0.0.0.0' ? '127.0.0.1' : shown;
  try {
    const answer = await fetch(`http://${reached}:${port}/readyz?verbose`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const body = (await answer.json()) as Readiness;
    return typeof body.status === 'string' ? body : undefined;
  } catch {
    return undefined;
  }
}
