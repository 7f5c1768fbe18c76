import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { openSecretBox, WrongSecretKey } from './secrets.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-secrets-'))
afterAll(() => rmSync(root, { recursive: true }))

const freshDir = () => mkdtempSync(join(root, 'data-'))
const boxWith = (secretKey: string) => openSecretBox({ dataDir: root, secretKey })

test('a sealed record is opened unchanged', () => {
  const box = boxWith('a key')
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), record => {
      expect(box.open(box.seal(record))).toEqual({ ...record })
    }),
  )
})

test('sealed bytes contain no secret and differ each time', () => {
  const box = boxWith('a key')
  const once = Buffer.from(box.seal({ 'environment.TOKEN': 'hunter2hunter2' }))
  expect(once.includes('hunter2')).toBe(false)
  expect(once.equals(box.seal({ 'environment.TOKEN': 'hunter2hunter2' }))).toBe(false)
})

test('another key or changed bytes give a clear error', () => {
  const sealed = boxWith('a key').seal({ a: 'b' })
  expect(() => boxWith('another').open(sealed)).toThrow(WrongSecretKey)
  expect(() => boxWith('another').open(sealed)).toThrow(/MILLRACE_SECRET_KEY/)
  for (const at of [0, 5, 20, sealed.length - 1]) {
    const changed = Uint8Array.from(sealed)
    changed[at]! ^= 1
    expect(() => boxWith('a key').open(changed)).toThrow(WrongSecretKey)
  }
  expect(() => boxWith('a key').open(sealed.subarray(0, 10))).toThrow(WrongSecretKey)
})

test('without a key one is created in the data directory, readable by its owner only, and reused', () => {
  const dataDir = freshDir()
  const sealed = openSecretBox({ dataDir, secretKey: null }).seal({ a: 'b' })
  expect(readdirSync(dataDir)).toEqual(['secret-key'])
  expect(statSync(join(dataDir, 'secret-key')).mode & 0o777).toBe(0o600)
  expect(openSecretBox({ dataDir, secretKey: null }).open(sealed)).toEqual({ a: 'b' })
  expect(() => openSecretBox({ dataDir: freshDir(), secretKey: null }).open(sealed)).toThrow(WrongSecretKey)
})

test('a damaged key file is reported, not replaced', () => {
  const dataDir = freshDir()
  writeFileSync(join(dataDir, 'secret-key'), 'short')
  expect(() => openSecretBox({ dataDir, secretKey: null })).toThrow(/secret-key is damaged/)
})

test('derived keys depend only on the secret key and the purpose', () => {
  const key = boxWith('a key').deriveKey('job tokens')
  expect(key).toHaveLength(32)
  expect(boxWith('a key').deriveKey('job tokens').equals(key)).toBe(true)
  expect(boxWith('a key').deriveKey('another purpose').equals(key)).toBe(false)
  expect(boxWith('another').deriveKey('job tokens').equals(key)).toBe(false)
})
