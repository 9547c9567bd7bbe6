/**
 * A gateway that can be told to kill itself: right after one of its commits is durable and before whoever asked for the
 * commit is told. Run by the crash harness, which talks to it over IPC:
 *
 * - `{ kill: { boundary, nth } }` arms it: recording begins anew, and the nth crossing of that boundary is its end;
 * - `{ report: true }` is answered with `{ crossed: [boundary, …] }`, in their order since the recording began.
 *
 * The first argument is such a message as JSON, for boundaries that a start crosses.
 */
import { closeSync, openSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGateway } from '../../dist/build.js';
import { readConfig } from '../../dist/config/index.js';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

let armed = JSON.parse(process.argv[2] ?? '{}').kill;
let crossed = [];

/** Of several that are to die at one boundary only the first does: the one that makes the file. */
function isFirst(file) {
  if (file === undefined) return true;
  try {
    closeSync(openSync(file, 'wx'));
    return true;
  } catch {
    return false;
  }
}

function cross(boundary) {
  crossed.push(boundary);
  if (armed?.boundary === boundary && --armed.nth === 0 && isFirst(armed.file)) process.kill(process.pid, 'SIGKILL');
}

process.on('message', (message) => {
  if (message.report) process.send({ crossed });
  else {
    armed = message.kill;
    crossed = [];
    process.send({ armed: true });
  }
});

/** A writer answers by calling `settle`, once for all callers of a batch: nobody has been told of the commit before it. */
function watchMessages(messages) {
  const watched = new WeakMap();
  function watch(operation) {
    const settle = (items, rows) => {
      cross(`messages.db ${operation.name}`);
      return operation.settle(items, rows);
    };
    const own = watched.get(operation) ?? { ...operation, settle };
    watched.set(operation, own);
    return own;
  }
  return {
    run(operation, item) {
      // Not a commit: what the operation is to record has happened elsewhere, and nothing here knows of it yet.
      cross(`before messages.db ${operation.name}`);
      return messages.run(watch(operation), item);
    },
    read: (sql, parameters) => messages.read(sql, parameters),
    waiting: () => messages.waiting(),
  };
}

/** The hints of a transaction come after its crossing, as everything else that knows of its commit does. */
function watchControl(control) {
  return {
    ...control,
    async transact(work, options) {
      const boundary = `gateway.db ${callSite()}`;
      const hints = [];
      const result = await control.transact((tx) => work(tx, { afterCommit: (hint) => hints.push(hint) }), options);
      cross(boundary);
      for (const hint of hints) hint();
      return result;
    },
  };
}

/** Who asked for the transaction: `provisioning/tasks.js confirm`, or with its line where the function has no name. */
function callSite() {
  for (const frame of (new Error().stack ?? '').split('\n').slice(1)) {
    const [, name, url, line] = /^\s*at (?:(?:async )?(\S+) .*?\()?(file:[^)]+?):(\d+):\d+\)?$/.exec(frame) ?? [];
    const file = url && relative(dist, fileURLToPath(url));
    if (!file || file.startsWith('..')) continue;
    return `${file} ${name && !name.includes('<anonymous>') ? name.replace(/^.*\./, '') : `line ${line}`}`;
  }
  return 'unknown';
}

const gateway = await buildGateway(readConfig(process.env), process.env, {
  wrapStore: (store) => ({
    ...store,
    control: watchControl(store.control),
    messages: watchMessages(store.messages),
  }),
});
process.stdout.write(`Causeway serves at ${gateway.url}\n`);

async function stop() {
  await gateway.close();
  process.exit(0);
}
process.on('SIGTERM', () => void stop());
// The test is gone: nobody will ever stop this one.
process.on('disconnect', () => void stop());
