import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../fakes/api-client.js';

export interface PortalAnswer {
  status: number;
  headers: Headers;
  body: Json;
}

/** A browser's page as the portal's API sees it: its origin on every write, and the cookie that it was given. */
export interface PortalClient {
  cookie: string | undefined;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<PortalAnswer>;
  signIn(email: string, password: string): Promise<PortalAnswer>;
}

export function createPortalClient(url: string): PortalClient {
  const client: PortalClient = {
    cookie: undefined,
    async call(method, path, body, headers) {
      const response = await fetch(`${url}/admin/v1${path}`, {
        method,
        headers: {
          ...(client.cookie !== undefined && { cookie: client.cookie }),
          ...(method !== 'GET' && { origin: url, 'sec-fetch-site': 'same-origin' }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const [given] = response.headers.getSetCookie();
      if (given !== undefined) client.cookie = given.includes('Max-Age=0') ? undefined : given.split(';')[0];
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
    },
    signIn: (email, password) => client.call('POST', '/session', { email, password }),
  };
  return client;
}

/** Who signs in to the sandbox's portal. */
export function portalCredentials(dataDir: string): { url: string; email: string; password: string } {
  return (JSON.parse(readFileSync(join(dataDir, 'sandbox-credentials.json'), 'utf8')) as Json).portal;
}
