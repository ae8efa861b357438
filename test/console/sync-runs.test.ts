import { createBrowser } from './support/browser';
import { newestRunOf } from './support/screens';
import { readWorld } from './support/world';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('a dry run starts from the form, its states change while it is watched, and its files can be downloaded', async () => {
  const page = await browser.open('/sync-runs');
  await page.getByRole('button', { name: 'Start a run …' }).click();
  await page.getByRole('textbox', { name: 'run id' }).fill('from-the-form');
  await page.getByRole('checkbox', { name: 'netlife', exact: true }).uncheck();
  expect(await page.locator('.start-form .command').innerText()).toContain(
    `sync start --input /dev/stdin <<< '{"dry_run":true,"run_id":"from-the-form","iterable":{}}'`,
  );
  await page.getByRole('button', { name: 'Start a dry run' }).click();
  await page.waitForURL('**/sync-runs/from-the-form');
  await page.locator('.graph-state[data-status="succeeded"] .graph-name', { hasText: /^✓ Done$/ }).waitFor();
  await page.locator('.run-head .badge', { hasText: 'succeeded' }).waitFor();
  await page.getByRole('button', { name: 'Start it for real' }).waitFor();
  const download = page.waitForEvent('download');
  const file = page.locator('.file', { hasText: 'summary.json' });
  await file.getByRole('button', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('summary.json');
});

test('the state machine shows the states of the portals, and leads to their turns', async () => {
  const page = await browser.open(`/sync-runs/${await newestRunOf(readWorld())}`);
  const push = page.locator('.graph a', { hasText: 'PushUsers' });
  await push.waitFor();
  await push.focus();
  await page.keyboard.press('Enter');
  await page.locator('.waterfall li:target', { hasText: 'PushUsers' }).waitFor();
});

test('the keyboard opens a run, and a read-only console starts none', async () => {
  const page = await browser.open('/sync-runs');
  await page.locator('.table tbody tr').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/sync-runs/*');
  const other = await browser.openReadOnly('/sync-runs?start=true');
  expect(await other.getByRole('button', { name: 'Start a dry run' }).isDisabled()).toBe(true);
});
