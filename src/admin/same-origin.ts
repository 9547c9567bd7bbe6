import type { Request } from 'express';
import { GatewayError } from '../kernel/errors.js';

/** Names of this machine that a browser may use for one listener on loopback. */
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** The origins that the portal's pages come from: the public URL's, and on loopback its other names. */
export function portalOrigins(publicUrl: string): ReadonlySet<string> {
  const url = new URL(publicUrl);
  if (!LOOPBACK.includes(url.hostname)) return new Set([url.origin]);
  const port = url.port && `:${url.port}`;
  return new Set([url.origin, ...LOOPBACK.map((host) => `${url.protocol}//${host}${port}`)]);
}

/**
 * Refuses a write that another site's page may have made. Browsers send `Origin` with every POST and DELETE of a page
 * (Fetch §3.2), and `Sec-Fetch-Site` where they know it; a script cannot forge either. A request without `Origin` is
 * refused too: the portal's own pages never send one.
 *
 * @throws GatewayError `PORTAL.CROSS_SITE`.
 */
export function requireSameOrigin(request: Request, origins: ReadonlySet<string>): void {
  const site = request.get('sec-fetch-site');
  if (origins.has(request.get('origin') ?? '') && (site === undefined || site === 'same-origin')) return;
  throw new GatewayError('PORTAL.CROSS_SITE', {
    detail: 'The request did not come from a page of this portal.',
    hint: 'Open the portal at its own address and try again.',
  });
}
