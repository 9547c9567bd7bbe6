import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** How a partner's programs reach the sandbox. */
export interface PartnerCredentials {
  clientId: string;
  clientSecret: string;
  /** An account at our own SMPP listener; absent for partners without one. */
  smpp?: { host: string; port: number; systemId: string; password: string };
}

export interface SandboxCredentials {
  partners: Record<string, PartnerCredentials>;
  /** Who signs in to the portal, where. */
  portal: { url: string; email: string; password: string };
}

export const CREDENTIALS_FILE = 'sandbox-credentials.json';

/** 32 random bytes within `[A-Za-z0-9_-]`, which HTTP Basic carries unescaped. */
const newSecret = () => randomBytes(32).toString('base64url');

/** 120 random bits: what a person may have to type. */
const PASSWORD_LENGTH = 20;

/**
 * The demo partners' credentials and the portal's: those of `<dataDir>/sandbox-credentials.json`, with new ones for
 * whoever is not in it. The file is whole and on the disk before this returns, and before anything accepts the secrets, so that a crash
 * never leaves a secret that nobody knows. Deleting the file and starting again makes new secrets.
 */
export function ensureCredentials(
  dataDir: string,
  wanted: readonly PartnerCredentialsRequest[],
  portal: { url: string; email: string },
): SandboxCredentials {
  const known = readCredentials(dataDir);
  const partners: Record<string, PartnerCredentials> = {};
  for (const { partnerId, clientId, smpp } of wanted) {
    const clientSecret = known?.partners[partnerId]?.clientId === clientId ? known.partners[partnerId].clientSecret : newSecret();
    partners[partnerId] = { clientId, clientSecret, ...(smpp && { smpp }) };
  }
  const password = (known?.portal?.email === portal.email && known.portal.password) || newSecret().slice(0, PASSWORD_LENGTH);
  const credentials: SandboxCredentials = { partners, portal: { ...portal, password } };
  if (JSON.stringify(known) !== JSON.stringify(credentials))
    writeWhole(join(dataDir, CREDENTIALS_FILE), `${JSON.stringify(credentials, null, 2)}\n`);
  return credentials;
}

export interface PartnerCredentialsRequest {
  partnerId: string;
  clientId: string;
  smpp?: PartnerCredentials['smpp'];
}

/** A file of an older program names no portal. */
type StoredCredentials = Pick<SandboxCredentials, 'partners'> & Partial<SandboxCredentials>;

/** @returns undefined when the file is absent or not ours: new credentials are made then. */
export function readCredentials(dataDir: string): StoredCredentials | undefined {
  try {
    const parsed = JSON.parse(readFileSync(join(dataDir, CREDENTIALS_FILE), 'utf8')) as StoredCredentials;
    return typeof parsed.partners === 'object' && parsed.partners !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function writeWhole(file: string, text: string): void {
  const handle = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(`${file}.new`, file);
}
