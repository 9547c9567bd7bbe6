import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Express, Request, Response } from 'express';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/**
 * Nothing from elsewhere, no inline script, no frame. The component library puts style elements into the page; they carry
 * the nonce, which is new for each page.
 */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Causeway portal</title></head>
<body><main><h1>The portal has not been built</h1><p>Run <code>node tools/build.mjs</code> and load this page again.</p></main></body></html>
`;

interface Asset {
  bytes: Buffer;
  zipped: Buffer | undefined;
  etag: string;
}

/**
 * Serves the built portal: `assets/*` have their content's hash in the name and are kept for ever; `index.html` answers
 * every other path below `/portal`, since the page reads its place from the URL, and is never kept.
 *
 * @param folder of the build; read at the first request, so that a rebuilt portal needs a restart and a missing one does no harm.
 */
export function servePortal(app: Express, folder: string, environment: string): void {
  let names: ReadonlySet<string> | undefined;
  const assets = new Map<string, Asset>();

  function assetOf(name: string): Asset | undefined {
    names ??= existsSync(folder) ? new Set(namesBelow(folder)) : undefined;
    // Only names that were found in the folder are ever opened.
    if (!names?.has(name)) return undefined;
    let asset = assets.get(name);
    if (!asset) {
      const bytes = readFileSync(join(folder, name));
      const zipped = /\.(html|js|css|svg)$/.test(name) ? gzipSync(bytes, { level: 9 }) : undefined;
      asset = { bytes, zipped, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
      assets.set(name, asset);
    }
    return asset;
  }

  function sendAsset(request: Request, response: Response, name: string): boolean {
    const asset = assetOf(name);
    if (!asset) return false;
    const { bytes, zipped, etag } = asset;
    response.set({
      'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
      'Cache-Control': name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: etag,
      Vary: 'Accept-Encoding',
    });
    if (request.get('if-none-match') === etag) return Boolean(response.status(304).end());
    if (!zipped || !request.acceptsEncodings('gzip')) return Boolean(response.send(bytes));
    return Boolean(response.set('Content-Encoding', 'gzip').send(zipped));
  }

  function sendPage(response: Response): void {
    const nonce = randomBytes(16).toString('base64');
    const page = assetOf('index.html');
    response.set({ 'Content-Security-Policy': policy(nonce), 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
    if (page) response.send(Buffer.from(page.bytes.toString('utf8').replaceAll('%NONCE%', nonce).replaceAll('%ENVIRONMENT%', environment)));
    else response.status(503).send(Buffer.from(NOT_BUILT));
  }

  app.get(['/portal', '/portal/', '/portal/*path'], (request, response, next) => {
    response.locals['operationId'] = 'portal';
    const name = request.path.slice('/portal/'.length);
    if (name !== '' && name !== 'index.html' && sendAsset(request, response, name)) return;
    // A file that is not there is not a page: the build that it was of is gone.
    if (/\.[a-z0-9]{2,5}$/.test(name) && name !== 'index.html') return next();
    sendPage(response);
  });
}

function namesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}
