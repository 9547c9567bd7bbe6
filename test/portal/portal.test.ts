import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { confirmLine, type MadeLine, pendingLine } from '../admin/lines.js';
import { portalCredentials } from '../admin/portal-client.js';
import type { ApiClient } from '../fakes/api-client.js';
import { startTestGateway, type TestGateway } from '../fakes/gateway.js';
import { accessibilityProblems, openBrowser, skipReason, type TestBrowser } from './browser.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

if (skipReason !== undefined) process.stderr.write(`portal in a browser: ${skipReason}\n`);

describe.skipIf(skipReason !== undefined)(`the portal in a browser${skipReason === undefined ? '' : ` (${skipReason})`}`, () => {
  let gateway: TestGateway;
  let browser: TestBrowser;
  let api: ApiClient;
  let line: MadeLine;
  let credentials: ReturnType<typeof portalCredentials>;

  beforeAll(async () => {
    gateway = await startTestGateway();
    api = await gateway.as();
    line = await pendingLine(api);
    credentials = portalCredentials(gateway.dataDir);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  async function signIn(page: Page): Promise<void> {
    await page.goto(credentials.url);
    await page.getByLabel('E-mail').fill(credentials.email);
    await page.getByRole('textbox', { name: 'Password' }).fill(credentials.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'What happened to a line?' }).waitFor();
  }
  /** What a paste does; the clipboard itself is not to be had in a browser without a window. */
  async function paste(page: Page, text: string): Promise<void> {
    await page.keyboard.press('Control+k');
    await page.evaluate(`{
      const data = new DataTransfer();
      data.setData('text', ${JSON.stringify(text)});
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    }`);
  }
  const picture = (page: Page, name: string) => page.screenshot({ path: `${browser.pictures}/${name}.png`, fullPage: true });
  const setScheme = (page: Page, scheme: 'light' | 'dark') => page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });

  async function expectAccessible(page: Page, name: string): Promise<void> {
    for (const scheme of ['light', 'dark'] as const) {
      await setScheme(page, scheme);
      await page.locator(`:root[data-mantine-color-scheme="${scheme}"]`).waitFor();
      await picture(page, `${name}-${scheme}`);
      expect(await accessibilityProblems(page), `${name}, ${scheme}`).toEqual([]);
    }
  }

  test('a pasted number leads to its line, and what happens to the line meanwhile appears by itself', async () => {
    const { page, problems } = await browser.open();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await signIn(page);
    await paste(page, line.msisdn);
    await page.waitForURL(`${credentials.url}/lines/${line.subscriptionId}`);
    await page.getByText('task.awaiting-operator').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.evaluate('window.notReloaded = true');

    await confirmLine(api, line);
    await page.getByText('subscription.active').waitFor();
    await page.getByText('order.completed').waitFor();
    await page.locator('.card .status', { hasText: 'Active' }).first().waitFor();
    expect(await page.evaluate('window.notReloaded')).toBe(true);
    expect(await page.getByRole('status').first().textContent()).toMatch(/new step/);

    expect(asked.filter((url) => !url.startsWith(`${gateway.url}/`))).toEqual([]);
    expect(asked.join('\n')).not.toContain(line.msisdn.slice(1));
    expect(problems).toEqual([]);
  });

  test('numbers are masked until somebody asks for them, and are masked again after a minute', async () => {
    const { page } = await browser.open();
    await page.clock.install();
    await signIn(page);
    await paste(page, line.iccid);
    const heading = page.getByRole('heading', { level: 1 });
    await page.getByRole('button', { name: 'Show numbers' }).waitFor();
    for (const number of [line.msisdn, line.iccid, line.imsi]) expect(await page.content()).not.toContain(number);
    await page.getByRole('button', { name: 'Show numbers' }).click();
    await vi.waitFor(async () => expect(await heading.textContent()).toBe(line.msisdn), { timeout: 10_000 });
    await page.getByText(/Hidden again in \d+ s/).waitFor();
    await page.clock.runFor(61_000);
    await page.getByRole('button', { name: 'Show numbers' }).waitFor();
    for (const number of [line.msisdn, line.iccid, line.imsi]) expect(await page.content()).not.toContain(number);
  });

  test('axe finds nothing wrong with any view, light or dark, and neither do the people who look at the pictures', async () => {
    const { page, problems } = await browser.open({ reducedMotion: 'reduce' });
    await page.goto(credentials.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await expectAccessible(page, 'sign-in');
    await page.getByLabel('E-mail').fill(credentials.email);
    await page.getByRole('textbox', { name: 'Password' }).fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('is not right').waitFor();
    await expectAccessible(page, 'sign-in-refused');
    await signIn(page);
    await page.locator('.lines li').first().waitFor();
    await expectAccessible(page, 'home');
    await paste(page, '+999570000000');
    await page.getByText('No line has this.').waitFor();
    await expectAccessible(page, 'nothing-found');
    await paste(page, line.orderId);
    await page.getByText('Live', { exact: true }).waitFor();
    await expectAccessible(page, 'line');
    await page.getByRole('button', { name: 'Show numbers' }).click();
    await page.getByText(/Hidden again/).waitFor();
    await page.getByRole('button', { name: 'Settings and account' }).click();
    await page.getByRole('radio', { name: 'Deutsch' }).waitFor();
    await expectAccessible(page, 'settings');
    await page.getByRole('radio', { name: 'Deutsch' }).check();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Verlauf' }).waitFor();
    await expectAccessible(page, 'line-german');
    expect(problems).toEqual([]);
  });

  test('on a phone of 360 pixels nothing has to be scrolled sideways', async () => {
    const { page } = await browser.open({ viewport: { width: 360, height: 740 }, reducedMotion: 'reduce', hasTouch: true });
    const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
    await page.goto(credentials.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await overflow()).toBe(0);
    await signIn(page);
    await page.locator('.lines li').first().waitFor();
    expect(await overflow()).toBe(0);
    await picture(page, 'phone-home');
    await page.locator('.lines a').first().click();
    await page.getByText('task.awaiting-operator').waitFor();
    expect(await overflow()).toBe(0);
    await picture(page, 'phone-line');
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test('the keyboard alone is enough: from the sign-in to a line and out again', async () => {
    const { page } = await browser.open();
    await page.goto(credentials.url);
    await page.getByLabel('E-mail').waitFor();
    await page.keyboard.type(credentials.email);
    await page.keyboard.press('Tab');
    await page.keyboard.type(credentials.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What happened to a line?' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(line.simId);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/lines/${line.subscriptionId}`);
    await page.reload();
    await page.getByText('task.awaiting-operator').waitFor();
    await page.getByRole('button', { name: 'Settings and account' }).focus();
    await page.keyboard.press('Enter');
    const signOut = page.getByRole('button', { name: 'Sign out' });
    await signOut.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  test('a session that ends elsewhere closes the page, and a gateway that goes away is said so', async () => {
    const { page, context } = await browser.open();
    await signIn(page);
    await page.route('**/admin/v1/subscriptions', (route) => route.abort());
    await page.reload();
    await page.getByText('The gateway does not answer').waitFor({ timeout: 30_000 });
    await picture(page, 'offline');
    await page.unroute('**/admin/v1/subscriptions');
    await context.clearCookies();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
});

describe('what the portal weighs and allows', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(async () => gateway?.close());

  test('the first view is under 200 KB as it goes over the wire', async () => {
    const html = await (await fetch(`${gateway.url}/portal`)).text();
    const parts = [...html.matchAll(/(?:src|href)="(\/portal\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(parts.length).toBeGreaterThanOrEqual(3);
    let bytes = gzipSync(html).length;
    for (const path of parts) {
      const response = await fetch(`${gateway.url}${path}`, { headers: { 'accept-encoding': 'gzip' } });
      expect(response.status, path).toBe(200);
      const encoded = Number(response.headers.get('content-length'));
      expect(response.headers.get('content-encoding'), path).toBe('gzip');
      bytes += encoded;
    }
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(200_000);
  });

  test('the page is never kept, its hashed parts for ever, and its policy allows no inline script', async () => {
    for (const path of ['/portal', '/portal/', '/portal/lines/sub_00000000000000000000000000', '/portal/index.html']) {
      const page = await fetch(`${gateway.url}${path}`);
      expect(page.status, path).toBe(200);
      expect(page.headers.get('cache-control'), path).toBe('no-store');
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toContain('unsafe');
      const html = await page.text();
      expect(html).not.toMatch(/<script(?![^>]* src=)/);
      expect(policy).toContain(/name="causeway-nonce" content="([^"]+)"/.exec(html)?.[1]);
      const asset = /src="(\/portal\/assets\/[^"]+)"/.exec(html)?.[1] ?? '';
      const { headers } = await fetch(`${gateway.url}${asset}`, { method: 'HEAD' });
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    }
  });

  test('a file that the build does not have is 404, whatever the path', async () => {
    for (const path of ['/portal/assets/gone-123.js', '/portal/..%2f..%2fpackage.json', '/portal/assets/..%2findex.js'])
      expect((await fetch(`${gateway.url}${path}`)).status, path).toBe(404);
  });
});
