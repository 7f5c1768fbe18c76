import { statSync } from 'node:fs'
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
