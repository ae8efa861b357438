import { createBrowser, waitForCopied } from './support/browser';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('a period is in the address, and the figures can be copied', async () => {
  const page = await browser.open('/metrics');
  await page.getByRole('combobox', { name: 'Period' }).selectOption('3h');
  await page.waitForURL('**/metrics?period=3h');
  // The address changes before the screen, which can still show the period before.
  await page.locator('select:has(option[value="3h"]:checked)').waitFor();
  const webhooks = page.locator('.panel', { hasText: 'Webhooks' }).first();
  await webhooks.getByRole('img', { name: 'Chart: Webhooks' }).locator('canvas').waitFor();
  await webhooks.getByTitle('Copy the figures of Webhooks').click();
  const lines = (await waitForCopied(page, (text) => text.startsWith('time'))).split('\n');
  expect(lines[0]).toBe('time\taccepted\tduplicate\trefused');
  expect(lines).toHaveLength(181);
});

test('an alarm shows its history and its drill', async () => {
  const page = await browser.open('/metrics');
  await page.getByRole('button', { name: 'History of orders-failed' }).click();
  await page.getByText('npm run drill -- orders-failed').waitFor();
  await page.locator('.alarm-detail li').first().waitFor();
});
