import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const isRequired = (process.env['CAUSEWAY_REQUIRE'] ?? '').split(',').includes('chromium');

/** Why browser tests are not run here, or undefined when they are. With CAUSEWAY_REQUIRE naming chromium they always are. */
export const skipReason = existsSync(CHROMIUM) || isRequired ? undefined : `skipped: no Chromium at ${CHROMIUM}`;

export interface TestBrowser {
  /** A page in a context of its own: own cookies, own storage. */
  open(options?: BrowserContextOptions): Promise<{ page: Page; context: BrowserContext; problems: string[] }>;
  /** Where pictures go for people to look at. */
  pictures: string;
  close(): Promise<void>;
}

/** Debian's Chromium without a window, a profile, or anything that it would ask the network for by itself. */
export async function openBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  const pictures = process.env['PORTAL_PICTURES'] ?? mkdtempSync(join(tmpdir(), 'causeway-portal-'));
  return {
    pictures,
    async open(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (failure) => problems.push(failure.message));
      page.on('console', (message) => {
        // The browser itself writes a line for every refused request; a test says which refusals it expects.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) problems.push(message.text());
      });
      return { page, context, problems };
    },
    async close() {
      await browser.close();
      if (process.env['PORTAL_PICTURES'] === undefined) rmSync(pictures, { recursive: true, force: true });
    },
  };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds wrong with the page as it is now: rule and place. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Through the debugger and not as a script element, which the page's policy refuses.
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run(document)')) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
