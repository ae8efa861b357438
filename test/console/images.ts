import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createBrowser, views } from './support/browser';
import { screens } from './support/screens';
import { startConsoleWorld } from './support/world';

// `npm run console:images [folder] [names…]`: writes a picture of every screen, in both themes and widths.

const [folder = join(__dirname, '../../docs/images'), ...names] = process.argv.slice(2);

const takeImages = async (): Promise<void> => {
  const { world, stop } = await startConsoleWorld();
  const browser = createBrowser(world);
  try {
    mkdirSync(folder, { recursive: true });
    for (const { name, path, ready } of screens) {
      if (names.length > 0 && !names.includes(name)) continue;
      for (const view of views) {
        const page = await browser.open(await path(world), view);
        await page.locator(ready).first().waitFor();
        await page.waitForLoadState('load');
        const file = `console-${name}-${view.theme}-${view.widthPx}.png`;
        await page.screenshot({ path: join(folder, file), fullPage: true, animations: 'disabled' });
        await browser.close();
        console.log(file);
      }
    }
  } finally {
    await browser.leave();
    await stop();
  }
};

takeImages().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
