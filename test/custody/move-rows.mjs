// Moves rows from gateway.db to messages.db and back for as long as it runs: each is always in at least one of them.
import { join } from 'node:path';
import Database from 'better-sqlite3';

const [folder, count] = process.argv.slice(2);
const [control, messages] = ['gateway.db', 'messages.db'].map((name) => new Database(join(folder, name), { timeout: 5_000 }));
const intoControl = control.prepare("INSERT INTO control_outbox (id, topic, payload, createdAt) VALUES (?, 'test', '{}', 0)");
const intoMessages = messages.prepare("INSERT INTO outbox (id, topic, payload, created_at) VALUES (?, 'test', '{}', 0)");
const outOfControl = control.prepare('DELETE FROM control_outbox WHERE id = ?');
const outOfMessages = messages.prepare('DELETE FROM outbox WHERE id = ?');

const ids = Array.from({ length: Number(count) }, (_, index) => `row-${index}`);
for (const id of ids) intoControl.run(id);
process.send('moving');

let isOver = false;
process.on('message', () => {
  isOver = true;
});
while (!isOver) {
  for (const id of ids) {
    intoMessages.run(id);
    outOfControl.run(id);
  }
  for (const id of ids) {
    intoControl.run(id);
    outOfMessages.run(id);
  }
  await new Promise((resolve) => setImmediate(resolve));
}
process.disconnect();
