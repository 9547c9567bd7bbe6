import type { Express } from 'express';
import type { Bus } from '../bus/index.js';
import type { Closable } from '../kernel/closing-stack.js';
import type { Log } from '../kernel/log.js';
import { createFindLines, type FindLinesOptions } from './find-lines.js';
import { createLines, type LinesOptions } from './lines.js';
import { createLive } from './live.js';
import { createPasswords } from './passwords.js';
import { mountRoutes } from './routes.js';
import { servePortal } from './serve-portal.js';
import { createSessions } from './sessions.js';
import { ensureUser, type NewUser } from './users.js';

export type { Role } from './roles.js';
export type { NewUser } from './users.js';

export interface AdminOptions extends LinesOptions, FindLinesOptions {
  bus: Bus;
  log: Log;
  publicUrl: string;
  environment: 'sandbox' | 'production';
  /** Where the built portal is; a page that says how to build it is served while it is not there. */
  portalFolder: string;
  /** What is published when the event log grew. */
  eventHint: string;
}

/** The portal: its pages under `/portal`, and the API that they use under `/admin/v1`. It is no part of the partner contract. */
export interface Admin extends Closable {
  /** Goes before the contract's own paths. */
  mount(app: Express): void;
  /** Puts a user there, with that password. */
  ensureUser(user: NewUser): Promise<void>;
  /** Ends the live pages, which would hold a drain up. */
  close(): Promise<void>;
}

export function createAdmin(options: AdminOptions): Admin {
  const { control, clock, bus, log } = options;
  const passwords = createPasswords();
  const sessions = createSessions(options);
  const live = createLive({ control, bus, clock, log, hint: options.eventHint, isSignedIn: sessions.holds });
  return {
    mount(app) {
      servePortal(app, options.portalFolder, options.environment);
      mountRoutes(app, { ...options, passwords, sessions, live, lines: createLines(options), findLines: createFindLines(options) });
    },
    ensureUser: (user) => ensureUser({ control, clock, passwords }, user),
    close: () => live.close(),
  };
}
