import { createBrowser } from './support/browser';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('a worker is paused and resumed, which the other screens show', async () => {
  const page = await browser.open('/queues');
  const row = page.locator('.pause-row', { hasText: 'processing' });
  await row.getByRole('button', { name: 'Pause for 4h', exact: true }).click();
  await row.getByRole('button', { name: 'Resume', exact: true }).waitFor();
  await page.getByRole('link', { name: 'Now' }).click();
  await page
    .locator('.banner', { hasText: 'processing is paused' })
    .getByRole('link', { name: 'Resume', exact: true })
    .click();
  await row.getByRole('button', { name: 'Resume', exact: true }).click();
  await row.getByRole('button', { name: 'Pause for 4h', exact: true }).waitFor();

  await page.getByRole('link', { name: 'Actions' }).click();
  const newest = page.locator('table[aria-label="Actions"] tbody tr').first();
  await newest.getByText('resume', { exact: true }).waitFor();
});
