import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's `tshark`: Wireshark's reading of SMPP. */
const isRequired = (process.env['CAUSEWAY_REQUIRE'] ?? '').split(',').includes('tshark');

/** Why the tests with tshark are not run here, or undefined when they are. `CAUSEWAY_REQUIRE` naming tshark runs them anyhow. */
export const skipReason = isRequired || spawnSync('tshark', ['--version']).status === 0 ? undefined : 'skipped: no tshark on the path';
if (skipReason) process.stderr.write(`${skipReason}\n`);

/** One PDU as tshark reads it. */
export interface Dissected {
  /** Each value of a field that was asked for; empty where the PDU has none. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** What it complains of: malformed, or an expert's note of severity "warning" or "error". */
  readonly complaints: readonly string[];
}

/** A file of "exported PDUs": each packet says which dissector it is for, so that no TCP has to be made up around it. */
const PCAP_HEADER = Buffer.from('d4c3b2a1020004000000000000000000000004 00fc000000'.replace(' ', ''), 'hex');
const FOR_SMPP = Buffer.from('000c0004736d7070 00000000'.replace(' ', ''), 'hex');
const SEVERITY_WARNING = 0x0060_0000;
const SEPARATOR = '\u001f';

/** Lets tshark read each of these PDUs. @throws when it does not run. */
export function dissect(pdus: readonly Buffer[], fields: readonly string[]): Dissected[] {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-tshark-'));
  const file = join(folder, 'pdus.pcap');
  const packets = pdus.flatMap((pdu) => {
    const header = Buffer.alloc(16);
    const length = FOR_SMPP.length + pdu.length;
    header.writeUInt32LE(length, 8);
    header.writeUInt32LE(length, 12);
    return [header, FOR_SMPP, pdu];
  });
  writeFileSync(file, Buffer.concat([PCAP_HEADER, ...packets]));
  const wanted = [...fields, '_ws.malformed', '_ws.expert.severity', '_ws.expert.message'];
  const options = [
    '-o',
    'smpp.decode_sms_over_smpp:GSM 7-bit',
    '-T',
    'fields',
    '-E',
    'occurrence=a',
    '-E',
    `aggregator=${SEPARATOR}`,
    ...wanted.flatMap((field) => ['-e', field]),
  ];
  try {
    const { status, stdout, stderr } = spawnSync('tshark', ['-n', '-r', file, ...options], { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`tshark: ${stderr}`);
    const lines = stdout.replace(/\n$/, '').split('\n');
    if (lines.length !== pdus.length) throw new Error(`tshark read ${lines.length} of ${pdus.length} PDUs: ${stderr}`);
    return lines.map((line) => readLine(line, fields));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readLine(line: string, fields: readonly string[]): Dissected {
  const cells = line.split('\t').map((cell) => (cell === '' ? [] : cell.split(SEPARATOR)));
  const [malformed = [], severities = [], messages = []] = cells.slice(fields.length);
  const warnings = messages.filter((_, i) => Number(severities[i]) >= SEVERITY_WARNING);
  return { fields: Object.fromEntries(fields.map((field, i) => [field, cells[i] ?? []])), complaints: [...malformed, ...warnings] };
}
