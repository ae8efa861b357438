import { createBrowser } from './support/browser';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('a sample is sent, and a refused body that was kept is sent again', async () => {
  const page = await browser.open('/webhooks?period=3h');
  await page.getByRole('combobox', { name: 'Sample' }).selectOption('TX');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText(/^Response 200, order QO-\d+$/).waitFor();

  const body = page.locator('.bodies > li').first();
  await body.locator('.body-faults li').first().waitFor();
  await body.getByText('Structure, without values').click();
  expect(await body.locator('pre').innerText()).toMatch(/^body: /);
  await body.getByRole('button', { name: 'Accept again' }).click();
  await page.getByRole('region', { name: 'Tasks' }).getByText('0 of 1 accepted.').waitFor();
});
