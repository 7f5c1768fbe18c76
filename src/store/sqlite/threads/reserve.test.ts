import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { canMount, mountSmallDisk, type SmallDisk } from '../../../../test/survive/small-disk.ts'
import { Reserve } from './reserve.ts'

describe.skipIf(!canMount)('the reserve on a small disk (needs root to mount one)', () => {
  let disk: SmallDisk
  afterEach(() => disk.unmount())

  test('is created, spent step by step, and created again when there is space', async () => {
    disk = mountSmallDisk(16)
    const path = join(disk.path, 'database')
    const reserve = new Reserve(path)
    expect(reserve.isHeld()).toBe(true)
    disk.fill()
    let steps = 0
    for (; reserve.spend(); steps++) disk.fill()
    expect(steps).toBe(16)
    expect(reserve.isHeld()).toBe(false)
    expect(statSync(`${path}-reserve`).size).toBe(0)
    disk.drain()
    await expect.poll(() => reserve.isHeld(), { timeout: 10_000 }).toBe(true)
  })

  test('is found again by the next process', () => {
    disk = mountSmallDisk(16)
    const path = join(disk.path, 'database')
    expect(new Reserve(path).isHeld()).toBe(true)
    disk.fill()
    expect(new Reserve(path).isHeld()).toBe(true)
  })
})

test('a reserve that somebody removes is spent, and is created again later', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-reserve-'))
  try {
    const path = join(directory, 'database')
    const reserve = new Reserve(path)
    expect(reserve.isHeld()).toBe(true)
    rmSync(`${path}-reserve`)
    expect(reserve.spend()).toBe(false)
    await expect.poll(() => reserve.isHeld(), { timeout: 10_000 }).toBe(true)
    expect(reserve.spend()).toBe(true)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a reserve that cannot be created is not held', () => {
  expect(new Reserve(join(tmpdir(), 'millrace-no-such-folder', 'database')).isHeld()).toBe(false)
})
