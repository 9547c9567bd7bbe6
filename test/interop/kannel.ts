import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../tools/gateway/free-port.js';

export interface KannelOptions {
  /** Where our listener is. */
  port: number;
  systemId: string;
  password: string;
  /** More lines of `group = smsc`: `msg-id-type = 0x01`, `interface-version = 33` and so on. */
  smsc?: readonly string[];
}

/** What Kannel tells of a message: 1 delivered, 2 not delivered, 4 queued, 8 at the SMSC, 16 refused by it. */
export interface KannelReport {
  type: number;
  /** The name that the sender gave to its message. */
  of: string;
  /** The receipt's text, or what the SMSC answered. */
  answer: string;
}

export interface KannelMessage {
  from: string;
  to: string;
  text: string;
}

/** Kannel 1.4.5 as ESME: a bearerbox that binds to us, and a smsbox to send through. */
export interface Kannel {
  /** Sends a text from Kannel to us. @param of names it in the reports; asks for all of them. */
  send(message: { from: string; to: string; text: string; of?: string; coding?: 0 | 2 }): Promise<string>;
  readonly reports: readonly KannelReport[];
  /** Messages from handsets, as Kannel hands them to a service. */
  readonly messages: readonly KannelMessage[];
  /** Whether Kannel calls its link to us online. */
  isOnline(): Promise<boolean>;
  /** What both processes logged, for a test that fails. */
  logs(): string;
  /** Asks Kannel to go: it unbinds. Resolves when both processes have ended. */
  stop(): Promise<void>;
}

const ADMIN_PASSWORD = 'kannel';
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 15_000;
const LOOK_EVERY_MS = 50;

/** Starts bearerbox and smsbox in a folder of their own. @returns once both take connections. */
export async function startKannel({ port, systemId, password, smsc = [] }: KannelOptions): Promise<Kannel> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-kannel-'));
  const reports: KannelReport[] = [];
  const messages: KannelMessage[] = [];
  const callbacks = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const of = (name: string) => searchParams.get(name) ?? '';
    if (pathname === '/report') reports.push({ type: Number(of('type')), of: of('of'), answer: of('answer') });
    if (pathname === '/message') messages.push({ from: of('from'), to: of('to'), text: of('text') });
    response.end();
  });
  await new Promise<void>((resolve) => callbacks.listen(0, '127.0.0.1', resolve));
  const address = callbacks.address();
  const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const [adminPort, smsboxPort, sendPort] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, 'kannel.conf');
  writeFileSync(
    file,
    [
      ...['group = core', `admin-port = ${adminPort}`, `admin-password = ${ADMIN_PASSWORD}`, `smsbox-port = ${smsboxPort}`],
      ...['admin-interface = 127.0.0.1', 'smsbox-interface = 127.0.0.1', 'box-allow-ip = 127.0.0.1', 'admin-allow-ip = 127.0.0.1'],
      ...['log-level = 0', 'dlr-storage = internal', 'sms-combine-concatenated-mo = true', ''],
      ...['group = smsc', 'smsc = smpp', 'smsc-id = causeway', 'host = 127.0.0.1', `port = ${port}`, 'transceiver-mode = true'],
      ...[`smsc-username = ${systemId}`, `smsc-password = ${password}`, 'system-type = ""', 'reconnect-delay = 1'],
      ...['enquire-link-interval = 1', 'max-pending-submits = 10', ...smsc, ''],
      ...['group = smsbox', 'bearerbox-host = 127.0.0.1', `sendsms-port = ${sendPort}`, 'sendsms-interface = 127.0.0.1'],
      ...['mo-recode = true', ''],
      ...['group = sendsms-user', 'username = test', 'password = test', 'concatenation = true', 'max-messages = 10', ''],
      ...['group = sms-service', 'keyword = default', 'catch-all = true', 'max-messages = 0', 'concatenation = true'],
      `get-url = "${base}/message?from=%p&to=%P&text=%a"`,
      '',
    ].join('\n'),
  );
  const running: { child: ChildProcess; ended: Promise<void>; log: () => string }[] = [];

  function run(program: string): void {
    const child = spawn(`/usr/sbin/${program}`, ['-v', '0', file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (chunk: string) => void lines.push(chunk));
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('close', () => resolve());
    });
    running.push({ child, ended, log: () => `== ${program}\n${lines.join('')}` });
  }

  const logs = () => running.map(({ log }) => log()).join('\n');

  async function answers(what: number): Promise<void> {
    for (const end = performance.now() + START_MS_MAX; performance.now() < end; await pause()) if (await isListening(what)) return;
    throw new Error(`Kannel does not listen:\n${logs()}`);
  }

  async function stop(): Promise<void> {
    // The smsbox first: a bearerbox that goes waits for it.
    for (const { child, ended } of running.reverse()) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await ended;
      clearTimeout(timer);
    }
    callbacks.closeAllConnections();
    await new Promise((resolve) => callbacks.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    run('bearerbox');
    await answers(smsboxPort);
    run('smsbox');
    await answers(sendPort);
  } catch (failure) {
    await stop();
    throw failure;
  }

  return {
    reports,
    messages,
    logs,
    async send({ from, to, text, of, coding = 0 }) {
      const url = new URL(`http://127.0.0.1:${sendPort}/cgi-bin/sendsms`);
      const given = { username: 'test', password: 'test', from, to, text, charset: 'UTF-8', coding: String(coding) };
      for (const [name, value] of Object.entries(given)) url.searchParams.set(name, value);
      if (of !== undefined) {
        url.searchParams.set('dlr-mask', '31');
        url.searchParams.set('dlr-url', `${base}/report?type=%d&of=${of}&answer=%A`);
      }
      const response = await fetch(url);
      const answer = await response.text();
      if (!response.ok) throw new Error(`Kannel did not take it: ${response.status} ${answer}\n${logs()}`);
      return answer;
    },
    async isOnline() {
      const response = await fetch(`http://127.0.0.1:${adminPort}/status.txt?password=${ADMIN_PASSWORD}`);
      return /\(online/.test(await response.text());
    },
    stop,
  };
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, LOOK_EVERY_MS));

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
