import { setTimeout as sleep } from 'node:timers/promises';
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import * as z from 'zod';
import { readWorld, type SignedIn } from './world';

/** How a screen is opened. */
export interface View {
  readonly theme: 'light' | 'dark';
  readonly widthPx: number;
}

const heightPx = 900;
/** How long an action waits for its element. On a busy machine, a page can take ten times as long as usual. */
const patienceMs = 120_000;
const wide: View = { theme: 'light', widthPx: 1280 };
/** Both themes, and both widths for which the console is made. */
export const views: readonly View[] = [
  wide,
  { theme: 'dark', widthPx: 1280 },
  { theme: 'light', widthPx: 390 },
  { theme: 'dark', widthPx: 390 },
];

/** Opens screens in the browser of the world. */
export const createBrowser = (world = readWorld()) => {
  let browser: Promise<Browser> | undefined;
  const contexts: BrowserContext[] = [];
  const problems: string[] = [];

  const open = async (path: string, view: View, { origin, cookie }: SignedIn): Promise<Page> => {
    browser ??= chromium.connect(world.browser);
    const context = await (await browser).newContext({
      viewport: { width: view.widthPx, height: heightPx },
      colorScheme: view.theme,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    contexts.push(context);
    context.setDefaultTimeout(patienceMs);
    await context.addCookies([{ ...cookie, url: origin }]);
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(`${path}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(`${path}: ${message.text()}`);
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) problems.push(`${path} requests ${request.url()}`);
    });
    await page.goto(origin + path);
    return page;
  };

  return {
    /** Opens a screen of the console that may change the stage, and waits for its heading. */
    open: async (path: string, view: View = wide): Promise<Page> => {
      const page = await open(path, view, world.console);
      await page.locator('main h1').waitFor();
      return page;
    },

    /** The same in the console that is read-only. */
    openReadOnly: (path: string, view: View = wide): Promise<Page> => open(path, view, world.readOnly),

    /** Closes all pages. @returns errors of scripts and of the content security policy, and requests to other places */
    close: async (): Promise<readonly string[]> => {
      await Promise.all(contexts.splice(0).map((context) => context.close()));
      return problems.splice(0);
    },

    /** Leaves the browser. */
    leave: async (): Promise<void> => {
      await (await browser)?.close();
    },
  };
};

const clipboardPollMs = 50;

/**
 * Waits for a text in the clipboard, which can hold what another test copied. Playwright's `waitForFunction` evaluates its
 * condition in the page, whose content security policy only allows that the first time.
 *
 * @throws {Error} if the text does not arrive
 */
export const waitForCopied = async (page: Page, isExpected: (text: string) => boolean): Promise<string> => {
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    const text = z.string().parse(await page.evaluate('navigator.clipboard.readText()'));
    if (isExpected(text)) return text;
    if (Date.now() > deadlineMs) throw new Error(`The clipboard still has: ${text.slice(0, 200)}`);
    await sleep(clipboardPollMs);
  }
};

const axeResultSchema = z.object({
  violations: z.array(z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
});

/** What axe finds in a page, by the rules of WCAG 2.2 AA and its best practices. */
export const findAccessibilityFaults = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source);
  const { violations } = axeResultSchema.parse(await page.evaluate('axe.run(document)'));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
};

/** By how many pixels a page is wider than its window. */
export const overflowOf = async (page: Page): Promise<number> =>
  z.number().parse(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'));
