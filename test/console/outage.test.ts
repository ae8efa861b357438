import { postApi } from './support/api';
import { createBrowser } from './support/browser';
import { readWorld } from './support/world';

const browser = createBrowser();
afterEach(async () => {
  await postApi(readWorld(), '/rehearsals/internal', { is_down: false });
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('an outage is begun, seen, and ended without leaving the browser', async () => {
  const page = await browser.open('/queues');
  const outage = page.locator('.pause-row', { hasText: 'internal' });
  await outage.getByRole('button', { name: 'Begin an outage' }).click();
  await outage.getByText('down').waitFor();

  await page.getByRole('link', { name: 'Webhooks', exact: true }).click();
  await page.getByRole('combobox', { name: 'Sample' }).selectOption('OH');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const sent = await page.getByText(/^Response 200, order QO-\d+$/).innerText();
  const orderId = sent.slice('Response 200, order '.length);

  await page.getByRole('link', { name: 'Orders', exact: true }).click();
  await page.getByRole('link', { name: 'Open', exact: true }).click();
  const waiting = page.locator('tbody tr', { hasText: orderId });
  // From the second receive on, its circuit can be open.
  await waiting.getByText(/API_UNAVAILABLE|circuit is open/).waitFor();

  await page.getByRole('link', { name: 'Queues', exact: true }).click();
  await outage.getByRole('button', { name: 'End the outage' }).click();
  await outage.getByRole('button', { name: 'Begin an outage' }).waitFor();
  await page.goto(`${new URL(page.url()).origin}/orders/${orderId}`);
  await page.locator('main').getByText('PROCESSED').first().waitFor();
});
