import * as z from 'zod';
import { postApi, readApi } from './support/api';
import { createBrowser } from './support/browser';
import { readWorld } from './support/world';

const statusSchema = z.object({
  paused: z.object({ pauses: z.array(z.object({ part: z.string(), in_force: z.boolean() })) }),
});
/** A test that failed must not leave a paused worker to the others. */
const resumeAll = async (): Promise<void> => {
  const { paused } = statusSchema.parse(await readApi(readWorld(), '/status'));
  for (const { part, in_force } of paused.pauses) {
    if (in_force) await postApi(readWorld(), `/pauses/${part}/resume`, {});
  }
};

const browser = createBrowser();
afterEach(async () => {
  await resumeAll();
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('a worker is paused and resumed, which the other screens show', async () => {
  const page = await browser.open('/queues');
  const row = page.locator('.pause-row', { hasText: 'processing' });
  await row.getByRole('button', { name: 'Pause for 4h', exact: true }).click();
  await row.getByRole('button', { name: 'Resume', exact: true }).waitFor();
  await page.getByRole('link', { name: 'Now', exact: true }).click();
  await page
    .locator('.banner', { hasText: 'processing is paused' })
    .getByRole('link', { name: 'Resume', exact: true })
    .click();
  await row.getByRole('button', { name: 'Resume', exact: true }).click();
  await row.getByRole('button', { name: 'Pause for 4h', exact: true }).waitFor();

  await page.getByRole('link', { name: 'Actions', exact: true }).click();
  const newest = page.locator('table[aria-label="Actions"] tbody tr').first();
  await newest.getByText('resume', { exact: true }).waitFor();
});
