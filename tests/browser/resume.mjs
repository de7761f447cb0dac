// The page of a draft's files, in a browser, with the server killed (`kill -9`) in the middle: the upload goes on by
// itself when the server is back, and after a reload when the same file is chosen again. Needs KHO_BIN and KHO_CHROMIUM.

import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { signIn } from './deposit.mjs';
import { EMAIL, PASSWORD } from './kho.mjs';

const folder = mkdtempSync(join(tmpdir(), 'kho-resume-'));
const log = openSync(join(folder, 'log'), 'a');
const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KHO_')));
const env = { ...inherited, KHO_DATA: join(folder, 'data'), KHO_LISTEN: '127.0.0.1:0', KHO_LOG: 'warn' };
let server;

async function start() {
  server = spawn(process.env.KHO_BIN, ['serve'], { env, stdio: ['ignore', 'pipe', log] });
  for await (const piece of server.stdout) {
    const at = String(piece).match(/http:\/\/[0-9.]+:[0-9]+/)?.[0];
    if (!at) continue;
    // Where it was the first time, it comes back to.
    env.KHO_LISTEN = new URL(at).host;
    return at;
  }
  throw new Error('kho serve ended before it said where it listens');
}

const kill = () =>
  new Promise((resolve) => {
    server.on('exit', resolve);
    server.kill('SIGKILL');
  });

const hold = (truth, otherwise) => {
  if (!truth) throw new Error(otherwise);
};

const url = await start();
const words = ['user', 'create', '--email', EMAIL, '--name', 'Minh', '--role', 'depositor', '--password-stdin'];
hold(spawnSync(process.env.KHO_BIN, words, { env, input: `${PASSWORD}\n` }).status === 0, 'no account');
const browser = await chromium.launch({ executablePath: process.env.KHO_CHROMIUM, args: ['--no-sandbox'] });
let failed = 0;
try {
  const page = await (await browser.newContext({ locale: 'vi' })).newPage();
  const blocked = [];
  page.on('console', (message) => message.type() === 'error' && /Content.Security/.test(message.text()) && blocked.push(message.text()));
  await signIn(page, url, 'vi');
  await page.goto(`${url}/vi/uploads/new`);
  await page.locator('#title').fill('Ảnh vệ tinh');
  await page.locator('form[action$="/uploads/new"] button').click();
  await page.waitForURL(/\/uploads\/[0-9a-z]{5}-[0-9a-z]{5}/);
  const id = page.url().match(/uploads\/([0-9a-z-]{11})/)[1];
  const tree = join(folder, 'đo đạc', 'trạm 1');
  mkdirSync(tree, { recursive: true });
  const big = randomBytes(200 << 20);
  const files = { 'đo đạc/trạm 1/big.bin': big, 'đo đạc/a.csv': Buffer.from('x,y\n'), 'đo đạc/trạm 1/empty': Buffer.alloc(0) };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);

  const choose = async () => {
    await page.goto(`${url}/vi/uploads/${id}/files`);
    await page.locator('#folder').setInputFiles(join(folder, 'đo đạc'));
    await page.locator('button[name=do][value=upload]').click();
  };
  const row = page.locator('li.uploading', { hasText: 'big.bin' });
  const underWay = async () => {
    for (let tries = 0; tries < 400; tries++) {
      if (await row.locator('progress').evaluate((bar) => bar.value > 0.05).catch(() => false)) return;
      await page.waitForTimeout(25);
    }
    throw new Error('big.bin does not get under way');
  };
  page.on('dialog', (dialog) => dialog.accept());
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  // A line slow enough to be broken.
  const slow = (bytes) => session.send('Network.emulateNetworkConditions', { offline: false, latency: 5, downloadThroughput: -1, uploadThroughput: bytes });
  await slow(20 << 20);
  await choose();
  await underWay();
  await kill();
  await start();
  await underWay();
  await row.getByRole('button', { name: /Tạm dừng/ }).click();
  hold(await row.getByText('Đã tạm dừng').count(), 'it does not say that it paused');
  await page.waitForTimeout(300);
  await row.getByRole('button', { name: /Tiếp tục/ }).click();
  await page.waitForTimeout(1500);
  await choose();
  await slow(-1);
  let entries = [];
  for (let tries = 0; tries < 120; tries++) {
    entries = await page.evaluate(async (id) => (await (await fetch(`/api/records/${id}/draft/files`)).json()).entries, id);
    if (entries.length === 3 && entries.every((e) => e.status === 'completed')) break;
    await page.waitForTimeout(500);
  }
  hold(entries.length === 3, `${entries.length} files arrived`);
  for (const entry of entries) {
    hold(entry.status === 'completed', `${entry.key} is ${entry.status}`);
    const sent = files[entry.key];
    hold(sent, `a file named ${entry.key}`);
    hold(entry.sha256 === createHash('sha256').update(sent).digest('hex'), `${entry.key}: other bytes arrived`);
  }
  hold(!blocked.length, `the policy blocked: ${blocked.join('; ')}`);
  console.log('    uploads from the page went on after a kill, a pause and a reload');
} catch (error) {
  failed = 1;
  console.log(`    FALLS SHORT: ${error.message}`);
} finally {
  await browser.close();
  await kill();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed);
