// Walks the pages as people do: both languages, wide and narrow, light and dark, with and without JavaScript.
// On every page: axe-core finds nothing serious, nothing is wider than the screen, nothing breaks the security
// policy, no script fails. Pictures of all pages go to $KHO_SCREENSHOTS (or target/screenshots).

import { AxeBuilder } from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { budgets } from './budgets.mjs';
import { deposit, signIn } from './deposit.mjs';
import { json, serve } from './kho.mjs';

const LANGUAGES = ['vi', 'en'];
const SCREENS = { wide: { width: 1280, height: 820 }, narrow: { width: 390, height: 844 } };
const SCHEMES = ['light', 'dark'];
const PICTURES = process.env.KHO_SCREENSHOTS ?? 'target/screenshots';

const wrong = [];
const fail = (where, what) => {
  wrong.push(`${where}: ${what}`);
  console.log(`    FALLS SHORT: ${where}: ${what}`);
};

mkdirSync(PICTURES, { recursive: true });
const kho = await serve();
const browser = await chromium.launch({
  executablePath: process.env.KHO_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
});
try {
  const pages = await places();
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const colorScheme of SCHEMES) {
      await look(pages.open, { screen, viewport, colorScheme, signedIn: false });
      await look(pages.signedIn, { screen, viewport, colorScheme, signedIn: true });
    }
  }
  console.log(`    looked at ${pages.open.length + pages.signedIn.length} pages in ${LANGUAGES.length * 4} ways; pictures in ${PICTURES}`);
  await withoutScript(pages.open);
  for (const [language, screen, colorScheme, javaScriptEnabled] of [
    ['vi', 'wide', 'light', true],
    ['vi', 'narrow', 'dark', false],
    ['en', 'narrow', 'dark', true],
    ['en', 'wide', 'light', false],
  ]) {
    const where = `deposit ${language} ${screen} ${colorScheme} ${javaScriptEnabled ? 'with' : 'without'} JavaScript`;
    const context = await browser.newContext({ viewport: SCREENS[screen], colorScheme, javaScriptEnabled, locale: language });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    try {
      const seen = async (name) => {
        await page.screenshot({ path: `${PICTURES}/${name}-${language}-${screen}-${colorScheme}.png`, fullPage: true });
        if (javaScriptEnabled) await inspect(page, `${name} ${where}`, language);
      };
      console.log(`    ${where}: ${await deposit(page, kho.url, language, seen)}`);
    } catch (error) {
      fail(where, error.message.split('\n').slice(0, 6).join(' '));
    } finally {
      await context.close();
    }
  }
  for (const short of await budgets(browser, kho.url, pages.record)) fail('budget', short);
  if (kho.log().includes('panicked')) fail('log', kho.log().slice(-800));
} finally {
  await browser.close();
  await kho.stop();
}
if (wrong.length) {
  console.log(`    ${wrong.length} things fall short`);
  process.exit(1);
}

/// The pages to look at, with records of every kind the demo has.
async function places() {
  // What was published is found soon, not at once.
  let hits;
  for (let tries = 0; tries < 60; tries += 1) {
    ({ hits } = await json(`${kho.url}/api/records?size=100&allversions=true&sort=newest`));
    if (hits.total >= 8) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  if (hits.total < 8) fail('demo', `${hits.total} records instead of at least eight`);
  if (!hits.total) throw new Error('without records there is nothing to look at');
  const first = hits.hits.find((h) => h.versions.is_latest && h.access.status === 'open') ?? hits.hits[0];
  const old = hits.hits.find((h) => !h.versions.is_latest);
  const embargoed = hits.hits.find((h) => h.access.status === 'embargoed');
  const restricted = hits.hits.find((h) => h.access.status === 'restricted');
  for (const [kind, found] of Object.entries({ 'an older version': old, embargoed, restricted })) {
    if (!found) fail('demo', `no record is ${kind}`);
  }
  const record = (name, hit) => hit && { name, path: `/records/${hit.id}`, status: 200 };
  return {
    record: `/records/${first.id}`,
    open: [
      { name: 'home', path: '', status: 200 },
      { name: 'search', path: '/search', status: 200 },
      { name: 'search-words', path: '/search?q=nuoc', status: 200 },
      { name: 'search-nothing', path: `/search?q=${encodeURIComponent('khônghềcógìnhưthế')}`, status: 200 },
      record('record', first),
      record('record-old', old),
      record('record-embargoed', embargoed),
      record('record-restricted', restricted),
      { name: 'login', path: '/login', status: 200 },
      { name: 'about', path: '/about', status: 200 },
      { name: 'missing', path: '/records/zzzzz-zzzzz', status: 404 },
    ].filter(Boolean),
    signedIn: [
      { name: 'my-records', path: '/me/records', status: 200 },
      { name: 'my-tokens', path: '/me/tokens', status: 200 },
      { name: 'upload', path: '/uploads/new', status: 200 },
    ],
  };
}

async function look(pages, { screen, viewport, colorScheme, signedIn }) {
  for (const language of LANGUAGES) {
    const context = await browser.newContext({ viewport, colorScheme, locale: language });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    let where = `sign-in ${language} ${screen} ${colorScheme}`;
    // A policy that is broken is reported on the console, and so is a script that fails.
    page.on('console', (message) => {
      const expected = message.location().url.endsWith('zzzzz-zzzzz');
      if (message.type() === 'error' && !expected) fail(where, message.text());
    });
    page.on('pageerror', (error) => fail(where, error.message));
    page.on('request', (request) => {
      const to = request.url();
      if (!to.startsWith(kho.url) && !to.startsWith('data:')) fail(where, `asks a third party: ${to}`);
    });
    try {
      if (signedIn) await signIn(page, kho.url, language);
      for (const { name, path, status } of pages) {
        where = `${name} ${language} ${screen} ${colorScheme}`;
        const answer = await page.goto(`${kho.url}/${language}${path}`, { waitUntil: 'load' });
        if (answer.status() !== status) fail(where, `HTTP ${answer.status()}`);
        await page.screenshot({ path: `${PICTURES}/${name}-${language}-${screen}-${colorScheme}.png`, fullPage: true });
        await inspect(page, where, language);
      }
    } catch (error) {
      fail(where, error.message.split('\n')[0]);
    } finally {
      await context.close();
    }
  }
}

async function inspect(page, where, language) {
  const seen = await page.evaluate(() => ({
    language: document.documentElement.lang,
    tooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    headings: document.querySelectorAll('h1').length,
    title: document.title,
    keys: document.body.innerText.match(/\b(?:problem|missing|page|field|search|record|deposit)(?:-[a-z]+){2,}\b/g) ?? [],
  }));
  if (seen.language !== language) fail(where, `lang="${seen.language}"`);
  if (seen.tooWide > 0) fail(where, `${seen.tooWide} px wider than the screen`);
  if (seen.headings !== 1) fail(where, `${seen.headings} main headings`);
  if (!seen.title) fail(where, 'no title');
  if (seen.keys.length) fail(where, `keys instead of sentences: ${seen.keys.slice(0, 3)}`);
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  for (const { id, impact, nodes } of violations) {
    const places = nodes.slice(0, 2).map((n) => n.target.join(' '));
    if (impact === 'serious' || impact === 'critical') fail(where, `axe: ${id} (${impact}) at ${places.join(', ')}`);
    else console.log(`    axe, not serious: ${where}: ${id} (${impact}) at ${places.join(', ')}`);
  }
}

/// Nothing on a page to read needs a script: what is there with it is there without.
async function withoutScript(pages) {
  for (const language of LANGUAGES) {
    const texts = [];
    for (const javaScriptEnabled of [true, false]) {
      const context = await browser.newContext({ viewport: SCREENS.wide, javaScriptEnabled, locale: language });
      const page = await context.newPage();
      const seen = {};
      for (const { name, path } of pages) {
        await page.goto(`${kho.url}/${language}${path}`, { waitUntil: 'load' });
        seen[name] = (await page.locator('main').innerText()).replace(/\s+/g, ' ');
      }
      texts.push(seen);
      await context.close();
    }
    const [withIt, without] = texts;
    for (const name of Object.keys(withIt)) {
      // A copy button may come with the script; text may not.
      if (without[name].length < withIt[name].length * 0.95) fail(`${name} ${language}`, 'lacks text without JavaScript');
    }
  }
  console.log('    the pages say the same without JavaScript');
}
