import { createBrowser } from './support/browser';
import { newestOrderOf } from './support/screens';
import { readWorld } from './support/world';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('a query is completed, run with the keyboard, and opened as a line that leads to its order', async () => {
  // Chromium itself reports an inline style when text replaces a selection, so the editor is empty.
  const page = await browser.open('/logs?q=%20');
  await page.getByRole('textbox', { name: 'Query', exact: true }).click();
  await page.keyboard.type('fields @timestamp, message, order_id | filter messa');
  await page.getByRole('option', { name: 'message', exact: true }).click();
  await page.keyboard.type(' = "order processed"');
  await page.keyboard.press('ControlOrMeta+Enter');
  await page.getByText(/matching lines; [\d,]+ lines/).waitFor();
  await page.waitForURL(/\/logs\?.*order(%20|\+)processed/);
  await page.getByRole('img', { name: 'Chart: Lines over time' }).locator('canvas').waitFor();
  await page.locator('main h1').click();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('link').click();
  await page.waitForURL('**/orders/*');
});

test('a saved query asks for its ID, and one of the operator is kept', async () => {
  const id = await newestOrderOf(readWorld());
  const page = await browser.open('/logs');
  const saved = page.getByRole('combobox', { name: 'Saved query' });
  await saved.selectOption('One order, every event');
  await page.getByRole('textbox', { name: 'ID of the order' }).fill(id);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  // A replay by another test processes the order again.
  await page.locator('[aria-label="Log lines"] tbody tr', { hasText: 'order processed' }).first().waitFor();
  await page.getByRole('textbox', { name: 'Name to save the query' }).fill('of one order');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.reload();
  await saved.selectOption('own of one order');
  await page.getByRole('textbox', { name: 'Query', exact: true }).getByText(id).waitFor();
});

test('Enter opens a line without links, and does not close it at once', async () => {
  const page = await browser.open(`/logs?q=${encodeURIComponent('fields @timestamp, message')}`);
  await page.locator('[aria-label="Log lines"] tbody tr').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  // A second key closes it: the first one did not.
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
});

test('an order has its log lines', async () => {
  const page = await browser.open(`/orders/${await newestOrderOf(readWorld())}?tab=logs`);
  // Qualia can have sent more than one webhook about it.
  await page.locator('[aria-label="Log lines"] tbody tr', { hasText: 'webhook accepted' }).first().waitFor();
});
