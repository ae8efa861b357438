import { createBrowser } from './support/browser';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('a period is in the address, and the figures can be copied', async () => {
  const page = await browser.open('/metrics');
  await page.getByRole('combobox', { name: 'Period' }).selectOption('3h');
  await page.waitForURL('**/metrics?period=3h');
  const webhooks = page.locator('.panel', { hasText: 'Webhooks' }).first();
  await webhooks.getByRole('img', { name: 'Chart: Webhooks' }).locator('canvas').waitFor();
  await webhooks.getByTitle('Copy the figures of Webhooks').click();
  // The clipboard of the browser can hold what another test copied.
  await page.waitForFunction(`navigator.clipboard.readText().then((text) => text.startsWith('time'))`);
  const lines = String(await page.evaluate('navigator.clipboard.readText()')).split('\n');
  expect(lines[0]).toBe('time\taccepted\tduplicate\trefused');
  expect(lines).toHaveLength(181);
});

test('an alarm shows its history and its drill', async () => {
  const page = await browser.open('/metrics');
  await page.getByRole('button', { name: 'History of orders-failed' }).click();
  await page.getByText('npm run drill -- orders-failed').waitFor();
  await page.locator('.alarm-detail li').first().waitFor();
});
