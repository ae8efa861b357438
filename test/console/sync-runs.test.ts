import { postApi, setNetlife } from './support/api';
import { createBrowser } from './support/browser';
import { sampleRunOf } from './support/screens';
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
  const page = await browser.open(`/sync-runs/${await sampleRunOf(readWorld())}`);
  const push = page.locator('.graph a', { hasText: 'PushUsers' });
  await push.waitFor();
  await push.focus();
  await page.keyboard.press('Enter');
  await page.locator('.waterfall li:target', { hasText: 'PushUsers' }).waitFor();
});

test('the waterfall shows the parts of each portal and of the Iterable project', async () => {
  const page = await browser.open(`/sync-runs/${await sampleRunOf(readWorld())}`);
  const jobs = page.getByRole('list', { name: 'Parts of CollectPortal of nowandforeverphoto' });
  await jobs.waitFor();
  expect(await jobs.locator('> li').count()).toBe(8);
  expect(await jobs.locator('.waterfall-bar').count()).toBe(8);
  const users = page.getByRole('list', { name: 'Parts of PushUsers' });
  expect(await users.locator('.waterfall-name').allInnerTexts()).toEqual(['part 1']);
});

test('more runs than a page are shown on demand, and their number is in the address', async () => {
  await postApi(readWorld(), '/sync-runs', { input: { run_id: 'a-second-run', dry_run: true, iterable: {} } });
  const page = await browser.open('/sync-runs?limit=1');
  const rows = page.locator('.table tbody tr');
  await rows.first().waitFor();
  expect(await rows.count()).toBe(1);
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.waitForURL('**/sync-runs?limit=31');
  await rows.nth(1).waitFor();
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

describe('a run that fails', () => {
  const world = readWorld();
  afterEach(() => setNetlife(world, {}));

  test('shows its failure while it is watched, without a reload', async () => {
    const run_id = 'fails-while-watched';
    // The run works until the portal refuses its login: with several calls, longer than the page takes to open.
    await setNetlife(world, { latencyMs: 10_000 });
    await postApi(world, '/sync-runs', { input: { run_id, dry_run: true, netlife: { portals: ['nowandgen'] } } });
    const page = await browser.open(`/sync-runs/${run_id}`);
    const collect = (status: string) =>
      page.locator(`.graph-state[data-status="${status}"] .graph-name`, { hasText: 'CollectPortal' });
    await collect('running').waitFor();
    await page.locator('.run-head .badge', { hasText: 'running' }).waitFor();
    await page.getByTitle(`sync stop ${run_id}`).waitFor();
    await page.evaluate('window.isSamePage = true');
    await setNetlife(world, { faults: [{ kind: 'client_error', status: 401 }] });

    await collect('caught').waitFor();
    await page.locator('.run-head .badge', { hasText: 'failed' }).waitFor();
    await page.locator('.run-error', { hasText: 'refused our login' }).waitFor();
    await page.getByRole('button', { name: 'Redrive' }).waitFor();
    expect(await page.evaluate('window.isSamePage')).toBe(true);
  });

  test('shows what its checks found before anything was sent', async () => {
    const run_id = 'refused-by-the-checks';
    await setNetlife(world, { faults: [{ kind: 'client_error', status: 401 }] });
    await postApi(world, '/sync-runs', { input: { run_id, dry_run: true, netlife: { portals: ['nowandgen'] } } });
    const page = await browser.open(`/sync-runs/${run_id}`);
    const fault = page.getByRole('table', { name: 'Faults found before anything was sent' }).locator('tbody tr');
    await fault.waitFor();
    expect(await fault.allInnerTexts()).toEqual([
      expect.stringMatching(/netlife\/nowandgen\s+API_REFUSED\s+.*refused our login/),
    ]);
  });
});
