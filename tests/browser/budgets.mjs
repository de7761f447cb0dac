// What a page may weigh, as it travels. HTML with its inlined CSS fits the first flight of a connection; a landing
// page needs no library, and is small enough for a phone in a village.

import { travel } from './kho.mjs';

const KB = 1024;
const HTML = 14 * KB;
const LANDING = 90 * KB;
const SCRIPT = 5 * KB;

/// The budgets that are overdrawn, as sentences.
export async function budgets(browser, url, record) {
  const short = [];
  for (const path of ['/vi', '/en', '/vi/search', '/en/search', `/vi${record}`, `/en${record}`]) {
    const answer = await travel(url + path, { accept: 'text/html' });
    if (!answer.headers['content-encoding']) short.push(`${path} travels uncompressed`);
    if (answer.bytes > HTML) short.push(`${path}: HTML of ${answer.bytes} bytes, more than ${HTML}`);
  }
  for (const language of ['vi', 'en']) {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: language });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    const kinds = new Map();
    const weights = { all: 0, Script: 0 };
    session.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      weights.all += encodedDataLength;
      if (kinds.get(requestId) === 'Script') weights.Script += encodedDataLength;
    });
    await page.goto(`${url}/${language}${record}`, { waitUntil: 'networkidle' });
    // Fonts may arrive after the page counts as loaded.
    await page.evaluate(() => document.fonts.ready.then(() => true));
    await page.waitForTimeout(300);
    await context.close();
    console.log(`    landing page in ${language}: ${(weights.all / KB).toFixed(1)} KB, of it script ${(weights.Script / KB).toFixed(1)} KB`);
    if (weights.all > LANDING) short.push(`landing page in ${language}: ${weights.all} bytes, more than ${LANDING}`);
    if (weights.Script > SCRIPT) short.push(`landing page in ${language}: script of ${weights.Script} bytes, more than ${SCRIPT}`);
  }
  return short;
}
