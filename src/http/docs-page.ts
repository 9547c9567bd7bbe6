import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Express, RequestHandler, Response } from 'express';
import { ERROR_CODES } from '../kernel/error-codes.js';

/** Nothing from elsewhere, no inline script, no frame. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const DOCS_HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Causeway API</title>
    <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
  </head>
  <body>
    <main id="docs"><noscript>The contract itself is at <a href="/openapi.yaml">/openapi.yaml</a>.</noscript></main>
    <script src="/docs/assets/swagger-ui-bundle.js"></script>
    <script src="/docs/assets/start.js"></script>
  </body>
</html>
`;

const START_SCRIPT = `SwaggerUIBundle({ url: '/openapi.yaml', dom_id: '#docs', deepLinking: true, filter: true, validatorUrl: null });\n`;

const ASSETS: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

export const docsHeaders = { 'Content-Security-Policy': POLICY };

/**
 * Serves what the documentation page needs from the installed swagger-ui-dist, and the pages that error bodies link to.
 *
 * @param errorPagesFolder `docs/errors` of the deployment; undefined serves none.
 */
export function serveDocs(app: Express, errorPagesFolder: string | undefined): void {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const send = (response: Response, type: string, body: Buffer | string, cache = 'public, max-age=3600') =>
    response.set({ ...docsHeaders, 'Content-Type': type, 'Cache-Control': cache }).send(Buffer.from(body));
  for (const [name, type] of Object.entries(ASSETS)) {
    let bytes: Buffer | undefined;
    app.get(`/docs/assets/${name}`, (_request, response) => {
      bytes ??= readFileSync(join(folder, name));
      send(response, type, bytes);
    });
  }
  app.get('/docs/assets/start.js', (_request, response) => void send(response, 'text/javascript; charset=utf-8', START_SCRIPT));
  const errorPage: RequestHandler<{ code: string }> = (request, response, next) => {
    const { code } = request.params;
    const file = errorPagesFolder === undefined || !Object.hasOwn(ERROR_CODES, code) ? undefined : join(errorPagesFolder, `${code}.md`);
    if (file === undefined || !existsSync(file)) return next();
    send(response, 'text/plain; charset=utf-8', readFileSync(file));
  };
  app.get('/docs/errors/:code', errorPage);
}
