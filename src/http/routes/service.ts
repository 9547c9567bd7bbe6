import type { Contract } from '../contract.js';
import { DOCS_HTML, docsHeaders } from '../docs-page.js';
import type { PublicRoutes } from '../route.js';

/** What the service says of itself: that it answers, its documentation, and its contract. */
export function createServiceRoutes(contract: Contract): PublicRoutes {
  return {
    getHealth: { handle: async () => ({ status: 200, body: { status: 'ok' }, headers: { 'Cache-Control': 'no-store' } }) },
    getDocs: {
      handle: async () => ({ status: 200, body: DOCS_HTML, headers: { 'Content-Type': 'text/html; charset=utf-8', ...docsHeaders } }),
    },
    getContract: {
      handle: async () => ({ status: 200, body: contract.text, headers: { 'Content-Type': 'application/yaml; charset=utf-8' } }),
    },
  };
}
