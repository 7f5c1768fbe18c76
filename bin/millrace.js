#!/usr/bin/env node
/**
 * The `millrace` command, for whatever Node the machine has: runs the program on the Node that the package pins. Plain
 * JavaScript for that reason, and nothing that Node 20 lacks. A checkout runs its sources, a package its compiled files.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PINNED_MAJOR = '26'
const FLAGS = ['--disable-warning=ExperimentalWarning']

const root = fileURLToPath(new URL('..', import.meta.url))

const findProgram = () => {
  const source = join(root, 'src/cli/main.ts')
  return existsSync(source) ? source : join(root, 'dist/cli/main.js')
}

/** The binary of the `node` package; our own interpreter will do when an install without scripts left that out. */
const findNode = () => {
  try {
    const binary = join(createRequire(import.meta.url).resolve('node/package.json'), '../bin/node')
    if (existsSync(binary)) return binary
  } catch {
    // Not installed: the same as without its binary.
  }
  if (process.versions.node.split('.')[0] === PINNED_MAJOR) return process.execPath
  console.error(`millrace needs Node ${PINNED_MAJOR}, which its package "node" brings. Run: npm rebuild node`)
  process.exit(1)
}

/** The terminal signals us and the child alike; the child takes what comes close together as one. */
const runAsChild = (node, args) => {
  const child = spawn(node, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    console.error(`millrace: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

const node = findNode()
const args = [...FLAGS, findProgram(), ...process.argv.slice(2)]
// Taking the place of this process leaves nothing between the caller's signals and the program.
if (typeof process.execve === 'function') process.execve(node, [node, ...args], process.env)
else runAsChild(node, args)
