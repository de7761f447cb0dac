// A `kho serve --demo` of our own for the page tests, on an empty folder, and a depositor who may sign in.
// Knows nothing of pages.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, openSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const EMAIL = 'depositor@example.org';
export const PASSWORD = 'thuyền nan qua sông 27';

export async function serve() {
  const binary = process.env.KHO_BIN;
  if (!binary) throw new Error('KHO_BIN names no binary to start');
  const folder = mkdtempSync(join(tmpdir(), 'kho-pages-'));
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KHO_')));
  const env = { ...inherited, KHO_LISTEN: '127.0.0.1:0', KHO_DATA: join(folder, 'data'), KHO_LOG: 'warn' };
  const log = join(folder, 'log');
  const child = spawn(binary, ['serve', '--demo'], { env, stdio: ['ignore', 'pipe', openSync(log, 'a')] });
  const url = await new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (piece) => {
      said += piece;
      for (const [word] of said.matchAll(/http:\/\/\S+(?=\s)/g)) {
        const at = new URL(word.replace(/[.,]$/, ''));
        if (at.pathname === '/') resolve(at.origin);
      }
    });
    child.on('exit', (code) => reject(new Error(`kho serve ended (${code}): ${readFileSync(log, 'utf8').slice(-600)}`)));
  });
  const run = (words, input) => {
    const done = spawnSync(binary, words, { env, input, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`kho ${words.join(' ')}: ${done.stderr}`);
    return done.stdout.trim();
  };
  run(['user', 'create', '--email', EMAIL, '--name', 'Nguyễn Thị Minh', '--role', 'depositor', '--password-stdin'], `${PASSWORD}\n`);
  return {
    url,
    log: () => readFileSync(log, 'utf8'),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit');
        child.on('exit', () => {
          rmSync(folder, { recursive: true, force: true });
          resolve();
        });
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
      }),
  };
}

/// The answer as it travels: the body is not decompressed.
export function travel(url, headers = {}) {
  return new Promise((resolve, reject) => {
    http
      .get(url, { headers: { 'accept-encoding': 'br, gzip', ...headers } }, (answer) => {
        const pieces = [];
        answer.on('data', (piece) => pieces.push(piece));
        answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(pieces).length }));
      })
      .on('error', reject);
  });
}

export async function json(url) {
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  return answer.json();
}
