/**
 * `npm run test:browser`: `/docs` and `/redoc` of the built server in a real headless Chromium. Fails on any error in the
 * console, any request to another host, and if a request sent from Swagger UI does not get its answer. CHROMIUM names
 * the browser; `--shots DIR` keeps pictures.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Browser, type Page } from 'playwright-core';
import { startBuiltServer } from '../support/built-server.ts';

const { values } = parseArgs({ options: { shots: { type: 'string' } } });
const PLACES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const WAIT_MS = 60_000;

/** What a page did that it must not do. */
const wrong: string[] = [];

async function visit(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(WAIT_MS);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(`${url}: console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`${url}: ${error.message}`));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (!['data:', 'blob:'].includes(asked.protocol) && asked.host !== new URL(url).host) {
      wrong.push(`${url}: asks ${asked.host}`);
    }
  });
  await page.goto(url);
  return page;
}

const shoot = async (page: Page, name: string): Promise<void> => {
  if (values.shots !== undefined) await page.screenshot({ path: join(values.shots, `${name}.png`) });
};

/** Authorises, opens detect-anomaly, sends its example and reads the answer, as a person would. */
async function sendFromSwagger(page: Page): Promise<string> {
  await page.click('button.authorize');
  await page.fill('.auth-container input[type=text]', 'dev_api_key');
  await page.click('.auth-btn-wrapper button.authorize');
  await page.click('.auth-btn-wrapper button.btn-done');
  const operation = page.locator('#operations-detection-post_detect_anomaly');
  await operation.locator('.opblock-summary-control').click();
  await operation.locator('button.try-out__btn').click();
  await operation.locator('button.execute').click();
  const live = operation.locator('.live-responses-table .response-col_status').last();
  await live.waitFor();
  await operation.locator('.live-responses-table').scrollIntoViewIfNeeded();
  await shoot(page, 'swagger-answer');
  return `${(await live.innerText()).trim()} ${await operation.locator('.live-responses-table pre').first().innerText()}`;
}

const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));
if (executablePath === undefined) throw new Error('there is no Chromium: install one, or name it in CHROMIUM');
const folder = mkdtempSync(join(tmpdir(), 'aegis-browser-'));
const server = await startBuiltServer(folder);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const docs = await visit(browser, `${server.url}/docs`);
  await docs.locator('.opblock').first().waitFor();
  const operations = await docs.locator('.opblock').count();
  const answer = await sendFromSwagger(docs);
  if (!answer.startsWith('200') || !answer.includes('is_anomaly'))
    wrong.push(`Swagger UI got: ${answer.slice(0, 300)}`);
  const reference = await visit(browser, `${server.url}/redoc`);
  await reference.locator('main section').first().waitFor();
  const sections = await reference.locator('main section').count();
  await shoot(reference, 'redoc');
  process.stdout.write(`/docs: ${operations} operations, a request sent and answered; /redoc: ${sections} sections\n`);
} finally {
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
for (const one of wrong) process.stderr.write(`WRONG ${one}\n`);
process.exitCode = wrong.length > 0 ? 1 : 0;
