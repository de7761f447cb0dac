// A deposit through the pages, as a person does it: sign in, start, forget something, mend it, add a file, publish,
// read. The same with and without JavaScript. `seen` is called with a name on every page on the way.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EMAIL, PASSWORD } from './kho.mjs';

const PENGUINS = fileURLToPath(new URL('../data/penguins.csv', import.meta.url));
const TITLES = { vi: 'Chim cánh cụt ở quần đảo Palmer', en: 'Penguins of the Palmer Archipelago' };

export async function signIn(page, url, language) {
  await page.goto(`${url}/${language}/login`);
  await page.locator('input[name=email]').fill(EMAIL);
  await page.locator('input[name=password]').fill(PASSWORD);
  await send(page, page.locator('main form', { has: page.locator('input[name=password]') }).locator('button.primary'));
  hold(!new URL(page.url()).pathname.endsWith('/login'), `still at the sign-in page: ${await problems(page)}`);
}

/// Gives back what the reader sees at the end, in a sentence.
export async function deposit(page, url, language, seen) {
  await signIn(page, url, language);
  await page.goto(`${url}/${language}/uploads/new`);
  await page.locator('#title').fill(TITLES[language]);
  await send(page, page.locator('form[action$="/uploads/new"] button'));
  const id = new URL(page.url()).pathname.match(/\/uploads\/([0-9a-z]{5}-[0-9a-z]{5})/)?.[1];
  hold(id, `no draft after the start: ${page.url()} ${await problems(page)}`);
  const at = `${url}/${language}/uploads/${id}`;
  await page.goto(at);
  await seen('deposit-tasks');

  await nothingCanBePublishedYet(page, at, seen);
  await files(page, at, seen);
  await describe(page, at, language, seen);

  await page.goto(`${at}/access`);
  await seen('deposit-access');
  await page.locator('input[name=access][value=open]').check();
  await send(page, page.locator('button[name=do][value=continue]'));

  await page.goto(`${at}/publish`);
  await seen('deposit-publish');
  const confirm = page.locator('#confirm');
  hold(await confirm.count(), `it cannot be published: ${await page.locator('main').innerText()}`);
  const button = page.locator('form', { has: confirm }).locator('button.primary');
  await send(page, button);
  hold(new URL(page.url()).pathname.includes('/uploads/'), 'it was published without a word of consent');
  await page.locator('#confirm').check();
  await send(page, page.locator('form', { has: page.locator('#confirm') }).locator('button.primary'));
  return read(page, url, language, id);
}

/// The last page says what is missing, and each thing leads to the control that mends it.
async function nothingCanBePublishedYet(page, at, seen) {
  await page.goto(`${at}/publish`);
  await seen('deposit-not-ready');
  hold((await page.locator('#confirm').count()) === 0, 'an empty deposit can be published');
  const links = await page.locator('main .banner a').evaluateAll((all) => all.map((a) => a.href));
  hold(links.length, 'nothing says what is missing');
  for (const link of links) {
    await page.goto(link);
    const { hash } = new URL(link);
    hold(!hash || (await page.locator(`[id="${decodeURIComponent(hash.slice(1))}"]`).count()), `${link} leads to no control`);
  }
}

async function files(page, at, seen) {
  await page.goto(`${at}/files`);
  await page.locator('#file').setInputFiles(PENGUINS);
  // With a script the upload may begin by itself, and does not leave the page.
  const row = page.locator('td', { hasText: 'penguins.csv' });
  await page.locator('button[name=do][value=upload]').click({ timeout: 5000 }).catch(() => {});
  for (let tries = 0; tries < 40 && !(await row.count()); tries += 1) {
    await page.waitForTimeout(250);
    if (tries % 8 === 7) await page.goto(`${at}/files`);
  }
  hold(await row.count(), `the file is not in the list: ${await problems(page)}`);
  await page.goto(`${at}/files`);
  const listed = await page.locator('main').innerHTML();
  hold(listed.includes(digest(readFileSync(PENGUINS))), 'the list does not give the SHA-256 of what was sent');
  await seen('deposit-files');
}

async function describe(page, at, language, seen) {
  await page.goto(`${at}/describe`);
  await seen('deposit-describe');
  const fill = (name, value) => page.locator(`[name="${name}"]`).fill(value);
  await fill('title.vi', TITLES.vi);
  await fill('title.en', TITLES.en);
  await fill('description.vi', '344 con chim cánh cụt thuộc ba loài, đo trong ba năm trên ba hòn đảo.');
  await fill('creators.0.family_name', 'Gorman');
  await fill('creators.0.given_name', 'Kristen');
  await fill('creators.0.identifier', '0000-0002-0258-9265');
  await page.locator('[name=resource_type]').selectOption('dataset');
  await fill('publication_date', '2014-03-05');
  const licence = page.locator('[name=licence]');
  await licence.selectOption((await licence.locator('option[value="cc0-1.0"]').count()) ? 'cc0-1.0' : { index: 1 });
  await fill('publisher', 'Kho');
  await send(page, page.locator('button[name=do][value=continue]'));

  // The check digit of that ORCID iD is wrong: the form comes back with all that was typed.
  await seen('deposit-describe-wrong');
  hold((await page.locator('[name="creators.0.identifier"][aria-invalid=true]').count()) === 1, 'a wrong ORCID iD is not pointed at');
  hold((await page.locator('[name="creators.0.identifier"]').inputValue()) === '0000-0002-0258-9265', 'what was typed is lost');
  hold((await page.locator('[name="title.en"]').inputValue()) === TITLES.en, 'what was typed is lost');
  await fill('creators.0.identifier', '0000-0002-0258-9264');
  await send(page, page.locator('button[name=do][value=continue]'));
  hold(!new URL(page.url()).pathname.endsWith('/describe'), `the description is not accepted: ${await problems(page)}`);
}

async function read(page, url, language, id) {
  await page.goto(`${url}/${language}/records/${id}`);
  const heading = await page.locator('h1').innerText();
  hold(heading.includes(TITLES[language]), `the record is called ${heading}`);
  const link = page.locator('main a[href*="penguins.csv"]').first();
  hold(await link.count(), 'the record offers no file');
  const answer = await fetch(new URL(await link.getAttribute('href'), page.url()));
  const bytes = Buffer.from(await answer.arrayBuffer());
  hold(digest(bytes) === digest(readFileSync(PENGUINS)), `the downloaded file differs (${answer.status})`);
  return `published as ${id}`;
}

/// Clicks, and waits for the page that comes.
async function send(page, button) {
  const [answer] = await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), button.click()]);
  hold(!answer || answer.status() < 500, `HTTP ${answer?.status()} at ${page.url()}`);
}

async function problems(page) {
  return (await page.locator('main').innerText()).replace(/\s+/g, ' ').slice(0, 300);
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function hold(truth, otherwise) {
  if (!truth) throw new Error(otherwise);
}
